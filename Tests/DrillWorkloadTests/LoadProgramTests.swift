import DrillCore
import DrillWorkload
import Glibc
import Testing

/// The program itself, as the controller drives it.
@Suite(.serialized) struct LoadProgramTests {
    private static let server = ScriptedServer { connection in
        connection.stayAnd { connection.write("HTTP/1.1 204 No Content\r\n\r\n") }
    }

    /// Beside the tests' own program, where the build puts it.
    private static var program: String {
        let tests =
            CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return String(tests[..<(tests.lastIndex(of: "/") ?? tests.endIndex)]) + "/firedrill-load"
    }

    private static func command(_ command: LoadCommand) throws -> String {
        try JSONLine.encode(command) + "\n"
    }

    private struct Outcome: Sendable {
        var code: Int32
        var last: LoadEvent?
        var contents: OperationsFile.Contents
    }

    /// Runs the program; `act` has its pid, its first intended instant and its standard input.
    private static func run(
        _ stream: LoadStream, under wrapper: [String] = [],
        act: @escaping @Sendable (pid_t, RunInstant, (String) -> Void) throws -> Void
    ) async throws -> Outcome {
        try await onThread {
            let path = temporaryPath()
            defer { unlink(path) }
            let arguments = wrapper + [program]
            let child = try ChildProcess(arguments[0], Array(arguments.dropFirst()))
            let plan = LoadPlan(seed: 1, streams: [stream], output: path)
            child.write(try command(.run(plan)))
            guard let line = child.readLine(),
                case .started(let at) = try JSONLine.decode(LoadEvent.self, from: line)
            else { throw LoadTrialError("it did not start") }
            try act(child.pid, at) { child.write($0) }
            let events = child.readAll().split(separator: "\n")
            let code = child.wait().code
            return Outcome(
                code: code,
                last: try events.last.map { try JSONLine.decode(LoadEvent.self, from: $0) },
                contents: try OperationsFile.decode(readFile(path)))
        }
    }

    @Test func `it stops when told, and interrupts do not reach it`() async throws {
        let stream = LoadTrial.stream(["url": Self.server.url])
        let outcome = try await Self.run(stream) { pid, start, write in
            for number in [SIGINT, SIGHUP, SIGPIPE] { kill(pid, number) }
            write(try Self.command(.stop(at: start + .milliseconds(300))))
        }
        #expect(outcome.code == 0)
        #expect(outcome.contents.isComplete)
        #expect(outcome.contents.streams[0].operations.count == 30)
        #expect(outcome.contents.streams[0].operations.allSatisfy { $0.outcome == .ok })
        guard case .finished = outcome.last else {
            Issue.record("the last event is \(String(describing: outcome.last))")
            return
        }
    }

    @Test func `when it was stopped itself, what is overdue begins at once and says how late`()
        async throws
    {
        let stream = LoadTrial.stream(["url": Self.server.url])
        let outcome = try await Self.run(stream) { pid, start, write in
            write(try Self.command(.stop(at: start + .milliseconds(600))))
            sleep(until: start + .milliseconds(203))
            kill(pid, SIGSTOP)
            sleep(until: start + .milliseconds(403))
            kill(pid, SIGCONT)
        }
        let operations = outcome.contents.streams[0].operations
        #expect(operations.count == 60)
        #expect(operations.allSatisfy { $0.outcome == .ok })
        // Intended at 210 ms, the first in the stop, and taken up at its end with all that follow.
        let held = operations[21...39]
        #expect(held.allSatisfy { $0.dispatched - operations[0].intended >= .milliseconds(400) })
        let first = try #require(held.first)
        let last = try #require(held.last)
        #expect(last.dispatched - first.dispatched < .milliseconds(100))
        #expect(first.dispatched - first.intended >= .milliseconds(190))
    }

    @Test
    func `a killed program leaves a file that can be read up to its last quarter of a second`()
        async throws
    {
        let stream = LoadTrial.stream(
            client: "tcp", ["address": Self.server.address], rate: 1000)
        let outcome = try await Self.run(stream) { pid, start, _ in
            sleep(until: start + .milliseconds(1000))
            kill(pid, SIGKILL)
        }
        #expect(outcome.code == 128 + SIGKILL)
        #expect(!outcome.contents.isComplete)
        #expect(outcome.contents.streams[0].operations.count >= 700)
    }

    @Test func `running out of descriptors is the generator's failure, not the system's`()
        async throws
    {
        let mute = ScriptedServer { connection in connection.stayAnd {} }
        let stream = LoadTrial.stream(["url": mute.url], rate: 500, timeout: .milliseconds(400))
        let outcome = try await Self.run(
            stream, under: ["/bin/sh", "-c", "ulimit -n 64; exec \"$0\""]
        ) { pid, start, write in
            write(try Self.command(.stop(at: start + .milliseconds(500))))
        }
        mute.stop()
        let operations = outcome.contents.streams[0].operations
        #expect(operations.count == 250)
        let unsent = operations.filter { $0.outcome == .unsentGenerator }
        #expect(unsent.count > 100)
        #expect(unsent.allSatisfy { $0.sent == nil && $0.completed == nil })
        #expect(operations.allSatisfy { $0.outcome == .unsentGenerator || $0.outcome == .failed })
    }

    @Test func `a plan that cannot be ends it with the reason`() async throws {
        let line = try await onThread {
            let child = try ChildProcess(Self.program, [])
            let stream = LoadTrial.stream(client: "smtp", [:])
            child.write(
                try Self.command(
                    .run(LoadPlan(seed: 1, streams: [stream], output: "/dev/null"))))
            let line = child.readAll()
            return "\(child.wait().code) \(line)"
        }
        #expect(
            line
                == "1 {\"failed\":{\"_0\":\"stream w/fresh/read: no client 'smtp'; there are: http, tcp, redis, postgres, etcd, mysql, process\"}}\n"
        )
    }

    @Test func `the end of its input is a stop`() async throws {
        let count = try await onThread {
            let path = temporaryPath()
            defer { unlink(path) }
            let stream = LoadTrial.stream(["url": Self.server.url])
            let plan = try Self.command(.run(LoadPlan(seed: 1, streams: [stream], output: path)))
            let child = try ChildProcess(
                "/bin/sh", ["-c", "(head -n 1; sleep 0.3) | \"$0\"", Self.program])
            child.write(plan)
            _ = child.readAll()
            let code = child.wait().code
            let contents = try OperationsFile.decode(readFile(path))
            guard code == 0, contents.isComplete else { throw LoadTrialError("exit \(code)") }
            return contents.streams[0].operations.count
        }
        #expect(count >= 20 && count <= 80)
    }
}
