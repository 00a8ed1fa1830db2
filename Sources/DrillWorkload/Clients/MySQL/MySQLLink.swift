#if MariaDB
    import CLinux
    import CMariaDB
    import DrillCore
    import Glibc

    /// How a server, or libmariadb, refused.
    struct MySQLFailure: Hashable, Sendable {
        /// The server's below 2000 and from 3000, libmariadb's own between.
        var code: UInt32
        var message: String

        var isOwn: Bool { (2000..<3000).contains(code) }
        /// Whether it says that nothing of the statement will ever be seen.
        var isDefinite: Bool { MySQLClient.definiteErrors.contains(code) }
        var isReadOnly: Bool { MySQLClient.readOnlyErrors.contains(code) }
        static let duplicateKey: UInt32 = 1062

        /// Of a connection: whether this host lacked something. libmariadb tells the errno in words only: `(99)`.
        var isShortage: Bool {
            isOwn
                && [EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS, ENOMEM].contains {
                    message.contains("(\($0)")
                }
        }

        /// As `SessionError.isRefusal`.
        var isRefusal: Bool {
            // 1053: the server is shutting down; 2006: gone; 2013: lost.
            [1053, 2006, 2013].contains(code)
                || isOwn && [ECONNREFUSED, ECONNRESET].contains { message.contains("(\($0)") }
        }
    }

    /// One connection of libmariadb, which runs each call on a stack of its own, leaves it when it would wait and returns to
    /// it with `_cont`.
    final class MySQLLink: StatementLink {
        typealias Turn = LinkTurn

        private enum Call { case none, connecting, asking, storing }

        private let target: MySQLTarget
        private let texts: MySQLTexts
        private var handle: UnsafeMutablePointer<MYSQL>?
        private var rows: UnsafeMutablePointer<MYSQL_RES>?
        private var call = Call.none
        /// The events that the call waits for, as libmariadb counts them.
        private var awaited: Int32 = 0
        private var connected: UnsafeMutablePointer<MYSQL>?
        private var error: Int32 = 0
        /// Of the statement that is being sent: libmariadb keeps a pointer to it.
        private var statement: UnsafeMutablePointer<CChar>?
        private(set) var descriptor: Int32 = -1
        private(set) var incarnation: UInt32 = 0
        private(set) var interest: ClientInterest = []
        private(set) var wake = Int64.max
        private(set) var failure: MySQLFailure?
        /// Rows that the last statement matched or inserted.
        private(set) var matchedRows: UInt64 = 0
        /// The connection could not be made for a reason of this host, which is no answer of the network.
        private(set) var isShortage = false

        /// Before any thread uses it; once for the process.
        private static let isLibraryReady: Bool = {
            // MySQL names the same function mysql_library_init, by a macro.
            let isReady = mysql_server_init(0, nil, nil) == 0
            return isReady
        }()

        init(_ target: MySQLTarget) {
            precondition(Self.isLibraryReady, "libmariadb cannot be initialised")
            self.target = target
            texts = target.texts
        }

        deinit { close() }

        func connect() -> Turn {
            close()
            isShortage = false
            guard target.hasHost, let made = mysql_init(nil) else {
                isShortage = true
                return broken(MySQLFailure(code: 2008, message: "no address, or no memory"))
            }
            handle = made
            mysql_options(made, MYSQL_OPT_NONBLOCK, nil)
            mysql_options(made, MYSQL_SET_CHARSET_NAME, "utf8mb4")
            // A server may ask for any file of this machine otherwise.
            var off: UInt32 = 0
            mysql_options(made, MYSQL_OPT_LOCAL_INFILE, &off)
            // From 3.4 on the library speaks TLS unless told otherwise, and waits within its handshake.
            var no: my_bool = 0
            mysql_options(made, MYSQL_OPT_SSL_ENFORCE, &no)
            mysql_options(made, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no)
            var tcp = MYSQL_PROTOCOL_TCP.rawValue
            mysql_options(made, MYSQL_OPT_PROTOCOL, &tcp)
            call = .connecting
            connected = nil
            return proceed(target.start(made, texts, &connected))
        }

        /// Sends a statement; `answered` comes later.
        func send(_ sql: String) -> Turn {
            forgetAnswer()
            guard let handle else { return .broken }
            statement = strdup(sql)
            call = .asking
            return proceed(
                mysql_real_query_start(&error, handle, statement, UInt(sql.utf8.count)))
        }

        func ready() -> Turn { resume(awaited & ~Int32(MYSQL_WAIT_TIMEOUT)) }

        /// The call has had its time.
        func woken() -> Turn { resume(Int32(MYSQL_WAIT_TIMEOUT)) }

        /// At once: what a polite goodbye holds is sent as far as the kernel takes it, then the connection is reset.
        func close() {
            forgetAnswer()
            guard let handle else { return }
            let socket = mysql_get_socket(handle)
            if socket >= 0 {
                // Behind a request that is still unsent a goodbye would wait for room, for ever.
                if call != .none { shutdown(socket, Int32(SHUT_RDWR)) }
                var none = linger(l_onoff: 1, l_linger: 0)
                let size = socklen_t(MemoryLayout<linger>.size)
                setsockopt(socket, SOL_SOCKET, SO_LINGER, &none, size)
            }
            mysql_close(handle)
            self.handle = nil
            call = .none
            descriptor = -1
            interest = []
            wake = .max
        }

        var end: SessionError {
            guard let failure else { return SessionError("it ended") }
            return SessionError(
                "\(failure.code): \(failure.message)", isRefusal: failure.isRefusal)
        }

        // MARK: - Rows

        /// Each row's fields; nil is NULL.
        func allRows() -> [[String?]] {
            guard let rows else { return [] }
            let count = Int(mysql_num_fields(rows))
            var all: [[String?]] = []
            mysql_data_seek(rows, 0)
            while let row = mysql_fetch_row(rows), let lengths = mysql_fetch_lengths(rows) {
                all.append(
                    (0..<count).map { column in
                        row[column].map { text in
                            let bytes = UnsafeRawBufferPointer(
                                start: text, count: Int(lengths[column]))
                            return String(decoding: bytes, as: UTF8.self)
                        }
                    })
            }
            return all
        }

        /// The first field of the first row; empty where there is none.
        func withFirstField<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
            if let rows, mysql_num_fields(rows) > 0 {
                mysql_data_seek(rows, 0)
                if let row = mysql_fetch_row(rows), let text = row[0],
                    let lengths = mysql_fetch_lengths(rows)
                {
                    return body(UnsafeRawBufferPointer(start: text, count: Int(lengths[0])))
                }
            }
            return body(UnsafeRawBufferPointer(start: nil, count: 0))
        }

        // MARK: - Calls

        private func resume(_ events: Int32) -> Turn {
            guard let handle else { return .waiting }
            switch call {
            case .none: return .waiting
            case .connecting: return proceed(mysql_real_connect_cont(&connected, handle, events))
            case .asking: return proceed(mysql_real_query_cont(&error, handle, events))
            case .storing: return proceed(mysql_store_result_cont(&rows, handle, events))
            }
        }

        private func proceed(_ status: Int32) -> Turn {
            guard let handle else { return .broken }
            if status != 0 {
                expect(status, handle)
                return .waiting
            }
            wake = .max
            switch call {
            case .none: return .waiting
            case .connecting:
                guard connected != nil else {
                    let found = Self.failure(handle)
                    isShortage = found.isShortage
                    return broken(found)
                }
                guard Self.commits(handle) else { return broken(Self.uncommitted) }
                call = .none
                // Unasked bytes mean its end.
                expect(Int32(MYSQL_WAIT_READ), handle)
                return .connected
            case .asking:
                guard error == 0 else { return refused() }
                guard mysql_field_count(handle) > 0 else { return finished(handle) }
                call = .storing
                return proceed(mysql_store_result_start(&rows, handle))
            case .storing:
                guard rows != nil else { return refused() }
                return finished(handle)
            }
        }

        private func finished(_ handle: UnsafeMutablePointer<MYSQL>) -> Turn {
            call = .none
            matchedRows = rows == nil ? mysql_affected_rows(handle) : 0
            if mysql_more_results(handle) != 0 {
                return broken(
                    MySQLFailure(code: 2014, message: "a statement with several results"))
            }
            // What the server has its users begin with (init_connect) comes after the login's answer.
            guard Self.commits(handle) else { return broken(Self.uncommitted) }
            expect(Int32(MYSQL_WAIT_READ), handle)
            return .answered
        }

        /// Whether an answer says that its statement is committed.
        private static func commits(_ handle: UnsafeMutablePointer<MYSQL>) -> Bool {
            let status = Int32(bitPattern: handle.pointee.server_status)
            return status & SERVER_STATUS_AUTOCOMMIT != 0 && status & SERVER_STATUS_IN_TRANS == 0
        }

        private static let uncommitted = MySQLFailure(
            code: 2000,
            message:
                "autocommit is off for this user: a write's answer would not mean that it is kept")

        /// The server's error leaves the connection as it is; libmariadb's own has ended it.
        private func refused() -> Turn {
            guard let handle else { return .broken }
            call = .none
            let found = Self.failure(handle)
            if found.isOwn { return broken(found) }
            failure = found
            expect(Int32(MYSQL_WAIT_READ), handle)
            return .answered
        }

        /// Each call may have closed the socket and opened another, under the same number too.
        private func expect(_ status: Int32, _ handle: UnsafeMutablePointer<MYSQL>) {
            awaited = status
            let socket = mysql_get_socket(handle)
            if socket != descriptor || call == .connecting {
                incarnation &+= 1
                // The library leaves that to its programs.
                _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
            }
            descriptor = socket
            interest = []
            if status & Int32(MYSQL_WAIT_READ) != 0 { interest.insert(.read) }
            if status & Int32(MYSQL_WAIT_WRITE) != 0 { interest.insert(.write) }
            wake = .max
            if status & Int32(MYSQL_WAIT_TIMEOUT) != 0 {
                let left = Int64(mysql_get_timeout_value_ms(handle))
                wake = clinux_monotonic_ns() + left * 1_000_000
            }
        }

        private func broken(_ why: MySQLFailure? = nil) -> Turn {
            let found = why ?? handle.map(Self.failure)
            close()
            failure = found
            return .broken
        }

        private static func failure(_ handle: UnsafeMutablePointer<MYSQL>) -> MySQLFailure {
            MySQLFailure(
                code: mysql_errno(handle), message: String(cString: mysql_error(handle)))
        }

        private func forgetAnswer() {
            if rows != nil { mysql_free_result(rows) }
            rows = nil
            free(statement)
            statement = nil
            failure = nil
            matchedRows = 0
        }
    }
#endif
