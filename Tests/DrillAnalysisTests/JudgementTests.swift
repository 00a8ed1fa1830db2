import DrillAnalysis
import DrillCore
import DrillTesting
import Testing

// The testing library has a type of that name too.
private typealias Expected = DrillCore.Expectation

@Test(arguments: [
    (3, 3, 0.368403), (20, 20, 0.860892), (0, 5, 0.0), (0, 0, 0.0), (1, 1, 0.05), (9, 10, 0.605842),
    (19, 20, 0.783894), (5, 10, 0.222441), (99, 100, 0.953446), (1, 2, 0.025321),
])
func `Clopper-Pearson lower bound`(_ successes: Int, _ trials: Int, _ bound: Double) {
    let lower = BinomialBound.lower(successes: successes, trials: trials)
    #expect(abs(lower - bound) < 1e-5, "\(lower)")
}

/// The bound is where the chance of this many successes or more is 5 %: by the plain sum.
@Test func `Clopper-Pearson lower bound inverts the binomial tail`() {
    for trials in 1...40 {
        for successes in 1...trials {
            let p = BinomialBound.lower(successes: successes, trials: trials)
            var tail = 0.0
            for count in successes...trials {
                var term = 1.0
                for factor in 0..<count { term *= Double(trials - factor) / Double(factor + 1) * p }
                for _ in 0..<(trials - count) { term *= 1 - p }
                tail += term
            }
            #expect(abs(tail - 0.05) < 1e-9, "\(successes)/\(trials)")
        }
    }
}

@Test func `successes still needed for 90 percent from nothing are 29`() {
    #expect(BinomialBound.successesStillNeeded(successes: 0, trials: 0, for: 0.9) == 29)
    #expect(BinomialBound.successesStillNeeded(successes: 29, trials: 29, for: 0.9) == 0)
    #expect(BinomialBound.successesStillNeeded(successes: 3, trials: 3, for: 1) == nil)
}

@Test(arguments: [
    (Expected.Aggregate.min, 5, 1), (.median, 5, 3), (.median, 4, 2), (.max, 5, 5),
    (.percentile(95), 20, 19), (.percentile(95), 21, 20), (.percentile(90), 10, 9),
    (.percentile(50), 1, 1),
])
private func `nearest rank`(_ aggregate: Expected.Aggregate, _ count: Int, _ rank: Int) {
    #expect(Judgement.rank(aggregate, of: count) == rank)
}

@Test(arguments: [(95, 20), (90, 10), (99, 100), (50, 2)])
func `p(N) needs trials`(_ percent: Int, _ trials: Int) {
    #expect(Judgement.leastTrials(.percentile(percent)) == trials)
}

private struct JudgeRow: Sendable {
    var aggregate: Expected.Aggregate
    var comparison = Comparison.lessOrEqual
    var threshold: Double
    var known: [TrialEvidence]
    var missing = 0
    var verdict: Verdict
}

private func between(_ low: Double, _ high: Double) -> TrialEvidence {
    TrialEvidence(value: high, low: low, high: high)
}
private func censored(_ bound: Double) -> TrialEvidence {
    TrialEvidence(value: bound, low: bound, high: .infinity, censored: true)
}

