import DrillCore
import DrillWorkload
import Glibc
import Testing

/// Programs that answer lines of JSON, the example of the documentation among them.
@Suite(.serialized) struct ProcessTests {
    private static let example =
        "/"
        + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        + "/docs/examples/redis_client.py"

    private static func command(_ words: String...) throws -> [String: String] {
        ["command": try JSONLine.encode(words)]
    }

    static func python(_ redis: LocalRedis) throws -> [String: String] {
        try command("python3", example, "127.0.0.1", "\(redis.port)")
    }

    /// Each request is answered by what sed makes of it; `\1` is its number.
    private static func sed(_ answer: String, first: String = "") throws -> [String: String] {
        let script = "s/.*\"id\":\\([0-9]*\\).*/\(answer)/"
        return try command("sh", "-c", "\(first) exec sed -u '\(script)'")
    }

    private static func drive(
        _ parameters: [String: String], _ lane: Lane = .kept
    ) throws -> DrivenConnection {
        DrivenConnection(try ProcessClient(parameters: parameters, lane: lane))
    }

    @Test func `the example's ledger is all there`() async throws {
        let redis = try LocalRedis()
        let parameters = try Self.python(redis)
        for lane in Lane.allCases {
            let stream = LoadStream(
                name: StreamName(workload: "w", lane: lane, kind: .write), client: "process",
                parameters: parameters, lane: lane, kind: .write, rate: 20, arrival: .constant,
                timeout: .seconds(5), slow: .seconds(5), connections: 4, stable: .seconds(1), k: 1,
                leastSent: 20, operation: .ledger, prefix: "\(lane):")
            let trial = try await LoadTrial.run([stream], for: .seconds(2))
            #expect(trial.count(.ok) == 40 && trial.operations.count == 40)
            let session = try redis.session()
            defer { session.close() }
            let identity = try session.identity()
            #expect(trial.operations.allSatisfy { $0.host?.rawValue == identity })
            let entries = (0..<40).map { LedgerEntry(prefix: "\(lane):", number: $0) }
            let found = try session.read(entries.map(\.key))
            #expect(entries.allSatisfy { entry in found[entry.key].map(entry.isWhole) == true })
            let own = try ProcessClient(parameters: parameters, lane: .kept)
                .session(.endpoint, timeout: .seconds(10))
            defer { own.close() }
            #expect(try own.identity() == identity)
            #expect(try own.read(entries.map(\.key) + ["none"]) == found)
        }
    }

    @Test func `the example's register is read, written and compared`() async throws {
        try await onThread {
            let redis = try LocalRedis()
            for lane in Lane.allCases {
                let link = try Self.drive(try Self.python(redis), lane)
                let rows: [(RegisterAction, RegisterAnswer)] = [
                    (.read, .value(nil)),
                    (.compareAndSet("x", "y"), .compared(didSet: false)),
                    (.compareAndSet(nil, "1"), .compared(didSet: true)),
                    (.compareAndSet(nil, "2"), .compared(didSet: false)),
                    (.read, .value("1")), (.write("é>\"\n"), .written),
                    (.compareAndSet("é>\"\n", "3"), .compared(didSet: true)),
                    (.read, .value("3")),
                ]
                for (action, answer) in rows {
                    #expect(link.register("r\(lane)", action) == answer, "\(action)")
                    #expect(link.answeredBy != nil)
                }
                #expect(link.operate() == .ok)
                link.connection.close()
            }
            // A replica says that it wrote nothing, and nobody listening is as certain.
            let replica = try LocalRedis("replicaof 127.0.0.1 1")
            let refused = try Self.drive(try Self.python(replica))
            #expect(refused.operate(LedgerEntry(prefix: "x:", number: 1)) == .refused)
            refused.connection.close()
            let nobody = try Self.drive(try Self.command("python3", Self.example, "127.0.0.1", "1"))
            #expect(nobody.operate(LedgerEntry(prefix: "x:", number: 1)) == .refused)
            nobody.connection.close()
        }
    }

