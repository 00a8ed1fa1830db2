import DrillCore
import DrillWorkload
import Glibc
import Synchronization
import Testing

/// The redis client through Sentinel: scripted where one thing is meant, real for the whole.
@Suite(.serialized) struct SentinelTests {
    private static func stream(
        _ sentinels: [String], lane: Lane = .fresh, timeout: Duration = .seconds(2)
    ) -> LoadStream {
        LoadTrial.stream(
            client: "redis", ["sentinels": sentinels.joined(separator: ", "), "master": "m"],
            lane: lane, rate: 50, timeout: timeout)
    }

    private static func sentinel(_ port: UInt16) -> RESPServer {
        RESPServer { words in
            guard words == ["SENTINEL", "get-master-addr-by-name", "m"] else { return "-ERR\r\n" }
            return "*2\r\n$9\r\n127.0.0.1\r\n$\(String(port).count)\r\n\(port)\r\n"
        }
    }

    @Test(arguments: Lane.allCases)
    func `a sentinel that is silent, gone or ignorant is passed over, and then asked last`(
        lane: Lane
    ) async throws {
        let redis = try LocalRedis()
        let silent = RESPServer { _ in "" }
        let gone = ScriptedServer(serve: nil)
        gone.stop()
        let ignorant = RESPServer { _ in "*-1\r\n" }
        let knowing = Self.sentinel(redis.port)
        let all = [silent.address, gone.address, ignorant.address, knowing.address]
        let trial = try await LoadTrial.run([Self.stream(all, lane: lane)], for: .seconds(1))
        for server in [silent, ignorant, knowing] { server.stop() }
        #expect(trial.count(.ok) == 50)
        let slow = trial.operations.filter { operation in
            operation.completed.map { $0 - operation.intended >= .milliseconds(200) } ?? true
        }
        // Those that began before the first of them had waited 200 ms for the silent one; no other.
        #expect((1...12).contains(slow.count))
        #expect(lane == .fresh ? knowing.connections == 50 : knowing.connections <= 13)
    }

    @Test func `nobody who knows the primary is an operation that ends without an answer`()
        async throws
    {
        let ignorant = RESPServer { _ in "*-1\r\n" }
        let trial = try await LoadTrial.run(
            [Self.stream([ignorant.address])], for: .milliseconds(200))
        ignorant.stop()
        #expect(trial.count(.failed) == 10)
    }

    @Test func `a kept connection that answers READONLY is given up for another`() async throws {
        let isReplica = Mutex(false)
        let port = Mutex<UInt16>(0)
        let old = RESPServer { words in
            words.first == "PING" && isReplica.withLock { $0 }
                ? "-READONLY no\r\n" : RESPServer.greeting(words, runID: "old")
        }
        let new = RESPServer { RESPServer.greeting($0, runID: "new") }
        port.withLock { $0 = old.port }
        let sentinel = RESPServer { _ in
            let text = "\(port.withLock { $0 })"
            return "*2\r\n$9\r\n127.0.0.1\r\n$\(text.count)\r\n\(text)\r\n"
        }
        let stream = Self.stream([sentinel.address], lane: .kept)
        let trial = try await LoadTrial.run([stream], for: .seconds(1)) { start in
            sleep(until: start + .milliseconds(300))
            port.withLock { $0 = new.port }
            sleep(until: start + .milliseconds(600))
            isReplica.withLock { $0 = true }
        }
        for server in [old, new, sentinel] { server.stop() }
        let failed = trial.operations.indices.filter { trial.operations[$0].outcome == .failed }
        let first = try #require(failed.first)
        let last = try #require(failed.last)
        // Once for each connection that stood there: on a crowded machine there are several.
        #expect(failed.count <= old.connections)
        // It stays where it is while that answers, whatever the sentinels say by now.
        #expect(trial.operations[...first].allSatisfy { $0.host == "old" })
        #expect(trial.operations[(last + 1)...].allSatisfy { $0.host == "new" })
        #expect(trial.operations.last?.host == "new")
    }

    @Test func `three real sentinels fail over, and both lanes follow them`() async throws {
        let primary = try LocalRedis()
        let replica = try LocalRedis("replicaof 127.0.0.1 \(primary.port)")
        let configuration = """
            sentinel monitor m 127.0.0.1 \(primary.port) 2
            sentinel down-after-milliseconds m 500
            sentinel failover-timeout m 3000
            """
        var sentinels: [LocalRedis] = []
        for _ in 0..<3 { sentinels.append(try LocalRedis(configuration, sentinel: true)) }
        let known = LocalRedis.wait {
            sentinels.allSatisfy {
                $0.knows("m", "num-slaves", "1") && $0.knows("m", "num-other-sentinels", "2")
            }
        }
        #expect(known)
        let streams = Lane.allCases.map {
            Self.stream(sentinels.map(\.address), lane: $0, timeout: .milliseconds(500))
        }
        let trial = try await LoadTrial.run(streams, for: .seconds(7)) { start in
            sleep(until: start + .seconds(1))
            primary.signal(SIGSTOP)
        }
        let identity = try replica.session().identity()
        for operations in trial.streams {
            let bad = operations.filter { $0.outcome != .ok }
            #expect(bad.count > 20)
            let last = try #require(operations.last)
            #expect(last.outcome == .ok && last.host?.rawValue == identity)
            #expect(operations.first?.host?.rawValue != identity)
        }
        primary.signal(SIGKILL)
    }
}