private let judgeRows: [JudgeRow] = [
    JudgeRow(aggregate: .max, threshold: 300, known: [between(200, 300)], verdict: .pass),
    JudgeRow(aggregate: .max, threshold: 250, known: [between(200, 300)], verdict: .inconclusive),
    JudgeRow(aggregate: .max, threshold: 199, known: [between(200, 300)], verdict: .fail),
    JudgeRow(
        aggregate: .max, comparison: .less, threshold: 300, known: [between(200, 300)],
        verdict: .inconclusive),
    JudgeRow(
        aggregate: .max, threshold: 300, known: [between(200, 300)], missing: 1,
        verdict: .inconclusive),
    JudgeRow(
        aggregate: .max, threshold: 199, known: [between(200, 300)], missing: 9, verdict: .fail),
    JudgeRow(
        aggregate: .min, threshold: 300, known: [between(200, 300)], missing: 1, verdict: .pass),
    JudgeRow(
        aggregate: .median, threshold: 300, known: [between(1, 2), between(1, 2), between(1, 2)],
        missing: 2, verdict: .pass),
    JudgeRow(
        aggregate: .median, threshold: 300, known: [between(1, 2), between(1, 2)], missing: 2,
        verdict: .pass),
    JudgeRow(
        aggregate: .median, threshold: 300, known: [between(1, 2), between(1, 2)], missing: 3,
        verdict: .inconclusive),
    JudgeRow(
        aggregate: .median, threshold: 300,
        known: [between(400, 500), between(400, 500), between(1, 2)], verdict: .fail),
    // The highs say 300 and 290, the lows 100 and 280: ranks of each, not of pairs.
    JudgeRow(
        aggregate: .max, threshold: 285, known: [between(100, 300), between(280, 290)],
        verdict: .inconclusive),
    JudgeRow(
        aggregate: .max, threshold: 5000, known: [between(1, 2), censored(8000)], verdict: .fail),
    JudgeRow(
        aggregate: .max, threshold: 9000, known: [between(1, 2), censored(8000)],
        verdict: .inconclusive),
    JudgeRow(
        aggregate: .median, threshold: 9000, known: [between(1, 2), between(1, 2), censored(100)],
        verdict: .pass),
    JudgeRow(
        aggregate: .percentile(95), threshold: 9000,
        known: Array(repeating: between(1, 2), count: 19), verdict: .inconclusive),
    JudgeRow(
        aggregate: .percentile(95), threshold: 9000,
        known: Array(repeating: between(1, 2), count: 20), verdict: .pass),
    JudgeRow(
        aggregate: .min, comparison: .greaterOrEqual, threshold: 0.4, known: [between(0.3, 0.3)],
        missing: 3, verdict: .fail),
    JudgeRow(
        aggregate: .min, comparison: .greaterOrEqual, threshold: 0.4, known: [between(0.5, 0.5)],
        verdict: .pass),
    JudgeRow(
        aggregate: .max, comparison: .equal, threshold: 0,
        known: [TrialEvidence(value: 0, low: 0, high: 260)], verdict: .pass),
    JudgeRow(
        aggregate: .max, comparison: .equal, threshold: 0, known: [between(1, 1)], missing: 1,
        verdict: .fail),
    JudgeRow(aggregate: .max, threshold: 1, known: [], missing: 3, verdict: .inconclusive),
]

@Test(arguments: judgeRows)
private func `a threshold is judged by the interval, whatever missing trials would say`(
    _ row: JudgeRow
) {
    let result = Judgement.judge(
        row.aggregate, row.comparison, row.threshold, known: row.known, missing: row.missing)
    #expect(result.verdict == row.verdict)
}

let facts = RunFacts(id: "r", scenario: "s", system: "y", lab: "namespaces", version: "0")

private func run(
    _ traces: [String], trials: Int? = nil, _ expectations: [Expected] = [],
    change: (inout [TrialReport]) -> Void = { _ in }, leftBehind: [String] = []
) throws -> RunReport {
    var reports: [TrialReport] = []
    var scenario: Scenario?
    for (index, trace) in traces.enumerated() {
        var drill = Drill(trace: trace)
        drill.expectations = expectations
        var input = try drill.input
        input.index = index + 1
        input.scenario.trials = trials ?? traces.count
        scenario = input.scenario
        reports.append(TrialAnalysis.analyze(input))
    }
    change(&reports)
    let input = try Drill(trace: "").input
    return RunAnalysis.judge(
        scenario: scenario ?? input.scenario, system: input.system, trials: reports, facts: facts,
        leftBehind: leftBehind)
}

let good = "100/s; silent 3.0-3.3"
private let unsettled = "100/s; silent 3.0-10.6"

private func rto(_ threshold: Double) -> Expected {
    Expected(
        metric: "rto", condition: .threshold(.max, .lessOrEqual, threshold),
        text: "max <= \(threshold)")
}

@Test func `fail over inconclusive over pass, and the exit codes`() throws {
    let cases: [([String], Double, Verdict, Int32)] = [
        ([good, good], 5000, .pass, 0), ([good, unsettled], 5000, .inconclusive, 2),
        ([good, unsettled], 100, .fail, 1), ([good, good], 295, .inconclusive, 2),
        ([unsettled], 100, .inconclusive, 2),
        (["100/s; silent 3.0-11.0"], 5000, .fail, 1),
    ]
    for (traces, threshold, verdict, code) in cases {
        let report = try run(traces, [rto(threshold)])
        #expect(report.verdict == verdict, "\(traces) \(threshold) \(report.reasons)")
        #expect(report.exitCode == code)
        #expect(report.verdict == .pass || !report.reasons.isEmpty)
    }
}

