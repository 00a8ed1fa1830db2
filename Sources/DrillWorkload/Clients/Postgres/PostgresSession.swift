#if Postgres
    import DrillCore

    /// A blocking conversation; each question takes as long as the time-out at most.
    final class PostgresSession: ClientSession {
        private let link: PostgresLink
        private let timeout: Duration

        init(_ target: PostgresTarget, _ timeout: Duration) throws(SessionError) {
            link = PostgresLink(target)
            self.timeout = timeout
            try link.complete(link.connect(), within: timeout)
        }

        func identity() throws(SessionError) -> String {
            try ask(.identity)
            return firstField
        }

        func prepare() throws(SessionError) {
            do throws(SessionError) {
                try ask(.createTable)
            } catch {
                // Two that make it at the same time: PostgreSQL refuses one with a key that is there (23505).
                guard link.failure?.state == "23505" else { throw error }
                try ask(.createTable)
            }
        }

        func write(_ entry: LedgerEntry) throws(SessionError) {
            try ask(.insert, [entry.key, entry.value])
            if link.hasWarned { throw SessionError("acknowledged with a warning") }
        }

        func read(_ keys: [String]) throws(SessionError) -> [String: String] {
            try ask(.read, [Self.array(keys)])
            var values: [String: String] = [:]
            values.reserveCapacity(link.rowCount)
            for row in 0..<link.rowCount {
                values[link.text(row: row, column: 0)] = link.text(row: row, column: 1)
            }
            return values
        }

        func query(_ parameters: [String: String]) throws(SessionError) -> String {
            guard let sql = parameters["sql"] else { throw SessionError("the query needs 'sql'") }
            let statement: PostgresStatement
            do {
                statement = try PostgresStatement(sql)
            } catch {
                throw SessionError("\(error)")
            }
            try ask(statement)
            guard link.rowCount > 0 else { throw SessionError("no row") }
            return firstField
        }

        func close() { link.close() }

        private var firstField: String {
            link.withFirstField { String(decoding: $0, as: UTF8.self) }
        }

        private func ask(
            _ statement: PostgresStatement, _ values: [String] = []
        ) throws(SessionError) {
            guard link.descriptor >= 0 else { throw SessionError("the session has ended") }
            try link.complete(link.send(statement, values), within: timeout)
            if let failure = link.failure {
                // admin_shutdown, crash_shutdown, cannot_connect_now
                let isEnding = ["57P01", "57P02", "57P03"].contains(failure.state)
                throw SessionError(failure.message, isRefusal: isEnding)
            }
        }

        /// `{"a","b"}`
        static func array(_ texts: [String]) -> String {
            var array = "{"
            for text in texts {
                if array.utf8.count > 1 { array += "," }
                array += "\""
                for character in text {
                    if character == "\"" || character == "\\" { array += "\\" }
                    array.append(character)
                }
                array += "\""
            }
            return array + "}"
        }
    }
#endif
