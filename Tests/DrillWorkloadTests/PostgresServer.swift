#if Postgres
    import CLinux
    import DrillCore
    import DrillWorkload
    import Glibc
    import Synchronization

    /// A real server on loopback, in a folder of its own, ended by its pid.
    final class PostgresServer: Sendable {
        let port: UInt16
        private let folder: String
        private let process: Mutex<ChildProcess>

        /// `settings` as `-c` takes them.
        init(_ settings: [String] = []) throws {
            let folder = "/tmp/firedrill-pg-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            self.folder = folder
            port = try Self.freePort()
            guard mkdir(folder, 0o700) == 0 else { throw LoadTrialError("mkdir \(folder)") }
            if getuid() == 0 {
                // PostgreSQL refuses to run as root.
                guard let user = getpwnam("postgres"),
                    chown(folder, user.pointee.pw_uid, user.pointee.pw_gid) == 0
                else { throw LoadTrialError("no user postgres") }
            }
            let data = folder + "/data"
            let made = try Self.run(
                "initdb", ["-A", "trust", "-U", "firedrill", "--no-sync", "-D", data])
            guard made.wait().code == 0 else { throw LoadTrialError("initdb failed") }
            let fixed = ["fsync=off", "max_connections=300", "shared_buffers=16MB"]
            let started = try Self.run(
                "postgres",
                ["-D", data, "-h", "127.0.0.1", "-p", "\(port)", "-k", folder]
                    + (fixed + settings).flatMap { ["-c", $0] })
            process = Mutex(started)
        }

        deinit {
            // At once, with its children and its shared memory.
            process.withLock {
                $0.signal(SIGQUIT)
                _ = $0.wait()
            }
            if let remover = try? ChildProcess("rm", ["-rf", folder]) { _ = remover.wait() }
        }

        var conninfo: String { "host=127.0.0.1 port=\(port) user=firedrill dbname=postgres" }

        /// An immediate shutdown; as a power cut it leaves the disk as it is.
        func fail() { process.withLock { $0.signal(SIGQUIT) } }

        /// A session, as soon as the server takes one.
        func session(_ timeout: Duration = .seconds(20)) throws -> any ClientSession {
            let client = try PostgresClient(parameters: ["conninfo": conninfo], lane: .fresh)
            var reason = ""
            for _ in 0..<400 {
                do {
                    return try client.session(.endpoint, timeout: timeout)
                } catch {
                    reason = error.description
                    usleep(50_000)
                }
            }
            throw LoadTrialError("the server does not come up: \(reason)")
        }

        static func freePort() throws -> UInt16 {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, size) == 0 ? getsockname(descriptor, $0, &size) : -1
                }
            }
            guard result == 0 else { throw LoadTrialError("no free port") }
            return UInt16(bigEndian: address.sin_port)
        }

        private static func run(_ program: String, _ arguments: [String]) throws -> ChildProcess {
            // Debian keeps the server's programs out of PATH.
            var found = glob_t()
            defer { globfree(&found) }
            guard glob("/usr/lib/postgresql/*/bin/\(program)", 0, nil, &found) == 0,
                let path = found.gl_pathv[Int(found.gl_pathc) - 1].map({ String(cString: $0) })
            else { throw LoadTrialError("no \(program) (Debian: postgresql)") }
            guard getuid() == 0 else {
                return try ChildProcess(path, arguments, quiet: true)
            }
            let asUser = ["--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--"]
            return try ChildProcess("setpriv", asUser + [path] + arguments, quiet: true)
        }
    }

    extension DrivenConnection {
        init(_ parameters: [String: String], _ lane: Lane = .kept) throws {
            self.init(try PostgresClient(parameters: parameters, lane: lane))
        }
    }
#endif