@Test func `trials that did not run are missing evidence`() throws {
    let report = try run([good], trials: 3, [rto(5000)])
    #expect(report.verdict == .inconclusive)
    #expect(report.reasons.contains("1 of 3 trials ran"))
}

@Test func `a retry replaces an inconclusive attempt, which still counts in the pessimistic bound`()
    throws
{
    let report = try run([unsettled, good], trials: 1, [rto(5000)]) { trials in
        trials[0].index = 1
        trials[1].index = 1
        trials[1].attempt = 2
    }
    #expect(report.verdict == .pass)
    #expect(report.trials.count == 2)
    #expect(report.summary.trials == 1)
    #expect(report.summary.failover.successes == 1)
    #expect(report.summary.failover.trials == 1)
    let rates = [
        report.summary.failover.provedRate95, report.summary.failover.provedRate95Pessimistic,
    ]
    #expect(abs((rates[0] ?? 0) - 0.05) < 1e-9)
    #expect(abs((rates[1] ?? 0) - 0.025320565519104) < 1e-9)
}

@Test func `split brain seen in a replaced, inconclusive attempt still fails`() throws {
    let never = Expected(metric: "split_brain", condition: .never, text: "never", implied: true)
    let report = try run([unsettled, good], trials: 1, [never]) { trials in
        trials[0].index = 1
        trials[1].index = 1
        trials[1].attempt = 2
        trials[0].splitBrain.seen = true
        trials[1].splitBrain.seen = false
    }
    #expect(report.verdict == .fail)
    #expect(report.expectations[0].observed == .word("seen"))
}

@Test func `a failover with an unknown split brain is neither success nor failure`() throws {
    let proved = Expected(
        metric: "failover_proved", condition: .threshold(.min, .greaterOrEqual, 0.99),
        text: "min >= 99%")
    func judged(_ count: Int) throws -> RunReport {
        try run([good, good, good], [proved]) { trials in
            for index in 0..<count {
                trials[index].failover = nil
                trials[index].splitBrain.seen = nil
            }
            for index in count..<3 { trials[index].splitBrain.seen = false }
        }
    }
    let sure = try judged(0).summary.failover
    let doubted = try judged(1)
    #expect(doubted.summary.failover.trials == 2)
    #expect(doubted.summary.failover.successes == 2)
    #expect(doubted.expectations[0].verdict == .inconclusive)
    let pessimistic = try #require(doubted.summary.failover.provedRate95Pessimistic)
    #expect(pessimistic < (doubted.summary.failover.provedRate95 ?? 0))
    #expect(sure.provedRate95 == sure.provedRate95Pessimistic)
}

@Test func `stale reads in a replaced, inconclusive attempt still fail`() throws {
    for metric in ["stale_reads", "lost_updates"] {
        let none = Expected(
            metric: metric, condition: .threshold(.max, .equal, 0), text: "max == 0")
        for (count, verdict) in [(5, Verdict.fail), (0, .pass)] {
            let report = try run([unsettled, good], trials: 1, [none]) { trials in
                trials[0].index = 1
                trials[1].index = 1
                trials[1].attempt = 2
                for index in trials.indices {
                    trials[index].consistency = ConsistencyReport(
                        operations: 10, keys: 1, linearizable: true, staleReads: 0, lostUpdates: 0)
                }
                trials[0].consistency?.staleReads = count
                trials[0].consistency?.lostUpdates = count
            }
            #expect(report.verdict == verdict, "\(metric)")
        }
    }
}

@Test func `the expected harm of an unsafe configuration passes only where it was seen`() throws {
    let seen = Expected(metric: "split_brain", condition: .seen, text: "seen")
    for (value, verdict) in [(true, Verdict.pass), (false, .fail), (nil, .inconclusive)]
        as [(Bool?, Verdict)]
    {
        let report = try run([good], [seen]) { $0[0].splitBrain.seen = value }
        #expect(report.verdict == verdict)
    }
}

