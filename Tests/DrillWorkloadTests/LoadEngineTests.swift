import DrillCore
import DrillWorkload
import Glibc
import Synchronization
import Testing

/// The real engine against servers that misbehave in one way each.
@Suite(.serialized) struct LoadEngineTests {
    private static let hello =
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Firedrill-Host: b\r\n\r\nhello"

    private static func good() -> ScriptedServer {
        ScriptedServer { connection in connection.stayAnd { connection.write(hello) } }
    }

    @Test(arguments: Lane.allCases)
    func `every operation of the schedule is there, in order, with its four instants`(
        lane: Lane
    ) async throws {
        let server = Self.good()
        let trial = try await LoadTrial.run(
            [LoadTrial.stream(["url": server.url], lane: lane)], for: .milliseconds(500))
        server.stop()
        #expect(trial.count(.ok) == 50)
        #expect(trial.operations.count == 50)
        for (index, operation) in trial.operations.enumerated() {
            #expect(operation.intended == trial.summary.started + .milliseconds(10) * index)
            #expect(operation.dispatched >= operation.intended)
            let sent = try #require(operation.sent)
            let completed = try #require(operation.completed)
            #expect(sent >= operation.dispatched && completed > sent)
            #expect(operation.host == "b")
        }
        #expect(lane == .kept ? server.connections < 50 : server.connections == 50)
        let progress = try #require(trial.lastProgress.first)
        #expect(progress.intended == 50 && progress.decided == 50 && progress.good == 50)
        let last = try #require(trial.operations.last)
        #expect(progress.decidedBefore > last.intended)
    }

