import DrillCore
import Glibc
import Synchronization

/// `firedrill bench load`: our engine, wrk and h2load against one nginx on loopback, in one run.
///
/// How late operations begin and what each costs, at one rate; then what each says of a server that is stopped for
/// a second, beside what the server did. It takes half a minute.
package enum LoadBench {
    private static let rate = 5000.0
    private static let length = Duration.seconds(3)
    private static let stoppedRate = 1000.0
    private static let stoppedLength = Duration.seconds(6)
    private static let tools = [
        (program: "nginx", package: "nginx-light"), (program: "wrk", package: "wrk"),
        (program: "h2load", package: "nghttp2-client"),
    ]

    /// Prints as it goes; the exit code: 0, or 4 where a program is missing, or 70 where one failed.
    package static func run(print: (String) -> Void) -> Int32 {
        let missing = tools.filter { ProgramPath.find($0.program) == nil }
        for tool in missing {
            print("\(tool.program) is missing: install the Debian package \(tool.package)")
        }
        guard missing.isEmpty else { return 4 }
        do {
            try measureRate(print: print)
            try measureStop(print: print)
            return 0
        } catch {
            print("bench load: \(error)")
            return 70
        }
    }

    // MARK: At one rate

    private static func measureRate(print: (String) -> Void) throws {
        let server = try LocalServer()
        defer { withExtendedLifetime(server) {} }
        print("\(Int(rate))/s for \(length.spelled), kept connections")
        let ours = try engine(server, rate: rate, length: length, timeout: .milliseconds(500)) {
            _ in
        }
        let lags = ours.operations.map { Double(($0.dispatched - $0.intended).nanoseconds) / 1e3 }
            .sorted()
        print(
            "  firedrill  dispatched − intended: p50 \(text(quantile(lags, 50))) µs, p99 \(text(quantile(lags, 99))) µs, max \(text(lags.last ?? 0)) µs\(ours.summary.isRealtime ? "" : " (SCHED_FIFO not allowed)")"
        )
        print("             \(text(cost(ours.cpu, ours.operations.count))) µs of CPU an operation")
        for tool in [OtherTool.wrk, .h2load] {
            let result = try tool.run(server.url, rate: rate, length: length) {}
            print(
                "  \(tool.name)  \(text(cost(result.cpu, result.requests))) µs of CPU an operation, \(result.requests) done"
            )
        }
    }

    // MARK: A stopped server

    private static func measureStop(print: (String) -> Void) throws {
        print("")
        print(
            "\(Int(stoppedRate))/s for \(stoppedLength.spelled), the server stopped by SIGSTOP for 1 s"
        )
        print("  true       p90 400 ms, p99 940 ms")
        let server = try LocalServer()
        let pid = server.pid
        let continued = Mutex<RunInstant?>(nil)
        let ours = try engine(
            server, rate: stoppedRate, length: stoppedLength, timeout: .seconds(2)
        ) { start in
            let back = stop(pid, from: start + .microseconds(1_999_500), until: start + .seconds(3))
            continued.withLock { $0 = back }
        }
        let latencies = ours.operations.compactMap { operation in
            operation.completed.map { ($0 - operation.intended).milliseconds }
        }.sorted()
        let (p90, p99) = (quantile(latencies, 90), quantile(latencies, 99))
        print(
            "  firedrill  p90 \(text(p90)) ms, p99 \(text(p99)) ms: error \(percent(p90, 400)), \(percent(p99, 940))"
        )
        if let back = continued.withLock({ $0 }) {
            let held = ours.operations.filter {
                $0.intended < back && ($0.completed ?? back) > back
            }
            let last = held.compactMap(\.completed).max() ?? back
            print(
                "             nginx took \(text((last - back).milliseconds)) ms to answer the \(held.count) that it held, which is in these"
            )
        }
        for tool in [OtherTool.wrk, .h2load] {
            let result = try tool.run(server.url, rate: stoppedRate, length: stoppedLength) {
                _ = stop(pid, from: .now + .seconds(2), until: .now + .seconds(3))
            }
            print("  \(tool.name)  \(result.says)")
        }
    }

    private static func stop(_ pid: Int32, from: RunInstant, until: RunInstant) -> RunInstant {
        pause(until: from)
        kill(pid, SIGSTOP)
        pause(until: until)
        kill(pid, SIGCONT)
        return .now
    }

    private static func pause(until instant: RunInstant) {
        let left = (instant - .now).nanoseconds
        if left > 0 { usleep(useconds_t(left / 1000)) }
    }

    // MARK: Our engine

    private struct EngineResult {
        var operations: [ClientOperation]
        var summary: LoadSummary
        var cpu: Duration
    }

    private static func engine(
        _ server: LocalServer, rate: Double, length: Duration, timeout: Duration,
        meanwhile: (RunInstant) -> Void
    ) throws -> EngineResult {
        DescriptorLimit.raise()
        let path = "/tmp/firedrill-bench-\(getpid()).ops"
        defer { unlink(path) }
        let stream = LoadStream(
            name: StreamName(workload: "bench", lane: .kept, kind: .read), client: "http",
            parameters: ["url": server.url], lane: .kept, kind: .read, rate: rate,
            arrival: .constant, timeout: timeout, slow: timeout,
            connections: Workload.defaultConnections(rate: rate, timeout: timeout),
            stable: .seconds(1), k: 1, leastSent: 20)
        let started = Mutex<RunInstant?>(nil)
        let before = rusage.ofThisProcess.cpu
        let run = try LoadRun(LoadPlan(seed: 1, streams: [stream], output: path)) { event in
            if case .started(let at) = event { started.withLock { $0 = at } }
        }
        var start: RunInstant?
        while start == nil {
            usleep(1000)
            start = started.withLock { $0 }
        }
        let first = start ?? .now
        run.stop(at: first + length)
        meanwhile(first)
        let summary = try run.wait()
        let cpu = rusage.ofThisProcess.cpu - before
        let contents = try OperationsFile.decode(try BenchFile.read(path))
        return EngineResult(
            operations: contents.streams.first?.operations ?? [], summary: summary, cpu: cpu)
    }

    // MARK: Numbers

    private static func quantile(_ sorted: [Double], _ p: Int) -> Double {
        sorted.isEmpty ? 0 : sorted[(sorted.count * p + 99) / 100 - 1]
    }

    private static func cost(_ cpu: Duration, _ operations: Int) -> Double {
        operations == 0 ? 0 : cpu.milliseconds * 1e3 / Double(operations)
    }

    private static func text(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func percent(_ value: Double, _ truth: Double) -> String {
        let tenths = Int(((value - truth) / truth * 1000).rounded())
        return "\(tenths < 0 ? "−" : "+")\(abs(tenths) / 10).\(abs(tenths) % 10) %"
    }
}