@Test func `exit codes replace the code and never the verdict`() throws {
    let restore = try run([good], [rto(5000)]) { $0[0].steps[0].heal = .restoreFailed }
    #expect(restore.verdict == .pass)
    #expect(restore.exitCode == 5)
    #expect(restore.heal.verdict == .restoreFailed)
    let left = try run([good], [rto(5000)], leftBehind: ["cgroup firedrill-x"])
    #expect(left.exitCode == 5)
    for (end, code) in [
        ("interrupted: SIGINT", Int32(130)), ("interrupted: SIGTERM", 143),
        ("capability: no TUN", 4),
        ("injection_failed: x", 4), ("not_ready: x", 2),
    ] {
        let report = try run([good], [rto(5000)]) { trials in
            trials[0].end = end
            trials[0].verdict = .inconclusive
        }
        #expect(report.verdict == .inconclusive)
        #expect(report.exitCode == code, "\(end)")
    }
}

@Test func `an implied expectation that nothing could show is no verdict`() throws {
    let implied = Expected(
        metric: "rpo_writes", condition: .threshold(.max, .equal, 0), text: "max == 0",
        implied: true)
    let report = try run([good], [implied])
    #expect(report.verdict == .pass)
    #expect(report.expectations.isEmpty)
    #expect(report.notEvidenced.contains { $0.hasPrefix("rpo_writes") })
    var written = implied
    written.implied = false
    #expect(try run([good], [written]).verdict == .inconclusive)
}

@Test func `failover proved needs enough trials`() throws {
    let proved = Expected(
        metric: "failover_proved", condition: .threshold(.min, .greaterOrEqual, 0.35),
        text: "min >= 35%")
    #expect(try run([good, good, good], [proved]).verdict == .pass)
    let two = try run([good, good], [proved])
    #expect(two.verdict == .inconclusive)
    #expect(two.summary.failover.trialsStillNeeded == 1)
}

@Test
func `an attempt that a retry replaced takes nothing from what was proved, a missing trial does`()
    throws
{
    let proved = Expected(
        metric: "failover_proved", condition: .threshold(.min, .greaterOrEqual, 0.35),
        text: "min >= 35%")
    let replaced = try run([unsettled, good, good, good], trials: 3, [proved]) { trials in
        trials[0].index = 2
        trials[1].attempt = 2
    }
    #expect(replaced.verdict == .pass)
    #expect(replaced.summary.failover.provedRate95Pessimistic.map { $0 < 0.35 } == true)
    #expect(try run([unsettled, good, good, good], [proved]).verdict == .inconclusive)
    // One trial is missing: if it succeeded, 1 of 3 would still refute it.
    var high = proved
    high.condition = .threshold(.min, .greaterOrEqual, 0.99)
    let never = "100/s; silent 3.0-11.0"
    #expect(try run([never, never, unsettled], [high]).verdict == .fail)
}

@Test func `the summary ranks censored values above all and never shows them as numbers`() throws {
    let summary = try run([good, "100/s; silent 3.0-3.5", "100/s; silent 3.0-11.0"]).summary
    #expect(summary.rto.min == 301)
    #expect(summary.rto.median == 501)
    #expect(summary.rto.max == nil)
    #expect(summary.rto.censored == 1)
    #expect(summary.rto.p95 == nil)
    #expect(summary.failover.successes == 2)
    #expect(summary.failover.trials == 3)
}

@Test func `a step or workload in the metric's name narrows it`() throws {
    for (step, workload, verdict) in [
        ("kill", "web", Verdict.pass), ("kill", "api", .inconclusive),
        ("other", "web", .inconclusive),
    ] {
        var expectation = rto(5000)
        expectation.step = StepID(step)
        expectation.workload = WorkloadName(workload)
        #expect(try run([good], [expectation]).verdict == verdict, "\(step) \(workload)")
    }
}

@Test func `a stream that was never answered has no latency that could pass`() throws {
    var input = try Drill(trace: good).input
    input.scenario.workloads[0].lanes = [.fresh, .kept]
    let expected = Expected(
        metric: "latency.p99", condition: .threshold(.max, .lessOrEqual, 250),
        text: "max <= 250ms")
    input.scenario.expectations = [expected]
    func verdict(_ kept: String) throws -> Verdict? {
        var input = input
        input.history.streams.append(
            OperationStream(
                name: "web/kept/read", operations: try Trace(kept).operations()))
        return RunAnalysis.judge(
            scenario: input.scenario, system: input.system,
            trials: [TrialAnalysis.analyze(input)], facts: facts
        ).expectations.first { $0.metric == "latency.p99" }?.verdict
    }
    #expect(try verdict(good) == .pass)
    #expect(try verdict("100/s; silent 2.9-20") == .inconclusive)
}
