#if Postgres
    import CLinux
    import CPostgres
    import DrillCore
    import Glibc

    /// One connection of libpq.
    final class PostgresLink: StatementLink {
        typealias Turn = LinkTurn

        private let target: PostgresTarget
        private var connection: OpaquePointer?
        private var isConnecting = false
        /// The place in the target's hosts of the one that is being connected to.
        private var host = 0
        private var rows: OpaquePointer?
        private(set) var descriptor: Int32 = -1
        private(set) var incarnation: UInt32 = 0
        private(set) var interest: ClientInterest = []
        private(set) var wake = Int64.max
        /// How the server refused the last statement.
        private(set) var failure: PostgresFailure?
        /// The server has warned during the last statement.
        private(set) var hasWarned = false
        /// The server has said that it ends the session; the end itself comes a little later.
        private var isEnding = false
        /// Why it is broken, in libpq's words.
        private var reason = ""

        init(_ target: PostgresTarget) { self.target = target }

        deinit { close() }

        /// Tries the hosts in turn.
        func connect() -> Turn { connect(from: 0) }

        /// Sends a statement; `answered` comes later.
        func send(_ statement: PostgresStatement, _ values: [String] = []) -> Turn {
            forgetAnswer()
            let texts = values.map { strdup($0) }
            defer { for text in texts { free(text) } }
            let pointers = texts.map { UnsafePointer($0) }
            // Types are the server's to infer; values and results are text.
            let sent = PQsendQueryParams(
                connection, statement.bytes, Int32(values.count), nil, pointers, nil, nil, 0)
            guard sent == 1 else { return broken() }
            flush()
            return .waiting
        }

        func ready() -> Turn { isConnecting ? poll() : collect() }

        /// The host has had its time: the next one.
        func woken() -> Turn {
            guard isConnecting, host + 1 < target.hosts.count else { return .waiting }
            return connect(from: host + 1)
        }

        /// Whether it may carry another statement. A server may speak unasked: a changed setting, a notice, its end.
        func isUsable() -> Bool {
            if clinux_tcp_is_quiet(descriptor) == 1 { return true }
            return PQconsumeInput(connection) == 1 && PQisBusy(connection) == 0
                && PQstatus(connection) == CONNECTION_OK && !isEnding
        }

        var isOutsideTransaction: Bool { PQtransactionStatus(connection) == PQTRANS_IDLE }

        /// libpq tells a connection's end in words only; the server's own are "the database system is starting up" and its
        /// like, and the words of 57P01. FATAL alone may be too many clients, or a user that is not there.
        var end: SessionError {
            let errors = [ECONNREFUSED, ECONNRESET].map { String(cString: strerror($0)) }
            let words = [
                "the database system is", "terminating connection", "server closed the connection",
            ]
            let isRefusal = (errors + words).contains { reason.contains($0) }
            return SessionError(reason, isRefusal: isRefusal)
        }

        /// Whether this host, and no answer of the network, kept the connection from being made. libpq tells no errno.
        var isShortage: Bool {
            !reason.contains("FATAL")
                && [EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS, ENOMEM].contains {
                    reason.contains(String(cString: strerror($0)))
                }
        }

        /// At once: what a polite goodbye holds is sent as far as the kernel takes it, then the connection is reset.
        func close() {
            forgetAnswer()
            guard connection != nil else { return }
            if PQsocket(connection) >= 0 {
                var none = linger(l_onoff: 1, l_linger: 0)
                let size = socklen_t(MemoryLayout<linger>.size)
                setsockopt(PQsocket(connection), SOL_SOCKET, SO_LINGER, &none, size)
            }
            PQfinish(connection)
            connection = nil
            isConnecting = false
            isEnding = false
            descriptor = -1
            interest = []
            wake = .max
        }

        // MARK: - Rows

        var rowCount: Int { Int(PQntuples(rows)) }

        func text(row: Int, column: Int) -> String { String(cString: bytes(row, column)) }

        /// A field of the first row; nil where that is NULL, or not there.
        func field(_ column: Int) -> String? {
            guard rowCount > 0, column < Int(PQnfields(rows)),
                PQgetisnull(rows, 0, Int32(column)) == 0
            else { return nil }
            return text(row: 0, column: column)
        }

        /// The first field of the first row; empty where there is none.
        func withFirstField<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
            guard rowCount > 0, PQnfields(rows) > 0 else {
                return body(UnsafeRawBufferPointer(start: nil, count: 0))
            }
            let count = Int(PQgetlength(rows, 0, 0))
            return body(UnsafeRawBufferPointer(start: bytes(0, 0), count: count))
        }

        private func bytes(_ row: Int, _ column: Int) -> UnsafeMutablePointer<CChar> {
            PQgetvalue(rows, Int32(row), Int32(column))
        }

        // MARK: - Connecting

        private func connect(from first: Int) -> Turn {
            close()
            host = first
            connection = target.start(from: first)
            guard connection != nil, PQstatus(connection) != CONNECTION_BAD else { return broken() }
            let own = Unmanaged.passUnretained(self).toOpaque()
            PQsetNoticeReceiver(connection, { PostgresLink.notice($0, $1) }, own)
            isConnecting = true
            // libpq asks for this before the first poll.
            renew(.write)
            setAlarm()
            return .waiting
        }

        private func poll() -> Turn {
            switch PQconnectPoll(connection) {
            case PGRES_POLLING_READING: renew(.read)
            case PGRES_POLLING_WRITING: renew(.write)
            case PGRES_POLLING_OK:
                isConnecting = false
                wake = .max
                guard PQsetnonblocking(connection, 1) == 0 else { return broken() }
                renew(.read)
                return .connected
            default: return broken()
            }
            let before = host
            findHost()
            if host != before { setAlarm() }
            return .waiting
        }

        /// Each poll may have closed the socket and opened another, under the same number too.
        private func renew(_ interest: ClientInterest) {
            descriptor = PQsocket(connection)
            incarnation &+= 1
            self.interest = interest
        }

        /// libpq goes on by itself to the next host when one refuses or is not what was asked for.
        private func findHost() {
            guard target.hosts.count > 1, let address = PQhostaddr(connection),
                let port = PQport(connection)
            else { return }
            let found = target.hosts.indices.first {
                $0 >= host && strcmp(target.hosts[$0].address, address) == 0
                    && strcmp(target.hosts[$0].port, port) == 0
            }
            // A second pass (prefer-standby) begins again at the first.
            host = found ?? host
        }

        private func setAlarm() {
            let isLast = host + 1 >= target.hosts.count
            wake = isLast ? .max : clinux_monotonic_ns() + target.hostTimeout.nanoseconds
        }

        // MARK: - Statements

        /// What the kernel does not take now goes when it can.
        private func flush() {
            // An error shows when the answer is read.
            interest = PQflush(connection) == 1 ? [.read, .write] : .read
        }

        private func collect() -> Turn {
            guard PQconsumeInput(connection) == 1 else { return broken() }
            if interest.contains(.write) { flush() }
            while PQisBusy(connection) == 0 {
                guard let result = PQgetResult(connection) else {
                    return PQstatus(connection) == CONNECTION_OK ? .answered : broken()
                }
                switch PQresultStatus(result) {
                case PGRES_TUPLES_OK:
                    PQclear(rows)
                    rows = result
                case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: PQclear(result)
                case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                    // It would come again and again.
                    PQclear(result)
                    return broken("a COPY is no operation")
                default:
                    failure = failure ?? PostgresFailure(result)
                    PQclear(result)
                }
            }
            return .waiting
        }

        private func broken(_ why: String? = nil) -> Turn {
            let message = connection.map { String(cString: PQerrorMessage($0)).trimmingLineEnd }
            reason = why ?? message ?? String(cString: strerror(ENOMEM))
            let kept = failure
            close()
            failure = kept
            return .broken
        }

        private func forgetAnswer() {
            PQclear(rows)
            rows = nil
            failure = nil
            hasWarned = false
        }

        private static func notice(_ own: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
            guard let own else { return }
            let link = Unmanaged<PostgresLink>.fromOpaque(own).takeUnretainedValue()
            switch PostgresFailure(result).severity {
            case "WARNING": link.hasWarned = true
            case "FATAL", "PANIC": link.isEnding = true
            default: break
            }
        }
    }
#endif