    @Test(arguments: [
        (#"{"id":\1,"outcome":"ok","host":"a"}"#, ClientAnswer.ok),
        (#"{"outcome":"refused","id":\1,"more":[1,{}]}"#, .refused),
        (#"{"id":\1,"outcome":"unknown"}"#, .broken), (#"{"id":\1,"outcome":"OK"}"#, .broken),
        (#"{"id":0,"outcome":"ok"}"#, .broken), (#"{"id":\1}"#, .broken), ("ok", .broken),
        ("", .broken),
    ])
    func `a write is ok or refused only by an answer that says so`(
        answer: String, decided: ClientAnswer
    ) async throws {
        try await onThread {
            let link = try Self.drive(try Self.sed(answer))
            for number in 0..<2 {
                #expect(link.operate(LedgerEntry(prefix: "x:", number: number)) == decided)
                #expect(link.answeredBy == (answer.contains("host") ? "a" : nil))
            }
            // It says of no compare-and-set whether it was one.
            #expect(link.register("r", .compareAndSet(nil, "1")) == nil)
            link.connection.close()
        }
    }

    @Test
    func `a silent program is killed with all that it started, and another one takes its place`()
        async throws
    {
        try await onThread {
            let folder = temporaryPath()
            defer { unlink(folder) }
            // Its own child would outlive it.
            let link = try Self.drive(
                try Self.command("sh", "-c", "sleep 1000 & echo $$ $! >> \(folder); read x; wait"))
            for _ in 0..<2 {
                let began = RunInstant.now
                #expect(link.operate(timeout: .milliseconds(300)) == nil)
                #expect(RunInstant.now - began < .seconds(2))
            }
            link.connection.close()
            let text = String(decoding: try readFile(folder), as: UTF8.self)
            let pids = text.split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
            #expect(pids.count >= 4)
            for pid in pids {
                #expect(LocalRedis.wait { kill(pid, 0) != 0 || Self.isZombie(pid) }, "\(pid)")
            }
        }
    }

    /// Dead, and not yet waited for by whoever adopted it.
    private static func isZombie(_ pid: pid_t) -> Bool {
        guard let bytes = try? readFile("/proc/\(pid)/stat") else { return true }
        return String(decoding: bytes, as: UTF8.self).contains(") Z ")
    }

    @Test func `one that ends again and again is not started without end`() async throws {
        try await onThread {
            let log = temporaryPath()
            defer { unlink(log) }
            let link = try Self.drive(try Self.command("sh", "-c", "echo x >> \(log); exit 3"))
            var answers: [ClientAnswer] = []
            let began = RunInstant.now
            while RunInstant.now - began < .seconds(2) {
                if let answer = link.operate(timeout: .seconds(1)) { answers.append(answer) }
                usleep(1000)
            }
            link.connection.close()
            #expect(answers.contains(.unable) && !answers.contains(.ok))
            let starts = try readFile(log).count { $0 == 10 }
            #expect((10...90).contains(starts), "\(starts)")
        }
    }

    @Test func `one that writes much to its standard error is not held up`() async throws {
        try await onThread {
            let noise = "head -c 300000 /dev/zero >&2;"
            let parameters = try Self.sed(#"{"id":\1,"outcome":"ok"}"#, first: noise)
            let session = try ProcessClient(parameters: parameters, lane: .kept)
                .session(.endpoint, timeout: .seconds(10))
            try session.prepare()
            session.close()
            let link = try Self.drive(parameters)
            #expect(link.operate(timeout: .seconds(10)) == .ok)
            link.connection.close()
        }
    }

    @Test func `a program has nothing of ours but its standard streams`() async throws {
        try await onThread {
            let null = open("/dev/null", O_RDONLY)
            let leak = fcntl(null, F_DUPFD, 200)
            defer { for descriptor in [null, leak] { close(descriptor) } }
            #expect(leak >= 200)
            let link = try Self.drive(
                try Self.sed(
                    #"{"id":\1,"outcome":"ok"}"#, first: "[ -e /proc/$$/fd/\(leak) ] && exec cat;"))
            #expect(link.operate() == .ok)
            link.connection.close()
        }
    }

    /// A program that is killed for its silence takes longer to start than an operation may last.
    @Test func `an outage is not prolonged by programs that take their time to start`() async throws
    {
        let silence = temporaryPath()
        defer { unlink(silence) }
        let script = #"""
            sleep 0.7
            while read -r line; do
                [ -e \#(silence) ] && exec sleep 1000
                id=${line#*'"id":'}
                echo "{\"id\":${id%%,*},\"outcome\":\"ok\"}"
            done
            """#
        let stream = LoadTrial.stream(
            client: "process", try Self.command("sh", "-c", script), lane: .kept, rate: 10,
            timeout: .milliseconds(500))
        let trial = try await LoadTrial.run([stream], for: .seconds(6)) { start in
            sleep(until: start + .seconds(2))
            close(creat(silence, 0o600))
            sleep(until: start + .milliseconds(3500))
            unlink(silence)
        }
        let started = trial.summary.started
        let during = trial.operations.filter {
            (.milliseconds(2200)..<(.milliseconds(3400))).contains($0.intended - started)
        }
        #expect(during.count == 12 && during.allSatisfy { $0.outcome == .failed })
        let after = trial.operations.filter { $0.intended - started > .milliseconds(3600) }
        #expect(after.count == 23)
        for operation in after {
            let completed = try #require(operation.completed)
            #expect(operation.outcome == .ok && completed - operation.intended < .milliseconds(400))
        }
    }

    @Test func `a server is identified by one program, however long that takes to start`()
        async throws
    {
        let log = temporaryPath()
        defer { unlink(log) }
        let answer = #"{"id":\1,"outcome":"ok","host":"me"}"#
        var stream = LoadTrial.stream(
            client: "process",
            try Self.sed(answer, first: "echo x >> \(log); sleep 0.6;").merging(["servers": "yes"])
            {
                $1
            }, lane: .kept, rate: 10, timeout: .seconds(2))
        stream.servers = [LoadServer(host: "a", address: "10.0.0.1")]
        let trial = try await LoadTrial.run([stream], for: .milliseconds(2500))
        let identities = trial.events.compactMap { event -> String? in
            if case .identified("a", let identity, at: _) = event { identity } else { nil }
        }
        #expect(identities == ["me"])
        // 22 connections, 10 to spare, and one that asks the server.
        #expect(try readFile(log).count { $0 == 10 } == 33)
    }

    @Test(arguments: [
        (["sh", "-c", "echo first >&2; echo why >&2"], "sh has ended: why"),
        (
            ["sh", "-c", "exec cat"],
            "no answer to request 1: '{\"connection\":\"kept\",\"deadline_ms\":300,\"id\":1,\"key\":\"firedrill\",\"op\":\"read\"}'"
        ),
        (["sh", "-c", "echo busy >&2; exec sleep 1000"], "no answer within 5s: busy"),
        (["/none/such"], "/none/such: No such file or directory"),
    ])
    func `a ledger that cannot be prepared says why`(
        words: [String], reason: String
    ) async throws {
        try await onThread {
            let client = try ProcessClient(
                parameters: ["command": try JSONLine.encode(words)], lane: .kept)
            do {
                let session = try client.session(.endpoint, timeout: .milliseconds(300))
                defer { session.close() }
                try session.prepare()
                Issue.record("it was prepared")
            } catch {
                #expect("\(error)" == reason)
            }
        }
    }

    @Test func `one server by itself is asked only where the program can`() async throws {
        try await onThread {
            let server = SessionTarget.server(LoadServer(host: "a", address: "10.0.0.1"))
            let answer = #"{"id":\1,"outcome":"ok","host":"me"}"#
            let plain = try ProcessClient(parameters: try Self.sed(answer), lane: .kept)
            #expect(throws: SessionError.self) {
                try plain.session(server, timeout: .seconds(5))
            }
            let script =
                "s/.*\"server\":\"\\([^\"]*\\)\".*/{\"id\":1,\"outcome\":\"ok\",\"host\":\"\\1\"}/"
            let able = try ProcessClient(
                parameters: try Self.command("sed", "-u", script).merging(["servers": "yes"]) {
                    $1
                }, lane: .kept)
            let session = try able.session(server, timeout: .seconds(5))
            defer { session.close() }
            #expect(try session.identity() == "10.0.0.1")
        }
    }

    @Test(arguments: [
        ([:], "client process needs 'command'"),
        (["command": "[]"], "'command' names no program"),
        (["command": "python3 x.py"], "'command' must be a list of texts, not 'python3 x.py'"),
    ])
    func `a parameter that cannot be is refused with its reason`(
        parameters: [String: String], text: String
    ) {
        #expect(throws: ClientParameterError(text)) {
            _ = try ProcessClient(parameters: parameters, lane: .fresh)
        }
    }
}
