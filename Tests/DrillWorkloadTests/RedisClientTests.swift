import DrillCore
import DrillWorkload
import Glibc
import Synchronization
import Testing

/// The real engine against a real Redis.
@Suite(.serialized) struct RedisClientTests {
    private static func ledger(
        _ parameters: [String: String], prefix: String, lane: Lane = .kept, rate: Double = 200,
        timeout: Duration = .seconds(5), servers: [LoadServer] = []
    ) -> LoadStream {
        LoadStream(
            name: StreamName(workload: "w", lane: lane, kind: .write), client: "redis",
            parameters: parameters, lane: lane, kind: .write, rate: rate, arrival: .constant,
            timeout: timeout, slow: timeout,
            connections: Workload.defaultConnections(rate: rate, timeout: timeout),
            stable: .seconds(1), k: 1, leastSent: 20, operation: .ledger, prefix: prefix,
            servers: servers)
    }

    @Test(arguments: Lane.allCases)
    func `a ledger's writes are all there, under the keys that the file names`(lane: Lane)
        async throws
    {
        let redis = try LocalRedis()
        let stream = Self.ledger(["address": redis.address], prefix: "t:", lane: lane)
        let trial = try await LoadTrial.run([stream], for: .milliseconds(500))
        #expect(trial.count(.ok) == 100 && trial.operations.count == 100)
        let session = try redis.session()
        let identity = try session.identity()
        let keys = trial.operations.compactMap(\.key)
        #expect(keys == (0..<100).map { "t:\($0)" })
        let found = try session.read(keys + ["t:100"])
        for number in 0..<100 {
            let entry = LedgerEntry(prefix: "t:", number: number)
            #expect(found[entry.key].map(entry.isWhole) == true)
        }
        #expect(found.count == 100)
        #expect(trial.operations.allSatisfy { $0.host?.rawValue == identity && $0.value == nil })
    }

    @Test(arguments: [
        ("replicaof 127.0.0.1 1", "READONLY"), ("min-replicas-to-write 1", "NOREPLICAS"),
        ("maxmemory 1\nmaxmemory-policy noeviction", "OOM"),
    ])
    func `a write that Redis refuses has failed, and its host is known`(
        configuration: String, word: String
    ) async throws {
        #expect(RedisClient.description.refusals.contains(word))
        let redis = try LocalRedis(configuration)
        for lane in Lane.allCases {
            let stream = Self.ledger(["address": redis.address], prefix: "r:", lane: lane)
            let trial = try await LoadTrial.run([stream], for: .milliseconds(200))
            #expect(trial.count(.failed) == 40)
            #expect(trial.operations.allSatisfy { $0.host != nil && $0.completed != nil })
        }
        let session = try redis.session()
        #expect(try session.read(["r:0", "r:39"]).isEmpty)
    }