    @Test func `streams run side by side without beginning at one instant`() async throws {
        let server = Self.good()
        let streams = [Lane.fresh, .kept].map {
            LoadTrial.stream(["url": server.url], lane: $0)
        }
        let trial = try await LoadTrial.run(streams, for: .milliseconds(300))
        server.stop()
        #expect(trial.streams.map(\.count) == [30, 30])
        #expect(trial.streams[1][0].intended - trial.streams[0][0].intended == .milliseconds(5))
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Outcome.ok),
        ("HTTP/1.0 200 OK\r\n\r\nuntil the end", .ok),
        ("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", .ok),
        ("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", .failed),
        ("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf an answer", .failed),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", .failed),
        ("220 mail\r\n", .failed), ("", .failed),
    ])
    func `an answer that ends with the connection is ok only when it is whole`(
        answer: String, outcome: Outcome
    ) async throws {
        for lane in Lane.allCases {
            let server = ScriptedServer { connection in
                if connection.readRequest() { connection.write(answer) }
                connection.end()
            }
            let trial = try await LoadTrial.run(
                [LoadTrial.stream(["url": server.url], lane: lane)], for: .milliseconds(100))
            server.stop()
            #expect(trial.count(outcome) == 10)
            #expect(trial.operations.allSatisfy { $0.completed != nil && $0.sent != nil })
        }
    }

    @Test func `a reset and a refused connection fail at once`() async throws {
        let server = ScriptedServer { connection in
            _ = connection.readRequest()
            connection.reset()
        }
        let stream = LoadTrial.stream(["url": server.url])
        let reset = try await LoadTrial.run([stream], for: .milliseconds(100))
        server.stop()
        let refused = try await LoadTrial.run([stream], for: .milliseconds(100))
        for trial in [reset, refused] {
            #expect(trial.count(.failed) == 10)
            for operation in trial.operations {
                let completed = try #require(operation.completed)
                #expect(completed - operation.intended < .seconds(1))
            }
        }
    }

    @Test func `a time-out is counted from the intended instant and ends exactly there`()
        async throws
    {
        // One accepts and says nothing, one does not even accept: its backlog is full and the kernel is silent.
        let mute = ScriptedServer { connection in connection.stayAnd {} }
        let full = ScriptedServer(backlog: 0, serve: nil)
        let streams = [mute.url, full.url].flatMap { url in
            Lane.allCases.map {
                LoadTrial.stream(["url": url], lane: $0, timeout: .milliseconds(250))
            }
        }
        let trial = try await LoadTrial.run(streams, for: .milliseconds(300))
        mute.stop()
        full.stop()
        for operations in trial.streams {
            #expect(operations.count == 30)
            for operation in operations {
                #expect(operation.outcome == .failed)
                #expect(operation.completed == operation.intended + .milliseconds(250))
            }
        }
        // Replaced, not used again: an answer that is late would be taken for the next one.
        #expect(mute.connections == 60)
    }

    /// A service that is silent for 300 ms, seen by pools of two sizes: why `plan` refuses fewer than rate × timeout
    /// connections. With 8, an operation gets a connection only when one before it has timed out, and those
    /// sent last have waited so long for theirs that they find the service back.
    @Test(arguments: [(138, 280.0...330.0, 0.0...60.0), (8, 50...120, 200...250)])
    func `a pool that is too small hides most of an outage, and its wait says so`(
        connections: Int, span: ClosedRange<Double>, wait: ClosedRange<Double>
    ) async throws {
        let back = Mutex<RunInstant?>(nil)
        let server = ScriptedServer { connection in
            connection.stayAnd {
                guard let back = back.withLock({ $0 }), .now >= back else { return }
                connection.write(Self.hello)
            }
        }
        let stream = LoadTrial.stream(
            ["url": server.url], rate: 500, timeout: .milliseconds(250), connections: connections)
        let trial = try await LoadTrial.run([stream], for: .milliseconds(600)) { start in
            back.withLock { $0 = start + .milliseconds(300) }
        }
        server.stop()
        #expect(trial.operations.count == 300)
        let bad = trial.operations.filter { $0.isBad(slow: .milliseconds(250)) }
        let first = try #require(bad.first)
        let last = try #require(bad.last)
        #expect(span.contains((last.intended - first.intended).milliseconds))
        #expect(wait.contains(trial.summary.longestPoolWait.milliseconds))
    }

    @Test func `what finds no connection before its deadline is unsent, neither good nor bad`()
        async throws
    {
        let mute = ScriptedServer { connection in connection.stayAnd {} }
        let stream = LoadTrial.stream(
            ["url": mute.url], rate: 10_000, timeout: .milliseconds(20), connections: 1)
        let trial = try await LoadTrial.run([stream], for: .milliseconds(200))
        mute.stop()
        #expect(trial.operations.count == 2000)
        let unsent = trial.operations.filter { $0.outcome == .unsentConnection }
        #expect(!unsent.isEmpty)
        #expect(unsent.count + trial.count(.failed) == 2000)
        #expect(unsent.allSatisfy { $0.sent == nil && $0.completed == nil })
        #expect(unsent.allSatisfy { !$0.isGood(slow: .seconds(1)) && !$0.isBad(slow: .seconds(1)) })
        // They waited for as long as their time-out left them.
        #expect((15...20).contains(trial.summary.longestPoolWait.milliseconds))
        let progress = try #require(trial.lastProgress.first)
        #expect(progress.decided == 2000 && progress.sent == 2000 - unsent.count)
        #expect(progress.good == 0 && progress.unsentGenerator == 0)
    }

    @Test func `a kept connection that the server ends between operations costs none`() async throws
    {
        let server = ScriptedServer { connection in
            for _ in 0..<2 {
                guard connection.readRequest() else { return connection.end() }
                connection.write(Self.hello)
            }
            if connection.readRequest() {
                connection.writeAndEnd(Self.hello)
            } else {
                connection.end()
            }
        }
        let trial = try await LoadTrial.run(
            [LoadTrial.stream(["url": server.url], lane: .kept, rate: 200)], for: .milliseconds(500)
        )
        server.stop()
        #expect(trial.count(.ok) == 100)
        #expect(server.connections >= 33 && server.connections <= 60)
    }

    @Test func `a kept connection is not used again after stray bytes`() async throws {
        let server = ScriptedServer { connection in
            connection.stayAnd { connection.write(Self.hello + "HTTP/1.1 500 Stray\r\n\r\n") }
        }
        let trial = try await LoadTrial.run(
            [LoadTrial.stream(["url": server.url], lane: .kept)], for: .milliseconds(200))
        server.stop()
        #expect(trial.count(.ok) == 20)
        #expect(server.connections == 20)
    }

    @Test func `tcp is ok when it connects, or when the expected bytes have come`() async throws {
        let server = ScriptedServer { connection in
            connection.stayAnd {
                connection.write("+PO")
                usleep(2000)
                connection.write("NG\r\n")
            }
        }
        let connect = LoadTrial.stream(client: "tcp", ["address": server.address])
        var parameters = [
            "address": server.address, "send": "PING\\r\\n\\r\\n", "expect": "+PONG\\r\\n",
        ]
        let exchange = LoadTrial.stream(client: "tcp", parameters, lane: .kept)
        parameters["expect"] = "-ERR"
        let wrong = LoadTrial.stream(client: "tcp", parameters, timeout: .milliseconds(250))
        let trial = try await LoadTrial.run([connect, exchange, wrong], for: .milliseconds(200))
        server.stop()
        let outcomes = trial.streams.map { Set($0.map(\.outcome)) }
        #expect(outcomes == [[.ok], [.ok], [.failed]])
    }

    @Test func `nothing is intended from the stop on, and what is under way is decided`()
        async throws
    {
        let slow = ScriptedServer { connection in
            connection.stayAnd {
                usleep(150_000)
                connection.write(Self.hello)
            }
        }
        let trial = try await LoadTrial.run(
            [LoadTrial.stream(["url": slow.url])], for: .milliseconds(95))
        slow.stop()
        #expect(trial.operations.count == 10)
        #expect(trial.count(.ok) == 10)
        guard case .finished = trial.events.last else {
            Issue.record("the last event is \(String(describing: trial.events.last))")
            return
        }
    }

    @Test(arguments: [
        (0.0, 1, "stream w/fresh/read: the rate 0.0/s is not between 0.000001/s and 1000000/s"),
        (10.0, 0, "stream w/fresh/read: 0 connections: 1 to 100000 are possible"),
    ])
    func `a plan that cannot be is refused before anything begins`(
        rate: Double, connections: Int, text: String
    ) {
        let stream = LoadTrial.stream(
            ["url": "http://127.0.0.1:1/"], rate: rate, connections: connections)
        let path = temporaryPath()
        defer { unlink(path) }
        let error = #expect(throws: LoadError.self) {
            try LoadRun(LoadPlan(seed: 1, streams: [stream], output: path)) { _ in }
        }
        #expect(error?.description == text)
    }

    @Test func `a file that cannot be made is named`() {
        let stream = LoadTrial.stream(["url": "http://127.0.0.1:1/"])
        let error = #expect(throws: LoadError.self) {
            try LoadRun(LoadPlan(seed: 1, streams: [stream], output: "/nowhere/x.ops")) { _ in }
        }
        #expect(error?.description == "/nowhere/x.ops: No such file or directory")
    }
}
