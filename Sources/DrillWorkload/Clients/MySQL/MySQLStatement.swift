#if MariaDB
    import DrillCore

    /// Statements as text. Keys and values go as hexadecimal numbers, which need no quoting and have no character set, into
    /// columns of bytes, which compare exactly (no case, no blanks at the end).
    enum MySQLStatement {
        /// Who answers. Within a statement there is one "now": less the uptime it is the second in which the server was
        /// started, exactly. Two starts of one server within the same second look alike.
        static let identity = """
            SELECT CONCAT(@@hostname, ':', @@port, '/', @@server_id, '/', UNIX_TIMESTAMP() - variable_value) \
            FROM information_schema.global_status WHERE variable_name = 'UPTIME'
            """

        /// What a ledger needs, and a register.
        static let createTable = """
            CREATE TABLE IF NOT EXISTS firedrill_ledger (\
            k VARBINARY(255) NOT NULL PRIMARY KEY, v VARBINARY(255) NOT NULL) ENGINE=InnoDB
            """

        static func insert(_ entry: LedgerEntry) -> String {
            "INSERT INTO firedrill_ledger (k, v) VALUES (\(hex(entry.key)), \(hex(entry.value)))"
        }

        static func read(_ keys: [String]) -> String {
            "SELECT k, v FROM firedrill_ledger WHERE k IN (\(keys.map(hex).joined(separator: ", ")))"
        }

        static func register(_ request: RegisterRequest) -> String {
            let key = hex(request.key)
            switch request.action {
            case .read: return "SELECT v FROM firedrill_ledger WHERE k = \(key)"
            case .write(let value):
                return """
                    INSERT INTO firedrill_ledger (k, v) VALUES (\(key), \(hex(value))) \
                    ON DUPLICATE KEY UPDATE v = \(hex(value))
                    """
            case .compareAndSet(let old?, let new):
                return
                    "UPDATE firedrill_ledger SET v = \(hex(new)) WHERE k = \(key) AND v = \(hex(old))"
            case .compareAndSet(nil, let new):
                return "INSERT INTO firedrill_ledger (k, v) VALUES (\(key), \(hex(new)))"
            }
        }

        /// `X'6b31'`
        static func hex(_ text: String) -> String {
            var bytes = Array("X'".utf8)
            bytes.reserveCapacity(3 + 2 * text.utf8.count)
            for byte in text.utf8 {
                bytes.append(digit(byte >> 4))
                bytes.append(digit(byte & 15))
            }
            return String(decoding: bytes, as: UTF8.self) + "'"
        }

        private static func digit(_ value: UInt8) -> UInt8 {
            value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
        }
    }
#endif
