#if MariaDB
    import CLinux
    import DrillCore
    import DrillWorkload
    import Glibc
    import Testing

    @Suite(.serialized) struct MySQLTests {
        private static func ledger(
            _ server: LocalMariaDB, prefix: String, lane: Lane = .kept, rate: Double = 100,
            timeout: Duration = .seconds(5), servers: [LoadServer] = []
        ) -> LoadStream {
            LoadStream(
                name: StreamName(workload: "w", lane: lane, kind: .write), client: "mysql",
                parameters: server.parameters, lane: lane, kind: .write, rate: rate,
                arrival: .constant, timeout: timeout, slow: timeout,
                connections: Workload.defaultConnections(rate: rate, timeout: timeout),
                stable: .seconds(1), k: 1, leastSent: 20, operation: .ledger, prefix: prefix,
                servers: servers)
        }

        @Test func `a ledger's writes are all there, and name the start of the server`()
            async throws
        {
            let server = try await onThread { try LocalMariaDB() }
            for lane in Lane.allCases {
                let stream = Self.ledger(server, prefix: "\(lane):", lane: lane)
                let trial = try await LoadTrial.run([stream], for: .seconds(2))
                try await onThread {
                    #expect(trial.count(.ok) == 200 && trial.operations.count == 200)
                    let session = try server.session()
                    defer { session.close() }
                    let identity = try session.identity()
                    let entries = (0..<200).map { LedgerEntry(prefix: "\(lane):", number: $0) }
                    let found = try session.read(entries.map(\.key) + ["\(lane):200"])
                    #expect(found.count == 200)
                    #expect(
                        entries.allSatisfy { entry in found[entry.key].map(entry.isWhole) == true })
                    #expect(trial.operations.allSatisfy { $0.host?.rawValue == identity })
                }
            }
            try await onThread {
                defer { server.end() }
                let session = try server.session()
                #expect(
                    try session.query(["sql": "SELECT COUNT(*) FROM firedrill_ledger"]) == "400")
                #expect(throws: SessionError("no row")) {
                    try session.query(["sql": "SELECT 1 FROM firedrill_ledger WHERE k = 'x'"])
                }
                session.close()
                #expect(throws: SessionError("the session has ended")) { try session.identity() }
            }
        }

        @Test func `keys come back whatever they hold, and none is taken for another`()
            async throws
        {
            try await onThread {
                let server = try LocalMariaDB()
                let session = try server.session()
                defer { session.close() }
                try session.prepare()
                try session.prepare()
                let entries = ["a'b:", "a\"b,{}:", "a\\b:", "é ü:", "", "x", "X", "x "].map {
                    LedgerEntry(prefix: $0, number: 7)
                }
                for entry in entries { try session.write(entry) }
                #expect(
                    try session.read(entries.map(\.key))
                        == Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.value) }))
                #expect(try session.read([]) == [:])
                #expect(try session.read(["x 7 "]) == [:])
                #expect(throws: SessionError.self) { try session.write(entries[0]) }
                #expect(try session.read([entries[0].key]).count == 1)
            }
        }

        @Test func `a register is read, written and compared`() async throws {
            try await onThread {
                let server = try LocalMariaDB()
                let session = try server.session()
                try session.prepare()
                let identity = try session.identity()
                session.close()
                for lane in Lane.allCases {
                    let link = DrivenConnection(try server.client([:], lane))
                    let key = "r '\(lane)'"
                    let rows: [(RegisterAction, RegisterAnswer)] = [
                        (.read, .value(nil)),
                        (.compareAndSet("x", "y"), .compared(didSet: false)),
                        (.compareAndSet(nil, "1"), .compared(didSet: true)),
                        (.compareAndSet(nil, "2"), .compared(didSet: false)),
                        (.read, .value("1")),
                        // Nothing changes, and yet it is set.
                        (.compareAndSet("1", "1"), .compared(didSet: true)),
                        (.write("é>'"), .written), (.write("é>'"), .written),
                        (.compareAndSet("É>'", "3"), .compared(didSet: false)),
                        (.compareAndSet("é>' ", "3"), .compared(didSet: false)),
                        (.compareAndSet("é>'", "3"), .compared(didSet: true)),
                        (.read, .value("3")),
                    ]
                    for (action, answer) in rows {
                        #expect(link.register(key, action) == answer, "\(action)")
                        #expect(link.answeredBy == identity)
                        #expect((link.connection.descriptor >= 0) == (lane == .kept))
                    }
                    #expect(link.operate() == .ok)
                    #expect(link.connection.registerAnswer == nil)
                    link.connection.close()
                }
            }
        }

        @Test func `what says that nothing was done is refused, and the rest is broken`()
            async throws
        {
            try await onThread {
                let server = try LocalMariaDB(["--max-connections=20"])
                let entry = LedgerEntry(prefix: "x:", number: 1)
                let cases: [[String: String]] = [
                    // 1146: no table yet; 1049; 1045; 1044; nobody listens
                    [:], ["database": "none"], ["password": "wrong"],
                    ["user": "guest", "password": ""], ["address": "127.0.0.1:1"],
                ]
                for further in cases {
                    let link = DrivenConnection(try server.client(further))
                    #expect(link.operate(entry) == .refused, "\(further)")
                    link.connection.close()
                }
                let session = try server.session()
                defer { session.close() }
                try session.prepare()

                let link = DrivenConnection(try server.client())
                #expect(link.operate(entry) == .ok)
                // Somebody wrote our key: it was sent twice.
                #expect(link.operate(entry) == .broken)
                #expect(link.operate(LedgerEntry(prefix: "x:", number: 2)) == .ok)

                try server.order("SET GLOBAL read_only = 1")
                #expect(link.operate(LedgerEntry(prefix: "x:", number: 3)) == .refused)
                #expect(link.connection.descriptor < 0, "another host may be the primary now")
                #expect(link.register("r", .compareAndSet(nil, "1")) == nil)
                #expect(link.register("r", .read) == .value(nil))
                try server.order("SET GLOBAL read_only = 0")
                #expect(try session.read(["x:3"]) == [:])

                let query = DrivenConnection(try server.client(["sql": "SELECT * FROM none"]))
                #expect(query.operate() == .refused)
                #expect(query.operate() == .refused)
                query.connection.close()

                // 1040, and with a user of its own 1203.
                var crowd: [any ClientSession] = []
                while crowd.count < 40, let more = try? server.session() { crowd.append(more) }
                #expect(crowd.count < 30)
                let late = DrivenConnection(try server.client())
                #expect(late.operate(LedgerEntry(prefix: "x:", number: 4)) == .refused)
                for each in crowd { each.close() }
                link.connection.close()
            }
        }

        @Test func `a session that is ended during a write leaves it open`() async throws {
            try await onThread {
                let server = try LocalMariaDB()
                let session = try server.session()
                defer { session.close() }
                try session.prepare()
                let locker = try server.session()
                defer { locker.close() }
                #expect(throws: SessionError("no row")) {
                    try locker.query(["sql": "LOCK TABLES firedrill_ledger WRITE"])
                }
                let link = DrivenConnection(try server.client())
                link.begin(LedgerEntry(prefix: "x:", number: 1))
                let waiting = """
                    SELECT id FROM information_schema.processlist \
                    WHERE state LIKE 'Waiting%' AND info LIKE 'INSERT%'
                    """
                var id: String?
                for _ in 0..<200 where id == nil {
                    // Its turns go on meanwhile: it connects.
                    link.proceed(20)
                    id = try? session.query(["sql": waiting])
                }
                try server.order("KILL \(id ?? "0")")
                #expect(link.answer() == .broken)
                #expect(link.connection.descriptor < 0)
            }
        }

        @Test func `a write in a transaction that nobody commits is no acknowledgement`()
            async throws
        {
            try await onThread {
                let server = try LocalMariaDB(["--init-connect=SET autocommit=0"])
                let session = try server.client(["user": "boss", "password": ""])
                    .session(.endpoint, timeout: .seconds(20))
                defer { session.close() }
                try session.prepare()
                let free = DrivenConnection(try server.client())
                #expect(free.operate(LedgerEntry(prefix: "x:", number: 1)) == .ok)
                free.connection.close()
                // Who may do this is spared what others begin with.
                try server.order("REVOKE CONNECTION ADMIN ON *.* FROM firedrill@'%'")
                for lane in Lane.allCases {
                    let link = DrivenConnection(try server.client([:], lane))
                    #expect(link.operate(LedgerEntry(prefix: "x:", number: 2)) == .refused)
                    #expect(link.connection.descriptor < 0)
                }
                let own = try server.session()
                let reason =
                    "2000: autocommit is off for this user: a write's answer would not mean that it is kept"
                #expect(throws: SessionError(reason)) { try own.prepare() }
                #expect(try session.read(["x:1", "x:2"]).count == 1)
            }
        }

        @Test func `a connection that opens a transaction is given up`() async throws {
            try await onThread {
                let server = try LocalMariaDB()
                for sql in ["SET autocommit = 0", "BEGIN"] {
                    let link = DrivenConnection(try server.client(["sql": sql]))
                    #expect(link.operate() == .broken)
                    #expect(link.connection.descriptor < 0)
                }
            }
        }

        @Test func `giving up does not wait for room behind what is still unsent`() async throws {
            try await onThread {
                let server = try LocalMariaDB()
                let link = DrivenConnection(try server.client())
                #expect(link.operate() == .ok)
                let socket = link.connection.descriptor
                #expect(fcntl(socket, F_GETFD) & FD_CLOEXEC != 0)
                server.signal(SIGSTOP)
                let end = JoinableThread {
                    usleep(4_000_000)
                    server.signal(SIGCONT)
                }
                link.begin(LedgerEntry(prefix: String(repeating: "x", count: 6 << 20), number: 1))
                // To the last byte: whoever waits until it can be written to leaves a third of its room.
                let junk = [UInt8](repeating: 0, count: 1 << 16)
                for _ in 0..<20 {
                    while send(socket, junk, junk.count, Int32(MSG_DONTWAIT)) > 0 {}
                    usleep(20_000)
                }
                let began = RunInstant.now
                link.connection.close()
                #expect(RunInstant.now - began < .seconds(2))
                end?.join()
            }
        }

        @Test func `giving up never waits`() async throws {
            try await onThread {
                let server = try LocalMariaDB()
                let slow = DrivenConnection(try server.client(["sql": "SELECT SLEEP(30)"]))
                for timeout in [300, 1, 0] {
                    let began = RunInstant.now
                    #expect(slow.operate(timeout: .milliseconds(timeout)) == nil)
                    #expect(RunInstant.now - began < .seconds(2))
                    #expect(slow.connection.descriptor < 0)
                }
                let session = try server.session(.milliseconds(300))
                #expect(throws: SessionError("no answer within 300ms")) {
                    try session.query(["sql": "SELECT SLEEP(30)"])
                }
                // A server that is stopped takes the connection and says nothing.
                server.signal(SIGSTOP)
                for _ in 0..<5 {
                    let began = RunInstant.now
                    #expect(slow.operate(timeout: .milliseconds(100)) == nil)
                    #expect(RunInstant.now - began < .seconds(2))
                }
                server.signal(SIGCONT)
            }
        }

        @Test(arguments: [
            "N", "SSSS", "\u{4}\u{0}\u{0}\u{0}\u{4}", "HTTP/1.1 400 Bad Request\r\n\r\n",
        ])
        func `garbage in place of a server is refused, and nothing was sent`(
            bytes: String
        ) async throws {
            try await onThread {
                let server = ScriptedServer { connection in
                    connection.write(String(repeating: bytes, count: 50))
                    usleep(200_000)
                    connection.end()
                }
                defer { server.stop() }
                let link = DrivenConnection(
                    try MySQLClient(parameters: ["address": server.address], lane: .kept))
                #expect(link.operate(LedgerEntry(prefix: "x:", number: 1)) == .refused)
                #expect(link.connection.descriptor < 0)
            }
        }

        @Test func `an idle connection notices its end`() async throws {
            try await onThread {
                let server = try LocalMariaDB()
                let link = DrivenConnection(try server.client(["sql": "SELECT CONNECTION_ID()"]))
                #expect(link.operate() == .ok)
                let incarnation = link.connection.incarnation
                #expect(link.operate() == .ok)
                #expect(link.connection.incarnation == incarnation, "one connection for both")
                try server.order("KILL USER firedrill")
                #expect(link.wait(20_000))
                link.connection.disturbed()
                #expect(link.connection.descriptor < 0)
                #expect(link.operate() == .ok)
                #expect(link.connection.incarnation != incarnation)
                try server.order("KILL USER firedrill")
                #expect(link.wait(20_000))
                // Nobody told it before the next operation.
                #expect(link.operate() == .ok)
                link.connection.close()
            }
        }

        @Test
        func `what a killed server held is indeterminate, and a new start is another identity`()
            async throws
        {
            let server = try await onThread { try LocalMariaDB() }
            let servers = [LoadServer(host: "a", address: "127.0.0.1")]
            let streams = Lane.allCases.map {
                Self.ledger(
                    server, prefix: "\($0):", lane: $0, rate: 100, timeout: .milliseconds(500),
                    servers: servers)
            }
            let trial = try await LoadTrial.run(streams, for: .seconds(8)) { start in
                sleep(until: start + .seconds(1))
                server.signal(SIGSTOP)
                sleep(until: start + .milliseconds(1200))
                server.fail()
                sleep(until: start + .milliseconds(2500))
                do {
                    try server.start()
                } catch {
                    Issue.record("\(error)")
                }
            }
            var identified: [String: HostName] = [:]
            for event in trial.events {
                if case .identified(let host, let identity, at: _) = event {
                    identified[identity] = host
                }
            }
            #expect(identified.count == 2)
            let started = trial.summary.started
            var refused: [String] = []
            for (stream, operations) in zip(streams, trial.streams) {
                #expect(operations.count == 800)
                // The first one after the stop takes the one connection that is open.
                let held = Self.between(980, 1180, operations, started)
                // What was sent and not answered: in the kept lane what found an open connection. A new one is never
                // greeted, and so sends nothing.
                let isInDoubt = held.contains { $0.outcome == .indeterminate }
                #expect(isInDoubt || stream.lane == .fresh)
                let down = Self.between(1500, 2400, operations, started)
                #expect(down.count > 80 && down.allSatisfy { $0.outcome == .failed })
                let after = Self.between(7000, 8000, operations, started)
                // A disk that others keep busy may hold a few commits for longer than the time-out.
                let outcomes = after.map(\.outcome)
                #expect(outcomes.count { $0 == .ok } > 50, "\(outcomes)")
                let hosts = Set(operations.compactMap { $0.host?.rawValue })
                #expect(hosts.count == 2 && hosts.allSatisfy { identified[$0] == "a" })
                for number in operations.indices where operations[number].outcome == .failed {
                    refused.append(LedgerEntry(prefix: stream.prefix, number: number).key)
                }
            }
            let keys = refused
            let found = try await onThread {
                defer { server.end() }
                let session = try server.session()
                defer { session.close() }
                return try session.read(keys)
            }
            #expect(found == [:])
        }

        /// Milliseconds from the start.
        private static func between(
            _ low: Int64, _ high: Int64, _ operations: [ClientOperation], _ started: RunInstant
        ) -> [ClientOperation] {
            operations.filter {
                $0.intended > started + .milliseconds(low)
                    && $0.intended < started + .milliseconds(high)
            }
        }

        @Test(arguments: [
            (
                ["address": "db:3306"],
                "'db' is not a numeric address: looking a name up could block"
            ),
            (["address": "10.0.0.1", "port": "x"], "'x' is no port from 1 to 65535"),
            (["address": "10.0.0.1", "user": "a\u{0}b"], "'user' holds a zero byte"),
        ])
        func `a parameter that cannot be is refused with its reason`(
            parameters: [String: String], text: String
        ) {
            #expect(throws: ClientParameterError(text)) {
                _ = try MySQLClient(parameters: parameters, lane: .fresh)
            }
        }
    }
#endif
