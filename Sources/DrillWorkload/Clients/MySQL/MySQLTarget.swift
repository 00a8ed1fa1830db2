#if MariaDB
    import CLinux
    import CMariaDB
    import DrillCore
    import Glibc

    /// Whom to connect to, and as whom.
    struct MySQLTarget: Sendable {
        /// Numeric; nil: only servers are asked, each by itself.
        private var host: String?
        private var port: UInt16
        /// Of a server that is asked by itself.
        private let ownPort: UInt16
        private let user: String
        private let password: String
        private let database: String?

        private static let defaultPort: UInt16 = 3306

        init(_ parameters: [String: String]) throws(ClientParameterError) {
            let given = { (name: String) in parameters[name].flatMap { $0.isEmpty ? nil : $0 } }
            port = Self.defaultPort
            if let address = given("address") {
                // Its form, and that nobody needs to look it up.
                port = try Endpoint(address[...], defaultPort: Self.defaultPort).port
                host = Self.host(of: address)
            }
            if let text = given("port") {
                guard let number = UInt16(text), number > 0 else {
                    throw ClientParameterError("'\(text)' is no port from 1 to 65535")
                }
                ownPort = number
            } else {
                ownPort = port
            }
            user = given("user") ?? "firedrill"
            password = given("password") ?? ""
            database = given("database")
            for name in ["user", "password", "database", "sql"] {
                if given(name)?.utf8.contains(0) == true {
                    throw ClientParameterError("'\(name)' holds a zero byte")
                }
            }
        }

        /// One server by itself, whatever its role.
        func only(address: String) -> MySQLTarget {
            var copy = self
            copy.host = address
            copy.port = ownPort
            return copy
        }

        /// Begins to connect; the wait status as libmariadb says it, 0 where it has ended.
        ///
        /// - Parameter texts: of this target; libmariadb reads them as long as it connects.
        func start(
            _ handle: UnsafeMutablePointer<MYSQL>, _ texts: MySQLTexts,
            _ result: inout UnsafeMutablePointer<MYSQL>?
        ) -> Int32 {
            // Rows that match count as changed, also where they held the new value already: compare-and-set depends on it.
            mysql_real_connect_start(
                &result, handle, texts.host, texts.user, texts.password, texts.database,
                UInt32(port), nil, UInt(CLIENT_FOUND_ROWS))
        }

        var texts: MySQLTexts {
            MySQLTexts(host: host, user: user, password: password, database: database)
        }

        var hasHost: Bool { host != nil }

        /// Without the port and without brackets.
        private static func host(of address: String) -> String {
            if address.first == "[" {
                return String(address.dropFirst().prefix { $0 != "]" })
            }
            return String(address.prefix { $0 != ":" })
        }
    }

    /// Texts of C that stay where they are.
    final class MySQLTexts {
        let host: UnsafeMutablePointer<CChar>?
        let user: UnsafeMutablePointer<CChar>?
        let password: UnsafeMutablePointer<CChar>?
        let database: UnsafeMutablePointer<CChar>?

        init(host: String?, user: String, password: String, database: String?) {
            self.host = host.map { strdup($0) } ?? nil
            self.user = strdup(user)
            self.password = strdup(password)
            self.database = database.map { strdup($0) } ?? nil
        }

        deinit { for text in [host, user, password, database] { free(text) } }
    }
#endif
