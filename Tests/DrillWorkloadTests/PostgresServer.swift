#if Postgres
    import DrillCore
    import DrillWorkload
    import Glibc
    import Synchronization

    /// A real server on loopback, in a folder of its own, ended by its pid.
    final class PostgresServer: Sendable {
        let port: UInt16
        private let folder: ServerFolder
        private let process: Mutex<ChildProcess>

        /// `settings` as `-c` takes them.
        init(_ settings: [String] = []) throws {
            folder = try ServerFolder("pg", user: "postgres")
            port = ServerFolder.freePort()
            let data = folder.path + "/data"
            let made = try Self.run(
                "initdb", ["-A", "trust", "-U", "firedrill", "--no-sync", "-D", data])
            guard made.wait().code == 0 else { throw LoadTrialError("initdb failed") }
            let fixed = ["fsync=off", "max_connections=300", "shared_buffers=16MB"]
            let started = try Self.run(
                "postgres",
                ["-D", data, "-h", "127.0.0.1", "-p", "\(port)", "-k", folder.path]
                    + (fixed + settings).flatMap { ["-c", $0] })
            process = Mutex(started)
        }

        deinit {
            // At once, with its children and its shared memory.
            process.withLock {
                $0.signal(SIGQUIT)
                _ = $0.wait()
            }
            folder.remove()
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
