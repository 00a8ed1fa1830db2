import DrillCore
import DrillWorkload
import Glibc
import Synchronization
import Testing

/// Reading back from real Redis servers, with losses made behind their backs.
@Suite(.serialized) struct VerifierTests {
    /// What one reading back told.
    private struct Told: Sendable {
        var batches: [VerifyBatch] = []
        var facts: [VerifyFacts] = []
        var isFinished = false
        var took = Duration.zero

        init(_ events: [LoadEvent], took: Duration) {
            self.took = took
            for event in events {
                switch event {
                case .verified(let more, let fact):
                    batches += more
                    if let fact { facts.append(fact) }
                case .finished: isFinished = true
                case .started, .progress, .failed, .identified, .visible, .answered: break
                }
            }
        }

        func facts(_ host: HostName) -> VerifyFacts? { facts.first { $0.host == host } }

        /// The numbers of a ledger that were told of a host, by whether they are there.
        func numbers(_ host: HostName, ledger: Int = 0, present: Bool) -> [Int] {
            batches.filter { $0.host == host && $0.ledger == ledger }.flatMap { batch in
                batch.present.indices.filter { batch.present[$0] == present }.map {
                    batch.first + $0
                }
            }
        }
    }

    private static func verify(
        client: String = "redis", _ parameters: [String: String], _ ledgers: [LedgerRange],
        endpoint: HostName? = "client",
        servers: [LoadServer] = [], within: Duration = .seconds(20),
        meanwhile: @escaping @Sendable (Verifier) -> Void = { _ in }
    ) async throws -> Told {
        try await onThread {
            let events = Mutex<[LoadEvent]>([])
            let start = RunInstant.now
            let verifier = try Verifier(
                VerifyPlan(
                    sweep: 2, client: client, parameters: parameters, ledgers: ledgers,
                    endpoint: endpoint, servers: servers, until: start + within)
            ) { event in events.withLock { $0.append(event) } }
            let thread = JoinableThread { meanwhile(verifier) }
            try verifier.run()
            thread?.join()
            return Told(events.withLock { $0 }, took: .now - start)
        }
    }

    private static func fill(_ redis: LocalRedis, _ ledger: LedgerRange) throws {
        let session = try redis.session()
        defer { session.close() }
        for number in 0..<ledger.count {
            try session.write(LedgerEntry(prefix: ledger.prefix, number: number))
        }
    }

    @Test func `exactly the keys that were deleted or damaged are missing`() async throws {
        let redis = try LocalRedis()
        let ledgers = [
            LedgerRange(prefix: "a:", count: 2500), LedgerRange(prefix: "b:", count: 10),
        ]
        for ledger in ledgers { try Self.fill(redis, ledger) }
        try redis.ask("DEL a:0 a:7 a:1000 a:2499")
        // A value that was cut, and one that is another key's.
        try redis.ask("SET b:3 3:12")
        try redis.ask("SET b:4 \(LedgerEntry(prefix: "b:", number: 5).value)")
        let told = try await Self.verify(["address": redis.address], ledgers)
        #expect(told.isFinished)
        #expect(told.numbers("client", present: false) == [0, 7, 1000, 2499])
        #expect(told.numbers("client", present: true).count == 2496)
        #expect(told.numbers("client", ledger: 1, present: false) == [3, 4])
        #expect(told.batches.allSatisfy { $0.present.count <= 1000 && $0.sweep == 2 })
        let facts = try #require(told.facts("client"))
        #expect(facts.failure == nil && facts.sweeps == 2)
        #expect(facts.readLevel == "primary, in order")
        let session = try redis.session()
        #expect(facts.answeredBy == (try session.identity()))
        // Two sweeps agree only when a second lies between them.
        #expect(told.took >= .seconds(1))
        #expect(told.batches.allSatisfy { $0.interval.high - $0.interval.low >= .seconds(1) })
    }

    @Test func `with nothing missing one sweep is enough`() async throws {
        let redis = try LocalRedis()
        try Self.fill(redis, LedgerRange(prefix: "a:", count: 100))
        let told = try await Self.verify(
            ["address": redis.address], [LedgerRange(prefix: "a:", count: 100)])
        #expect(told.numbers("client", present: true).count == 100)
        #expect(told.facts("client")?.sweeps == 1)
        #expect(told.took < .seconds(1))
    }

    @Test func `a key that comes late is there`() async throws {
        let redis = try LocalRedis()
        try Self.fill(redis, LedgerRange(prefix: "a:", count: 100))
        try redis.ask("DEL a:5 a:6")
        let told = try await Self.verify(
            ["address": redis.address], [LedgerRange(prefix: "a:", count: 100)]
        ) { _ in
            usleep(500_000)
            let late = LedgerEntry(prefix: "a:", number: 5)
            _ = try? redis.ask("SET \(late.key) \(late.value)")
        }
        #expect(told.numbers("client", present: false) == [6])
        // Missing 5 and 6, missing 6, missing 6.
        #expect(told.facts("client")?.sweeps == 3)
    }

    @Test func `each server is asked by itself, once it has caught up`() async throws {
        let primary = try LocalRedis()
        let ledger = LedgerRange(prefix: "a:", count: 300)
        try Self.fill(primary, ledger)
        let replica = try LocalRedis("replicaof 127.0.0.1 \(primary.port)\nreplica-read-only no")
        #expect(LocalRedis.wait { (try? replica.ask("EXISTS a:299")) == "1" })
        // Gone on this side only.
        try replica.ask("DEL a:17")
        let told = try await Self.verify(
            ["address": primary.address, "port": "\(replica.port)"], [ledger],
            servers: [LoadServer(host: "b", address: "127.0.0.1")])
        #expect(told.numbers("client", present: false) == [])
        #expect(told.numbers("b", present: false) == [17])
        #expect(told.numbers("b", present: true).count == 299)
        #expect(told.facts("b")?.failure == nil)
    }

