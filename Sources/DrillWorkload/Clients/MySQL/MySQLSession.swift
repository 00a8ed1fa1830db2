#if MariaDB
    import CLinux
    import DrillCore
    import Glibc

    /// A blocking conversation; each question takes as long as the time-out at most.
    final class MySQLSession: ClientSession {
        private let link: MySQLLink
        private let timeout: Duration

        init(_ target: MySQLTarget, _ timeout: Duration) throws(SessionError) {
            link = MySQLLink(target)
            self.timeout = timeout
            try complete(link.connect())
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
            try complete(link.send(statement))
            if let failure = link.failure {
                throw SessionError(
                    "\(failure.code): \(failure.message)", isRefusal: failure.isRefusal)
            }
        }

        private func complete(_ first: MySQLLink.Turn) throws(SessionError) {
            let deadline = clinux_monotonic_ns() + timeout.nanoseconds
            var turn = first
            while true {
                switch turn {
                case .connected, .answered: return
                case .broken:
                    let failure = link.failure
                    throw SessionError(
                        failure.map { "\($0.code): \($0.message)" } ?? "it ended",
                        isRefusal: failure?.isRefusal ?? false)
                case .waiting: break
                }
                let now = clinux_monotonic_ns()
                guard now < deadline else {
                    link.close()
                    throw SessionError("no answer within \(timeout.spelled)")
                }
                if link.wake <= now {
                    turn = link.woken()
                    continue
                }
                var wait = pollfd(fd: link.descriptor, events: 0, revents: 0)
                if link.interest.contains(.read) { wait.events |= Int16(POLLIN) }
                if link.interest.contains(.write) { wait.events |= Int16(POLLOUT) }
                let left = min(deadline, link.wake) - now
                let count = Glibc.poll(&wait, 1, Int32(min(left / 1_000_000 + 1, 60_000)))
                if count > 0 { turn = link.ready() }
            }
        }
    }
#endif
