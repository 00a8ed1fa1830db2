#if MariaDB
    import DrillCore

    /// A blocking conversation; each question takes as long as the time-out at most.
    final class MySQLSession: ClientSession {
        private let link: MySQLLink
        private let timeout: Duration

        init(_ target: MySQLTarget, _ timeout: Duration) throws(SessionError) {
            link = MySQLLink(target)
            self.timeout = timeout
            try link.complete(link.connect(), within: timeout)
        }

        func identity() throws(SessionError) -> String {
            try ask(MySQLStatement.identity)
            return firstField
        }

        func prepare() throws(SessionError) {
            try ask(MySQLStatement.createTable)
        }

        func write(_ entry: LedgerEntry) throws(SessionError) {
            try ask(MySQLStatement.insert(entry))
        }

        func read(_ keys: [String]) throws(SessionError) -> [String: String] {
            guard !keys.isEmpty else { return [:] }
            try ask(MySQLStatement.read(keys))
            var values: [String: String] = [:]
            for row in link.allRows() {
                if row.count == 2, let key = row[0], let value = row[1] { values[key] = value }
            }
            return values
        }

        func query(_ parameters: [String: String]) throws(SessionError) -> String {
            guard let sql = parameters["sql"] else { throw SessionError("the query needs 'sql'") }
            try ask(sql)
            guard !link.allRows().isEmpty else { throw SessionError("no row") }
            return firstField
        }

        func close() { link.close() }

        private var firstField: String {
            link.withFirstField { String(decoding: $0, as: UTF8.self) }
        }

        private func ask(_ statement: String) throws(SessionError) {
            guard link.descriptor >= 0 else { throw SessionError("the session has ended") }
            try link.complete(link.send(statement), within: timeout)
            if link.failure != nil { throw link.end }
        }
    }
#endif