    @Test(arguments: [
        ("-READONLY no\r\n", Outcome.failed), ("-READONLYx\r\n", .indeterminate),
        ("-ERR unknown\r\n", .indeterminate), ("-LOADING wait\r\n", .failed),
        ("+QUEUED\r\n", .indeterminate), (":1\r\n", .indeterminate), ("$-1\r\n", .indeterminate),
        ("HTTP/1.1 200 OK\r\n", .indeterminate), ("", .indeterminate), ("+O", .indeterminate),
        ("$1000000000\r\n", .indeterminate), ("+OK\r\n", .ok),
        // A byte too many is no reason to doubt the answer, and every reason not to use the connection again.
        ("+OK\r\n+OK\r\n", .ok),
    ])
    func `only a listed refusal is a failure, whatever a server says`(
        answer: String, outcome: Outcome
    ) async throws {
        let server = RESPServer { words in
            words.first == "SET" ? answer : RESPServer.greeting(words, runID: "abc")
        }
        for lane in Lane.allCases {
            let stream = Self.ledger(["address": server.address], prefix: "x:", lane: lane)
            let trial = try await LoadTrial.run([stream], for: .milliseconds(100)) { _ in
                // What gives no whole answer is ended by the server.
                if answer == "" || answer == "+O" { server.end(after: .milliseconds(150)) }
            }
            #expect(trial.count(outcome) == 20, "\(trial.operations.map(\.outcome))")
            if answer.hasSuffix("+OK\r\n+OK\r\n") { #expect(server.connections >= 20) }
        }
        server.stop()
    }

    @Test(arguments: Lane.allCases)
    func `a greeting that is refused hides who answered, and the answer counts`(lane: Lane)
        async throws
    {
        let server = RESPServer { words in
            words.first == "INFO" ? "-NOPERM no\r\n" : RESPServer.greeting(words, runID: "")
        }
        let stream = LoadTrial.stream(client: "redis", ["address": server.address], lane: lane)
        let trial = try await LoadTrial.run([stream], for: .milliseconds(100))
        server.stop()
        #expect(trial.count(.ok) == 10)
        #expect(trial.operations.allSatisfy { $0.host == nil })
    }

    @Test func `a password is given before anything else`() async throws {
        let redis = try LocalRedis("requirepass secret", password: "secret")
        let right = ["address": redis.address, "password": "secret", "key": "k"]
        let trial = try await LoadTrial.run(
            [
                LoadTrial.stream(client: "redis", right),
                LoadTrial.stream(client: "redis", ["address": redis.address]),
            ], for: .milliseconds(100))
        #expect(trial.streams.map { Set($0.map(\.outcome)) } == [[.ok], [.failed]])
        #expect(throws: SessionError("NOAUTH Authentication required.")) {
            try RedisClient(parameters: ["address": redis.address], lane: .kept)
                .session(.endpoint, timeout: .seconds(2))
        }
    }

    @Test func `a server that is stopped for a while leaves no write in doubt that it answers`()
        async throws
    {
        let redis = try LocalRedis()
        let stream = Self.ledger(["address": redis.address], prefix: "s:", rate: 500)
        let trial = try await LoadTrial.run([stream], for: .milliseconds(900)) { start in
            sleep(until: start + .milliseconds(300))
            redis.signal(SIGSTOP)
            sleep(until: start + .milliseconds(500))
            redis.signal(SIGCONT)
        }
        #expect(trial.count(.ok) == 450)
        let held = trial.operations.compactMap { operation in
            operation.completed.map { ($0 - operation.intended).milliseconds }
        }.max()
        #expect((held ?? 0) > 150)
    }

    @Test func `what a killed server held is indeterminate, and a new start is another identity`()
        async throws
    {
        let redis = try LocalRedis()
        let stream = Self.ledger(
            ["address": redis.address], prefix: "k:", rate: 500, timeout: .milliseconds(500),
            servers: [LoadServer(host: "a", address: "127.0.0.1")])
        let restarted = Mutex<LocalRedis?>(nil)
        let failure = Mutex<String?>(nil)
        let trial = try await LoadTrial.run([stream], for: .milliseconds(2000)) { start in
            sleep(until: start + .milliseconds(300))
            redis.signal(SIGSTOP)
            sleep(until: start + .milliseconds(400))
            redis.signal(SIGKILL)
            sleep(until: start + .milliseconds(600))
            do {
                let again = try LocalRedis(port: redis.port)
                restarted.withLock { $0 = again }
            } catch {
                failure.withLock { $0 = "\(error)" }
            }
        }
        #expect(failure.withLock { $0 } == nil)
        #expect(trial.operations.count == 1000)
        #expect(trial.count(.indeterminate) > 40)
        // While nobody listened nothing was sent.
        let refused = trial.operations.filter { $0.outcome == .failed }
        #expect(refused.count > 40)
        #expect(refused.allSatisfy { $0.intended > trial.summary.started + .milliseconds(300) })
        let hosts = Set(trial.operations.compactMap(\.host))
        #expect(hosts.count == 2)
        var identified: [String: HostName] = [:]
        for event in trial.events {
            if case .identified(let host, let identity, at: _) = event {
                identified[identity] = host
            }
        }
        #expect(hosts.allSatisfy { identified[$0.rawValue] == "a" })
        withExtendedLifetime(restarted) {}
    }

