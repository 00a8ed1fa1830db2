import DrillCore
import DrillWorkload
import Glibc
import Testing

@Suite(.serialized) struct EtcdTests {
    private static func ledger(
        _ parameters: [String: String], prefix: String, lane: Lane = .kept, rate: Double = 100,
        timeout: Duration = .seconds(5), servers: [LoadServer] = []
    ) -> LoadStream {
        LoadStream(
            name: StreamName(workload: "w", lane: lane, kind: .write), client: "etcd",
            parameters: parameters, lane: lane, kind: .write, rate: rate, arrival: .constant,
            timeout: timeout, slow: timeout,
            connections: Workload.defaultConnections(rate: rate, timeout: timeout),
            stable: .seconds(1), k: 1, leastSent: 20, operation: .ledger, prefix: prefix,
            servers: servers)
    }

    @Test func `a ledger's writes are all there, and name the leader's term`() async throws {
        let etcd = try await onThread { try LocalEtcd() }
        for lane in Lane.allCases {
            let stream = Self.ledger(
                ["endpoints": etcd.endpoints], prefix: "\(lane):", lane: lane)
            let trial = try await LoadTrial.run([stream], for: .seconds(2))
            try await onThread {
                #expect(trial.count(.ok) == 200 && trial.operations.count == 200)
                let session = try etcd.session(0)
                defer { session.close() }
                let identity = try session.identity()
                let endpoint = try etcd.client().session(.endpoint, timeout: .seconds(5))
                defer { endpoint.close() }
                #expect(try endpoint.identity() == identity)
                let entries = (0..<200).map { LedgerEntry(prefix: "\(lane):", number: $0) }
                for from in [session, endpoint] {
                    let found = try from.read(entries.map(\.key) + ["\(lane):200"])
                    #expect(found.count == 200)
                    #expect(
                        entries.allSatisfy { entry in found[entry.key].map(entry.isWhole) == true })
                }
                #expect(trial.operations.allSatisfy { $0.host?.rawValue == identity })
            }
        }
    }

    @Test func `a register is read, written and compared`() async throws {
        try await onThread {
            let etcd = try LocalEtcd()
            for lane in Lane.allCases {
                for read in ["linearizable", "serializable"] {
                    let link = DrivenConnection(try etcd.client(["read": read], lane))
                    let key = "r \"\(lane)\" \(read)"
                    let rows: [(RegisterAction, RegisterAnswer)] = [
                        (.read, .value(nil)),
                        (.compareAndSet("x", "y"), .compared(didSet: false)),
                        (.compareAndSet(nil, "1"), .compared(didSet: true)),
                        (.compareAndSet(nil, "2"), .compared(didSet: false)),
                        (.read, .value("1")), (.write("é>\""), .written),
                        (.compareAndSet("1", "3"), .compared(didSet: false)),
                        (.compareAndSet("é>\"", "3"), .compared(didSet: true)),
                        (.read, .value("3")),
                    ]
                    for (action, answer) in rows {
                        #expect(link.register(key, action) == answer, "\(action)")
                        let isVouchedFor = read == "linearizable" || action != .read
                        #expect((link.answeredBy != nil) == isVouchedFor)
                        #expect((link.connection.descriptor >= 0) == (lane == .kept))
                    }
                    #expect(link.operate() == .ok)
                    #expect(link.connection.registerAnswer == nil)
                    link.connection.close()
                }
            }
        }
    }

    private static func answer(_ status: String, _ body: String) -> String {
        "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private static let endless = answer("200 OK", String(repeating: "x", count: 2 << 20))

    @Test(arguments: [
        (answer("200 OK", #"{"header":{"cluster_id":"1","raft_term":"2"}}"#), ClientAnswer.ok),
        (answer("200 OK", "{}"), .broken), (answer("200 OK", "hello"), .broken),
        (answer("502 Bad Gateway", ""), .broken), (answer("404 Not Found", "no"), .broken),
        (answer("503 -", #"{"error":"etcdserver: request timed out","code":14}"#), .broken),
        (answer("503 -", #"{"error":"etcdserver: leader changed","code":14}"#), .broken),
        (answer("503 -", #"{"error":"etcdserver: server stopped","code":14}"#), .broken),
        // The put that crosses the quota is written, and answered so.
        (answer("429 -", #"{"error":"etcdserver: mvcc: database space exceeded"}"#), .broken),
        (answer("503 -", #"{"error":"transport is closing","code":14}"#), .broken),
        (answer("503 -", #"{"error":"etcdserver: no leader","code":14}"#), .refused),
        (answer("429 -", #"{"error":"etcdserver: too many requests","code":8}"#), .refused),
        (answer("500 -", #"{"error":"raft proposal dropped","code":2}"#), .refused),
        (answer("403 -", #"{"error":"etcdserver: permission denied","code":7}"#), .refused),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", .broken), ("", .broken),
        ("etcd? never heard of it\r\n\r\n", .broken),
        ("endless", .broken),
    ])
    func `only a listed refusal is a failure, whatever a member says`(
        response: String, answer: ClientAnswer
    ) async throws {
        try await onThread {
            let server = ScriptedServer { connection in
                guard connection.readRequest() else { return connection.end() }
                connection.writeAndDrain(response == "endless" ? Self.endless : response)
            }
            defer { server.stop() }
            for lane in Lane.allCases {
                let client = try EtcdClient(parameters: ["endpoints": server.address], lane: lane)
                let link = DrivenConnection(client)
                #expect(link.operate(LedgerEntry(prefix: "x:", number: 1)) == answer)
                #expect((link.answeredBy != nil) == (answer == .ok))
                #expect((link.operate() == .ok) == (answer == .ok))
                link.connection.close()
            }
        }
    }

    @Test func `a member that takes no connection is passed over, and no write is sent twice`()
        async throws
    {
        try await onThread {
            let etcd = try LocalEtcd()
            let nobody = ScriptedServer(serve: nil)
            nobody.stop()
            // A kernel whose queue is full says nothing.
            let full = ScriptedServer(backlog: 0, serve: nil)
            defer { full.stop() }
            var holders: [DrivenConnection] = []
            for _ in 0..<4 {
                let holder = DrivenConnection(
                    try EtcdClient(parameters: ["endpoints": full.address], lane: .kept))
                holder.begin()
                holders.append(holder)
            }
            defer { for holder in holders { holder.connection.close() } }
            for (first, waits) in [(nobody.address, false), (full.address, true)] {
                let client = try etcd.client([
                    "endpoints": "\(first), \(etcd.endpoints)", "host_timeout": "200ms",
                ])
                let link = DrivenConnection(client)
                let began = RunInstant.now
                #expect(link.operate(LedgerEntry(prefix: "p:", number: 1)) == .ok)
                #expect((RunInstant.now - began >= .milliseconds(200)) == waits)
                // From now on it is not tried any more, by no connection of this client.
                let other = DrivenConnection(client)
                let again = RunInstant.now
                #expect(other.operate() == .ok)
                #expect(!waits || RunInstant.now - again < .milliseconds(200))
                link.connection.close()
                other.connection.close()
            }
            let none = DrivenConnection(
                try EtcdClient(parameters: ["endpoints": nobody.address], lane: .kept))
            #expect(none.operate(LedgerEntry(prefix: "p:", number: 1)) == .refused)
            // It takes the request and dies: the other one is not asked, until the next operation.
            let dying = ScriptedServer { connection in
                _ = connection.readRequest()
                connection.reset()
            }
            defer { dying.stop() }
            let link = DrivenConnection(
                try etcd.client(["endpoints": "\(dying.address),\(etcd.endpoints)"]))
            #expect(link.operate(LedgerEntry(prefix: "p:", number: 2)) == .broken)
            #expect(try etcd.session(0).read(["p:2"]) == [:])
            #expect(link.operate(LedgerEntry(prefix: "p:", number: 3)) == .ok)
            link.connection.close()
        }
    }

    @Test func `a member that is silent is left after the time-out`() async throws {
        try await onThread {
            let etcd = try LocalEtcd()
            let silent = ScriptedServer { connection in
                while connection.readRequest() {}
                connection.end()
            }
            defer { silent.stop() }
            let link = DrivenConnection(
                try etcd.client(["endpoints": "\(silent.address),\(etcd.endpoints)"]))
            #expect(
                link.operate(LedgerEntry(prefix: "s:", number: 1), timeout: .milliseconds(200))
                    == nil)
            #expect(link.connection.descriptor < 0)
            #expect(link.operate(LedgerEntry(prefix: "s:", number: 2)) == .ok)
            link.connection.close()
        }
    }

    @Test func `each member is asked by itself, and one of them leads`() async throws {
        try await onThread {
            let etcd = try LocalEtcd(3)
            let leader = try etcd.leader()
            let sessions = try (0..<3).map { try etcd.session($0) }
            defer { for session in sessions { session.close() } }
            let answers = try sessions.map { try $0.query(["command": "leader"]) }
            #expect(answers.count { $0 == "true" } == 1 && answers[leader] == "true")
            let identities = try sessions.map { try $0.identity() }
            #expect(Set(identities).count == 3)
            #expect(identities.count { $0.contains("/term/") } == 1)
            #expect(
                identities[leader].hasSuffix("/term/\(try sessions[0].query(["command": "term"]))"))
            let endpoint = try etcd.client().session(.endpoint, timeout: .seconds(5))
            defer { endpoint.close() }
            #expect(try endpoint.identity() == identities[leader])
            let entry = LedgerEntry(prefix: "a", number: 1)
            try endpoint.write(entry)
            for session in sessions {
                let isThere = LocalRedis.wait {
                    (try? session.read([entry.key, "none"])) == [entry.key: entry.value]
                }
                #expect(isThere)
            }
            #expect(throws: SessionError.self) { try sessions[0].query(["command": "x"]) }

            // Without a majority a member still has its data, and answers no linearizable read.
            let other = (leader + 1) % 3
            let third = (leader + 2) % 3
            etcd.fail(leader)
            etcd.fail(third)
            let alone = try etcd.client().session(
                .server(etcd.servers[other]), timeout: .seconds(1))
            defer { alone.close() }
            #expect(try alone.read([entry.key]) == [entry.key: entry.value])
            #expect(throws: SessionError.self) { try alone.query(["command": "quorum"]) }
        }
    }

    @Test func `when the leader is killed the next one takes over, and nothing is lost`()
        async throws
    {
        let etcd = try await onThread { try LocalEtcd(3) }
        let leader = try await onThread { try etcd.leader() }
        // The leader first: every connection breaks.
        let order = (0..<3).map { "\(etcd.address(($0 + leader) % 3)):\(etcd.port)" }
        let parameters = ["endpoints": order.joined(separator: ",")]
        let streams = Lane.allCases.map {
            Self.ledger(
                parameters, prefix: "\($0):", lane: $0, timeout: .seconds(1),
                servers: etcd.servers)
        }
        let trial = try await LoadTrial.run(streams, for: .seconds(8)) { start in
            sleep(until: start + .seconds(2))
            etcd.fail(leader)
        }
        let started = trial.summary.started
        var identified: [String: HostName] = [:]
        for event in trial.events {
            if case .identified(let host, let identity, at: _) = event {
                #expect(identified[identity] == nil || identified[identity] == host)
                identified[identity] = host
            }
        }
        try await onThread { [identified] in
            defer { etcd.end() }
            let endpoint = try etcd.client().session(.endpoint, timeout: .seconds(5))
            defer { endpoint.close() }
            for (stream, operations) in zip(streams, trial.streams) {
                let before = operations.prefix { $0.intended < started + .milliseconds(1900) }
                let after = operations.filter { $0.intended > started + .seconds(6) }
                #expect(before.allSatisfy { $0.outcome == .ok } && before.count > 150)
                #expect(after.allSatisfy { $0.outcome == .ok } && after.count > 150)
                #expect(operations.contains { $0.outcome != .ok })
                let hosts = [before.last, after.last].map { identified[$0?.host?.rawValue ?? ""] }
                #expect(hosts[0] == HostName("h\(leader)"))
                #expect(hosts[1] != nil && hosts[1] != hosts[0])
                let acknowledged = operations.indices.filter { operations[$0].outcome == .ok }
                let refused = operations.indices.filter { operations[$0].outcome == .failed }
                let entries = { (numbers: [Int]) in
                    numbers.map { LedgerEntry(prefix: stream.prefix, number: $0) }
                }
                let found = try endpoint.read(entries(acknowledged).map(\.key))
                #expect(found.count == acknowledged.count)
                #expect(try endpoint.read(entries(refused).map(\.key)) == [:])
            }
        }
    }

    @Test func `a restarted leader has another identity`() async throws {
        try await onThread {
            let etcd = try LocalEtcd()
            let before = try etcd.session(0).identity()
            let link = DrivenConnection(try etcd.client())
            #expect(link.operate(LedgerEntry(prefix: "a:", number: 1)) == .ok)
            #expect(link.answeredBy == before)
            etcd.fail(0)
            try etcd.startAgain(0)
            #expect(link.operate(LedgerEntry(prefix: "a:", number: 2)) == .ok)
            let after = try etcd.session(0).identity()
            #expect(after != before && link.answeredBy == after)
            link.connection.close()
        }
    }

    @Test(arguments: [
        (["endpoints": "db:2379"], "'db' is not a numeric address: looking a name up could block"),
        (
            ["endpoints": "10.0.0.1:1", "read": "stale"],
            "'read' is linearizable or serializable, not 'stale'"
        ),
        (
            ["endpoints": "10.0.0.1:1", "host_timeout": "0s"],
            "'host_timeout' must be a duration above 0, such as 100ms, not '0s'"
        ),
        (["endpoints": "10.0.0.1", "port": "0"], "'0' is no port from 1 to 65535"),
    ])
    func `a parameter that cannot be is refused with its reason`(
        parameters: [String: String], text: String
    ) {
        #expect(throws: ClientParameterError(text)) {
            _ = try EtcdClient(parameters: parameters, lane: .fresh)
        }
    }
}
