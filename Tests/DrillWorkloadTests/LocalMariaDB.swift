#if MariaDB
    import DrillCore
    import DrillWorkload
    import Glibc
    import Synchronization

    /// A real MariaDB on loopback, in a folder of its own, ended by its pid.
    final class LocalMariaDB: Sendable {
        let port: UInt16
        private let folder: ServerFolder
        private let settings: [String]
        private let process: Mutex<ChildProcess?>

        /// `settings` as mariadbd takes them.
        init(_ settings: [String] = []) throws {
            self.settings = settings
            port = ServerFolder.freePort()
            process = Mutex(nil)
            folder = try ServerFolder("mariadb", user: "mysql")
            try folder.write(
                """
                CREATE DATABASE IF NOT EXISTS drill;
                CREATE USER IF NOT EXISTS firedrill@'%' IDENTIFIED BY 'secret';
                GRANT ALL ON *.* TO firedrill@'%';
                REVOKE READ_ONLY ADMIN, SUPER ON *.* FROM firedrill@'%';
                CREATE USER IF NOT EXISTS guest@'%';
                CREATE USER IF NOT EXISTS boss@'%';
                GRANT ALL ON *.* TO boss@'%' WITH GRANT OPTION;

                """, to: "init.sql")
            let made = try ChildProcess(
                "mariadb-install-db",
                ["--no-defaults", "--datadir=\(folder.path)/data", "--skip-test-db"] + Self.asUser,
                quiet: true)
            _ = made.readAll()
            guard made.wait().code == 0 else { throw LoadTrialError("mariadb-install-db failed") }
            try start()
        }

        deinit { end() }

        /// With its data. Whoever hands it from thread to thread says when: the last of them may let go of it only as the
        /// process ends.
        func end() {
            fail()
            folder.remove()
        }

        var parameters: [String: String] {
            [
                "address": "127.0.0.1:\(port)", "user": "firedrill", "password": "secret",
                "database": "drill",
            ]
        }

        func client(_ further: [String: String] = [:], _ lane: Lane = .kept) throws -> MySQLClient {
            try MySQLClient(parameters: parameters.merging(further) { $1 }, lane: lane)
        }

        func session(_ timeout: Duration = .seconds(20)) throws -> any ClientSession {
            try client().session(.endpoint, timeout: timeout)
        }

        /// As the user that may do everything.
        @discardableResult func order(_ sql: String) throws -> String {
            let session = try client(["user": "boss", "password": ""])
                .session(.endpoint, timeout: .seconds(20))
            defer { session.close() }
            do throws(SessionError) {
                return try session.query(["sql": sql])
            } catch {
                if error.description == "no row" { return "" }
                throw error
            }
        }

        func start() throws {
            let arguments =
                [
                    "--no-defaults", "--datadir=\(folder.path)/data",
                    "--socket=\(folder.path)/socket",
                    "--pid-file=\(folder.path)/pid", "--port=\(port)", "--bind-address=127.0.0.1",
                    "--skip-name-resolve", "--init-file=\(folder.path)/init.sql",
                    "--innodb-buffer-pool-size=8M", "--max-connections=300",
                    "--innodb-flush-log-at-trx-commit=0",
                ] + Self.asUser + settings
            try process.withLock {
                $0 = try ChildProcess("/usr/sbin/mariadbd", arguments, quiet: true)
            }
            var reason = ""
            for _ in 0..<400 {
                do {
                    // The users are made last.
                    _ = try order("SELECT 1")
                    return
                } catch {
                    reason = "\(error)"
                    usleep(50_000)
                }
            }
            throw LoadTrialError("mariadbd does not come up: \(reason)")
        }

        func signal(_ number: Int32) { process.withLock { $0?.signal(number) } }

        /// At once.
        func fail() {
            process.withLock {
                $0?.signal(SIGKILL)
                _ = $0?.wait()
                $0 = nil
            }
        }

        private static var asUser: [String] { getuid() == 0 ? ["--user=mysql"] : [] }
    }
#endif