    @Test func `a write that nobody takes has failed, and nothing was sent`() async throws {
        try await onThread {
            let gone = ScriptedServer(serve: nil)
            gone.stop()
            let ignorant = RESPServer { _ in "*-1\r\n" }
            defer { ignorant.stop() }
            let port = "\(gone.port)"
            let wrong = RESPServer { _ in "*2\r\n$9\r\n127.0.0.1\r\n$\(port.count)\r\n\(port)\r\n" }
            defer { wrong.stop() }
            let targets: [[String: String]] = [
                ["address": gone.address], ["sentinels": gone.address, "master": "m"],
                ["sentinels": "\(gone.address), \(ignorant.address)", "master": "m"],
                ["sentinels": wrong.address, "master": "m"],
            ]
            for target in targets {
                for lane in Lane.allCases {
                    let link = DrivenConnection(try RedisClient(parameters: target, lane: lane))
                    let entry = LedgerEntry(prefix: "x:", number: 1)
                    #expect(link.operate(entry) == .refused, "\(target)")
                    #expect(link.connection.descriptor < 0)
                }
            }
        }
    }

    @Test func `how late a write is seen on a server is told with both ends`() async throws {
        let primary = try LocalRedis()
        let replica = try LocalRedis("replicaof 127.0.0.1 \(primary.port)")
        // Up on the replica's side, a link still carries no write until the replica's first acknowledgement, up to a
        // second later (its REPLCONF ACK): then it is online on the primary's side.
        let isOnline = LocalRedis.wait {
            (try? primary.ask("INFO replication"))?.contains("state=online") == true
        }
        #expect(isOnline)
        // And the first write of all may wait for that second as well.
        _ = try primary.ask("SET warm yes")
        let isWarm = LocalRedis.wait { (try? replica.ask("GET warm"))?.contains("yes") == true }
        #expect(isWarm)
        // One port for all servers: the replica is asked by an address of its own where that is all it listens on.
        var stream = Self.ledger(
            ["address": primary.address, "port": "\(replica.port)"], prefix: "v:",
            servers: [LoadServer(host: "b", address: "127.0.0.1")])
        stream.rate = 200
        let trial = try await LoadTrial.run([stream], for: .milliseconds(1500))
        var seen = 0
        let completed = Dictionary(
            uniqueKeysWithValues: trial.operations.compactMap { operation in
                operation.key.map { ($0, operation.completed) }
            })
        for event in trial.events {
            guard case .visible(let host, key: let key, present: true, let interval) = event else {
                continue
            }
            seen += 1
            #expect(host == "b")
            let acknowledged = try #require(completed[key] ?? nil)
            #expect(interval.low >= acknowledged && interval.high > interval.low)
            #expect(interval.high - acknowledged < .milliseconds(500))
        }
        #expect((5...15).contains(seen))
    }

    @Test func `a ledger whose store does not answer is given up before the first operation`()
        async throws
    {
        let nobody = ScriptedServer(serve: nil)
        nobody.stop()
        let stream = Self.ledger(["address": nobody.address], prefix: "p:")
        let reason = try await onThread { () -> String in
            let path = temporaryPath()
            defer { unlink(path) }
            let run = try LoadRun(LoadPlan(seed: 1, streams: [stream], output: path)) { _ in }
            // A stop ends the attempts too.
            run.stop(at: .now)
            do {
                _ = try run.wait()
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(
            reason
                == "stream w/kept/write: the ledger could not be prepared: connect: Connection refused"
        )
    }
}