    @Test func `a server that follows nobody is unread, and the others are not kept waiting`()
        async throws
    {
        let primary = try LocalRedis()
        let stranger = try LocalRedis()
        let ledger = LedgerRange(prefix: "a:", count: 10)
        try Self.fill(primary, ledger)
        let told = try await Self.verify(
            ["address": primary.address, "port": "\(stranger.port)"], [ledger],
            servers: [LoadServer(host: "b", address: "127.0.0.1")], within: .seconds(2))
        #expect(told.numbers("client", present: true).count == 10)
        #expect(told.batches.allSatisfy { $0.host == "client" })
        #expect(told.facts("b")?.failure == "it did not catch up with the endpoint in time")
        #expect(told.took >= .seconds(2) && told.took < .seconds(5))
    }

    @Test func `a server that is started anew between two sweeps is read from the beginning`()
        async throws
    {
        let redis = try LocalRedis()
        let ledger = LedgerRange(prefix: "a:", count: 50)
        try Self.fill(redis, ledger)
        try redis.ask("DEL a:9")
        let again = Mutex<LocalRedis?>(nil)
        let told = try await Self.verify(["address": redis.address], [ledger]) { _ in
            usleep(400_000)
            redis.signal(SIGKILL)
            // It has forgotten everything, as it was told to.
            let restarted = try? LocalRedis(port: redis.port)
            again.withLock { $0 = restarted }
        }
        // Nobody puts together what two starts had.
        #expect(told.numbers("client", present: false) == Array(0..<50))
        let identity = try again.withLock { try $0?.session().identity() }
        #expect(told.facts("client")?.answeredBy == identity)
        #expect(told.facts("client")?.sweeps == 2)
    }

    @Test func `a primary that forgets its marker is not believed`() async throws {
        let server = RESPServer { words in
            switch words.first {
            case "SET": "+OK\r\n"
            case "MGET":
                "*\(words.count - 1)\r\n" + words.dropFirst().map { _ in "$-1\r\n" }.joined()
            case _: RESPServer.greeting(words, runID: "abc")
            }
        }
        let told = try await Self.verify(
            ["address": server.address], [LedgerRange(prefix: "a:", count: 10)],
            within: .milliseconds(500))
        server.stop()
        #expect(told.batches == [])
        #expect(told.facts("client")?.failure == "a marker was not read back")
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n", "no value begins with byte 72"),
        ("$999999999\r\n", "a value larger than 16777216 bytes"),
        ("+OK\r\n", "INFO has no run_id"),
    ])
    func `a server that speaks otherwise is unread with the reason`(answer: String, reason: String)
        async throws
    {
        let server = RESPServer { _ in answer }
        let told = try await Self.verify(
            ["address": server.address], [LedgerRange(prefix: "a:", count: 10)],
            within: .milliseconds(300))
        server.stop()
        #expect(told.batches == [])
        #expect(told.facts("client")?.failure == reason)
    }

    @Test func `a client that asks no server by itself says so at once`() async throws {
        let redis = try LocalRedis()
        let ledger = LedgerRange(prefix: "a:", count: 20)
        try Self.fill(redis, ledger)
        let told = try await Self.verify(
            client: "process", try ProcessTests.python(redis), [ledger],
            servers: [LoadServer(host: "b", address: "127.0.0.1")], within: .seconds(20))
        #expect(told.numbers("client", present: true).count == 20)
        #expect(told.batches.allSatisfy { $0.host == "client" })
        let facts = try #require(told.facts("b"))
        #expect(facts.failure == "client process asks no server by itself ('servers: yes')")
        #expect(facts.sweeps == 0 && facts.answeredBy == nil)
        #expect(told.took < .seconds(15))
    }

    @Test func `a slow program is read no longer than there is time`() async throws {
        let store = temporaryPath()
        defer { unlink(store) }
        // Whatever is read holds what was written last: the marker.
        let script = #"""
            while read -r line; do
                id=${line#*'"id":'}
                value=${line#*'"value":"'}
                case $line in
                *'"op":"write"'*) echo "${value%%\"*}" >\#(store) ;;
                *) sleep 0.05 ;;
                esac
                echo "{\"id\":${id%%,*},\"outcome\":\"ok\",\"value\":\"$(cat \#(store))\"}"
            done
            """#
        let told = try await Self.verify(
            client: "process", ["command": try JSONLine.encode(["sh", "-c", script])],
            [LedgerRange(prefix: "a:", count: 500)], within: .seconds(3))
        #expect(told.took < .seconds(6))
        let failure = try #require(told.facts("client")?.failure)
        #expect(failure.hasPrefix("time ended after ") && failure.hasSuffix(" of 500 keys"))
    }

    @Test func `a stop ends it, and what was found so far is told`() async throws {
        let redis = try LocalRedis()
        let ledger = LedgerRange(prefix: "a:", count: 20)
        try Self.fill(redis, ledger)
        try redis.ask("DEL a:3")
        let told = try await Self.verify(["address": redis.address], [ledger]) { verifier in
            usleep(500_000)
            verifier.end()
        }
        #expect(told.took < .seconds(1))
        #expect(told.numbers("client", present: true).count == 19)
        // Its absence was seen once only.
        #expect(told.numbers("client", present: false) == [])
        #expect(
            told.facts("client")?.failure
                == "1 keys were missing, and time ended before a second sweep agreed")
    }
}
