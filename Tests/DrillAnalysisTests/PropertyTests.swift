import DrillAnalysis
import DrillCore
import DrillTesting
import Testing

/// The definition of an outage, read aloud: every stretch is counted anew.
private func naive(_ trace: StreamTrace) -> OutageDetection {
    var found = OutageDetection(outages: [], blips: [])
    var open: Outage?
    for index in 0..<trace.count {
        let start = trace.operations[index].intended
        let stretch = (0..<trace.count).filter {
            trace.operations[$0].intended >= start
                && trace.operations[$0].intended < start + trace.stable
                && $0 >= index
        }
        let bad = stretch.count { trace.operations[$0].isBad(slow: trace.workload.slow) }
        let sent = stretch.count { !trace.operations[$0].outcome.isUnsent }
        let complete =
            start + trace.stable
            <= trace.operations[trace.count - 1].intended + trace.workload.period
        if trace.operations[index].isBad(slow: trace.workload.slow) {
            if open != nil {
                open?.lastBad = index
            } else if bad >= trace.k {
                open = Outage(firstBad: index, lastBad: index, end: nil)
            } else {
                found.blips.append(index)
            }
        } else if trace.operations[index].isGood(slow: trace.workload.slow), var ended = open,
            complete, bad < trace.k, sent >= max(20, trace.n / 2)
        {
            ended.end = index
            found.outages.append(ended)
            open = nil
        }
    }
    if let open { found.outages.append(open) }
    return found
}

private struct RandomTrace {
    var operations: [ClientOperation]
    var successRate: Double

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed, stream: 0)
        operations = []
        successRate = [1.0, 0.99, 0.95][Int.random(in: 0..<3, using: &random)]
        var mood = 0
        for index in 0..<Int.random(in: 50...500, using: &random) {
            if Int.random(in: 0..<40, using: &random) == 0 {
                mood = Int.random(in: 0..<5, using: &random)
            }
            let at = RunInstant(nanoseconds: Int64(index) * 10_000_000)
            let dice = Int.random(in: 0..<100, using: &random)
            let latency = Duration.milliseconds(Int.random(in: 1...240, using: &random))
            let bad = [1, 0, 30, 95, 0][mood]
            let unsent = mood == 4 ? 60 : 0
            let outcome: Outcome = dice < bad ? .failed : dice < unsent ? .unsentConnection : .ok
            operations.append(
                ClientOperation(
                    intended: at, dispatched: at, sent: outcome.isUnsent ? nil : at,
                    completed: at + (outcome == .ok ? latency : .milliseconds(250)),
                    outcome: outcome))
        }
    }

    var trace: StreamTrace {
        StreamTrace(
            name: "web/fresh/read",
            workload: Workload(name: "web", client: "http", rate: 100, timeout: .milliseconds(250)),
            successRate: successRate, stable: .seconds(1), operations: operations)
    }

    func report(t0: Double, heal: Double) -> TrialReport {
        let workload = Workload(name: "web", client: "http", rate: 100, timeout: .milliseconds(250))
        return TrialAnalysis.analyze(
            TrialInput(
                scenario: Scenario(
                    name: "random", workloads: [workload],
                    steadyState: SteadyState(successRate: successRate), timeline: [Drill.step()]),
                system: System(name: "pair", hosts: []),
                history: History(
                    streams: [OperationStream(name: "web/fresh/read", operations: operations)],
                    events: [.injected(at: t0), .healBegun(at: heal), .end(at: 9_000)]), index: 1))
    }
}

@Test func `outages are those of the naive reading`() {
    for seed in UInt64(1)...60 {
        let trace = RandomTrace(seed: seed).trace
        #expect(OutageDetection.detect(trace) == naive(trace), "seed \(seed)")
    }
}

@Test func `a random history keeps its report when it is shifted or permuted`() {
    for seed in UInt64(1)...40 {
        var random = RandomTrace(seed: seed)
        let plain = random.report(t0: 1_000, heal: 3_000)
        var generator = SeededGenerator(seed: seed, stream: 1)
        random.operations.shuffle(using: &generator)
        #expect(random.report(t0: 1_000, heal: 3_000) == plain, "seed \(seed)")
    }
}

/// By the lower bound: t5 is the completion of the operation that ends an outage, and one that fails instead may have
/// been a slower one than its successor.
@Test func `adding a failure never improves the RTO`() throws {
    for seed in UInt64(1)...150 {
        var random = RandomTrace(seed: seed)
        let last = Double(random.operations.count) * 10
        let heal = last * 0.7
        let before = random.report(t0: last * 0.3, heal: heal).steps[0].rto
        var generator = SeededGenerator(seed: seed, stream: 2)
        let from = random.operations.count * 3 / 10
        let to = random.operations.count * 6 / 10
        let index = Int.random(in: from..<max(from + 1, to), using: &generator)
        random.operations[index].outcome = .failed
        let after = random.report(t0: last * 0.3, heal: heal).steps[0].rto
        // An outage that is open at the heal, or unknown, is as bad as can be.
        guard before.status == .measured, after.status == .measured else {
            #expect(before.status == .measured || after.status != .measured, "seed \(seed)")
            continue
        }
        #expect(
            try #require(after.low) >= (try #require(before.low)),
            "seed \(seed): \(before) \(after)")
    }
}

@Test func `a million operations take seconds`() throws {
    let clock = ContinuousClock()
    let operations = try Trace("10000/s; until 100; timeout 250ms; silent 30.0-33.0").operations()
    let workload = Workload(name: "web", client: "http", rate: 10_000, timeout: .milliseconds(250))
    let history = History(
        streams: [OperationStream(name: "web/fresh/read", operations: operations)],
        events: [.injected(at: 30_000), .healBegun(at: 60_000), .end(at: 101_000)])
    let scenario = Scenario(name: "large", workloads: [workload], timeline: [Drill.step()])
    var report: TrialReport?
    let took = clock.measure {
        report = TrialAnalysis.analyze(
            TrialInput(
                scenario: scenario, system: System(name: "pair", hosts: []), history: history,
                index: 1))
    }
    #expect(report?.steps[0].rto.value == 3001)
    // Debug builds on a crowded machine; quadratic work would take hours.
    #expect(took < .seconds(60), "\(took)")
}
