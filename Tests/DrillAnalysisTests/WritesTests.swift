import DrillAnalysis
import DrillCore
import DrillTesting
import Testing

/// One known answer about data; counts, and milliseconds.
struct LossAnswer: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var trace = "100/s; service 0ms"
    /// Due instants of the writes that are gone at the end.
    var gone: [ClosedRange<Double>]
    var lost: Double
    var rpo: (low: Double, high: Double)
    var value: Double?
    var pattern: String?
    var divergent = 0
    var divergence: Double?
    var more: [HistoryEvent] = []
    var timeline: [Step]?

    var ledger: Ledger {
        let gone = gone
        var ledger = Ledger(trace: trace)
        ledger.kept = { due in !gone.contains { $0.contains(due) } }
        ledger.extra = more
        ledger.timeline = timeline
        return ledger
    }

    func expect(_ report: TrialReport, source: SourceLocation = #_sourceLocation) {
        #expect(report.rpoWrites == .measured(lost, low: lost, high: lost), sourceLocation: source)
        #expect(report.rpo.status == .measured, sourceLocation: source)
        #expect(report.rpo.low == rpo.low, sourceLocation: source)
        #expect(report.rpo.high == rpo.high, sourceLocation: source)
        #expect(report.rpo.value == value ?? rpo.high, sourceLocation: source)
        #expect(report.lossPattern == pattern, sourceLocation: source)
        #expect(report.writes?.lost == Int(lost), sourceLocation: source)
        #expect(report.writes?.divergent == divergent, sourceLocation: source)
        #expect(report.writes?.divergence == divergence, sourceLocation: source)
        #expect(report.writes?.unread == 0, sourceLocation: source)
    }

    static let cut = Drill.step("cut", "link.partition", end: .duration(.seconds(6)))

    static let all: [LossAnswer] = [
        // Due at 3.000 it is acknowledged at t0 itself: no later than the fault.
        LossAnswer(
            testDescription: "nothing is lost", gone: [], lost: 0, rpo: (0, 0), value: 0),
        LossAnswer(
            testDescription: "acknowledged until 2.96 kept, 2.97-2.99 lost",
            trace: "100/s; service 0ms; silent 3.0-3.3", gone: [2_970...2_990], lost: 3,
            rpo: (30, 40), pattern: "tail"),
        LossAnswer(
            testDescription: "only the write acknowledged at 1.00 is lost", gone: [1_000...1_000],
            lost: 1, rpo: (2000, 2010), pattern: "scattered"),
        LossAnswer(
            testDescription: "the very first write is lost: nothing was kept before the start",
            gone: [0...0], lost: 1, rpo: (3000, 3000), pattern: "scattered"),
        LossAnswer(
            testDescription: "the last one before the fault",
            trace: "100/s; service 0ms; silent 3.0-3.3", gone: [2_990...2_990], lost: 1,
            rpo: (10, 20), pattern: "tail"),
        LossAnswer(
            testDescription: "what was acknowledged after the fault and is gone is divergent",
            gone: [2_990...2_990, 3_010...3_050], lost: 6, rpo: (10, 20), pattern: "tail",
            divergent: 5, divergence: 40),
        LossAnswer(
            testDescription: "divergent only: no write of before the fault is lost",
            gone: [3_010...3_050], lost: 5, rpo: (0, 0), value: 0, pattern: "tail", divergent: 5,
            divergence: 40),
        LossAnswer(
            testDescription: "none lost, the newest acknowledgement 80 ms before the fault",
            trace: "100/s; service 0ms; silent 2.93-3.3", gone: [], lost: 0, rpo: (0, 80),
            value: 0),
        // Replication was cut at 1, the host killed at 3: the kill is the fault that lost them.
        LossAnswer(
            testDescription: "replication cut at 1, the host killed at 3",
            trace: "100/s; service 0ms; silent 3.0-3.3", gone: [1_010...2_990], lost: 199,
            rpo: (1990, 2000), pattern: "tail",
            more: [.injected("cut", "link.partition", at: 1_000)],
            timeline: [cut, Drill.step()]),
    ]
}

@Test(arguments: LossAnswer.all)
func `known answer about writes`(_ row: LossAnswer) throws {
    row.expect(try row.ledger.report)
}

@Test(arguments: LossAnswer.all, [Duration.seconds(3600), .nanoseconds(1), .seconds(-2)])
func `what was lost does not depend on when it happened`(
    _ row: LossAnswer, _ shift: Duration
) throws {
    var ledger = row.ledger
    let plain = try ledger.report
    ledger.shift = shift
    #expect(try ledger.report == plain)
}

@Test(arguments: LossAnswer.all)
func `what was lost does not depend on the order of completion`(_ row: LossAnswer) throws {
    var ledger = row.ledger
    let plain = try ledger.report
    ledger.arrange = { $0.reversed() }
    #expect(try ledger.report == plain)
    ledger.arrange = { operations in
        var random = SeededGenerator(seed: 7, stream: 0)
        return operations.shuffled(using: &random)
    }
    #expect(try ledger.report == plain)
}

@Test(arguments: [2, 3, 5])
func `thinned, what was lost still lies in the interval`(_ every: Int) throws {
    var ledger = LossAnswer.all[1].ledger
    ledger.arrange = { operations in
        operations.enumerated().filter { $0.offset % every == 297 % every }.map(\.element)
    }
    let rpo = try ledger.report.rpo
    #expect(try #require(rpo.low) <= 30)
    #expect(try #require(rpo.high) >= 40)
    #expect(try #require(ledger.report.writes?.lost) <= 3)
}

@Test func `one key unread: nobody knows`() throws {
    var ledger = Ledger()
    ledger.kept = { $0 == 2_500 ? nil : true }
    ledger.promisesNone = true
    let report = try ledger.report
    #expect(report.rpoWrites.status == .unknown)
    #expect(report.rpo.status == .unknown)
    #expect(report.rpo.reason == "1 of 1400 acknowledged writes were not read back")
    #expect(report.writes?.unread == 1)
    #expect(report.writes?.lost == 0)
    #expect(report.verdict == .inconclusive)
    #expect(report.failover == false)
}

private let none = Expectation(
    metric: "rpo_writes", condition: .threshold(.max, .equal, 0), text: "max == 0", implied: true)

@Test func `one lost write refutes that none is lost, whatever was not read`() throws {
    var ledger = Ledger(
        trace: "100/s; service 0ms; silent 3.0-3.3", promisesNone: true, expectations: [none])
    ledger.kept = { $0 == 2_500 ? nil : $0 != 2_990 }
    let run = try ledger.run()
    #expect(run.trials[0].rpoWrites.status == .unknown)
    #expect(run.trials[0].verdict == .fail)
    #expect(run.expectations[0].verdict == .fail)
    #expect(run.expectations[0].observed == .number(1))
    #expect(run.verdict == .fail)
    // A threshold that leaves room for it is not decided.
    ledger.expectations[0].condition = .threshold(.max, .lessOrEqual, 5)
    ledger.expectations[0].implied = false
    #expect(try ledger.run().expectations[0].verdict == .inconclusive)
}

@Test func `a lost write counts where the effect of the fault is not proven`() throws {
    var ledger = Ledger(promisesNone: true, expectations: [none])
    ledger.kept = { $0 != 2_990 }
    ledger.extra = [
        HistoryEvent(
            HistoryEvent.span(3_000, nil),
            .step(
                .init(
                    step: "kill", jitterNanoseconds: 0,
                    proof: StepProof(proven: false, witnesses: []))))
    ]
    #expect(try ledger.run().verdict == .fail)
    #expect(try ledger.run().expectations[0].verdict == .fail)
}

@Test func `no write was read back: unknown, with the reason`() throws {
    var ledger = Ledger(promisesNone: true, expectations: [none])
    ledger.kept = { _ in nil }
    var report = try ledger.report
    #expect(report.rpoWrites == .unknown("no write was read back at the end"))
    #expect(report.writes?.acknowledged == 1400)
    #expect(report.writes?.unread == 1400)
    #expect(report.writes?.lost == nil)
    #expect(report.verify == nil)
    #expect(try ledger.run().verdict == .inconclusive)
    ledger.extra = [.verified(2, on: "client", failure: "connection refused", at: 20_000)]
    report = try ledger.report
    #expect(report.rpo.reason == "no write was read back: client: connection refused")
    ledger.extra = []
    ledger.end = "interrupted: SIGINT"
    #expect(
        try ledger.report.rpo == .unknown("the trial ended before its writes were read back"))
}

@Test func `without a ledger nothing is said about writes`() throws {
    let report = try Drill(trace: "100/s").report
    #expect(report.rpoWrites.status == .notApplicable)
    #expect(report.rpo.status == .notApplicable)
    #expect(report.replicationLag.status == .notApplicable)
    #expect(report.writes == nil)
}

/// Sweep 1, sweep 2, and what they say of the one write that was acknowledged at 2.99.
@Test(arguments: [
    (false, false, [1, 1, 0, 0]), (false, true, [0, 1, 0, 1]), (true, false, [1, 0, 1, 0]),
    (true, true, [0, 0, 0, 0]),
])
func `the two sweeps tell where a write was lost`(
    _ before: Bool, _ after: Bool, _ expected: [Int]
) throws {
    var ledger = Ledger(promisesNone: true, expectations: [none])
    ledger.keptBeforeHeal = { $0 == 2_990 ? before : true }
    ledger.kept = { $0 == 2_990 ? after : true }
    let report = try ledger.report
    let writes = try #require(report.writes)
    #expect(
        [writes.lost, writes.lostAtFailover, writes.lostByFailback, writes.resurrected]
            == expected.map(Optional.some))
    #expect(report.verify?.sweeps == [1, 2])
    #expect(report.verdict == (before && after ? .pass : .fail), "\(report.reasons)")
    let names = [
        "lost_at_failover 1": before == false && after == false,
        "lost_by_failback 1": before && !after, "(resurrected)": !before && after,
    ]
    for (name, isNamed) in names {
        #expect(report.reasons.contains { $0.contains(name) } == isNamed, "\(report.reasons)")
    }
}

@Test func `a first sweep that is absent or not finished decides nothing`() throws {
    var ledger = Ledger()
    ledger.kept = { $0 != 2_990 }
    for before in [nil, { (due: Double) in due == 1_000 ? nil : due != 2_990 }]
        as [((Double) -> Bool?)?]
    {
        ledger.keptBeforeHeal = before
        let writes = try #require(try ledger.report.writes)
        #expect(writes.lost == 1)
        #expect(writes.lostAtFailover == nil)
        #expect(writes.lostByFailback == nil)
        #expect(writes.resurrected == nil)
    }
    ledger.keptBeforeHeal = { $0 != 2_990 }
    ledger.extra = [.verified(1, on: "client", failure: "timed out", at: 9_100)]
    #expect(try ledger.report.writes?.lostAtFailover == nil)
    ledger.extra = [.verified(1, on: "client", at: 9_100)]
    #expect(try ledger.report.writes?.lostAtFailover == 1)
    #expect(try ledger.report.verify?.readLevel == "primary")
}

@Test func `the last line about a key on a host counts`() throws {
    var ledger = Ledger()
    ledger.extra = [
        .verify(2, on: "client", "k100", false, at: 19_000),
        .verify(2, on: "client", "k101", false, at: 20_500),
    ]
    let report = try ledger.report
    #expect(report.rpoWrites.value == 1)
    #expect(report.rpo.low == 1990)
}

@Test func `without the endpoint's answers the primary's count, without a primary all must agree`()
    throws
{
    var ledger = Ledger()
    ledger.endpoint = nil
    ledger.keptOn = ["a": { _ in true }, "b": { $0 != 2_990 }]
    var report = try ledger.report
    #expect(report.rpoWrites.value == 1)
    #expect(report.writes?.diverged == true)
    #expect(report.verify?.hosts == ["a", "b"])
    #expect(report.verdict == .fail)
    #expect(report.reasons.contains { $0.contains("the hosts differ on 1 write") })
    // Nobody is known as the primary.
    ledger.events.removeAll { if case .role = $0.kind { true } else { false } }
    report = try ledger.report
    #expect(report.rpoWrites.status == .unknown)
    #expect(report.rpo.reason?.hasPrefix("hosts differ on 1 ") == true)
    ledger.keptOn = ["a": { $0 != 2_990 }, "b": { $0 != 2_990 }]
    #expect(try ledger.report.rpoWrites.value == 1)
    #expect(try ledger.report.writes?.diverged == false)
}

@Test func `hosts that differ are a failure, except where the harm is expected`() throws {
    var ledger = Ledger()
    ledger.keptOn = ["a": { $0 < 3_000 }, "b": { _ in true }]
    #expect(try ledger.report.verdict == .fail)
    ledger.knownUnsafe = "the old primary keeps what nobody else has"
    #expect(try ledger.report.verdict == .pass)
    // The trial is sound, but nothing has shown the harm.
    #expect(try ledger.run().verdict == .inconclusive)
    #expect(try ledger.report.writes?.diverged == true)
    ledger.keptOn = ["a": { _ in true }]
    #expect(try ledger.report.writes?.diverged == nil)
    // What was not read on one of them may differ.
    ledger.keptOn = ["a": { _ in true }, "b": { $0 < 2_000 ? true : nil }]
    #expect(try ledger.report.writes?.diverged == nil)
    #expect(
        try ledger.run().notEvidenced.contains { $0.hasPrefix("whether the hosts held the same") })
}

@Test func `indeterminate writes may be there or not, refused ones may not`() throws {
    var ledger = Ledger(trace: "100/s; service 0ms; silent 3.0-3.3; fails 5.0 after 2ms")
    ledger.kept = { due in due == 5_000 ? false : (3_000..<3_300).contains(due) ? due < 3_100 : true
    }
    var report = try ledger.report
    #expect(report.writes?.indeterminate == 30)
    #expect(report.writes?.indeterminatePresent == 10)
    #expect(report.writes?.failedPresent == 0)
    #expect(report.rpoWrites.value == 0)
    ledger.kept = { _ in true }
    report = try ledger.report
    #expect(report.writes?.failedPresent == 1)
    #expect(report.rpoWrites.status == .unknown)
    #expect(report.rpo.reason?.contains("1 refused writes are there") == true)
}

@Test func `nothing lost is unknown where nobody wrote before the fault`() throws {
    var ledger = Ledger(trace: "100/s; service 0ms; unsent 2.5-3.3")
    #expect(try ledger.report.rpo.status == .unknown)
    #expect(try ledger.report.rpoWrites.value == 0)
    // Writes that were offered and not acknowledged lost nobody anything.
    ledger.trace = "100/s; service 0ms; timeout 1000ms; silent 2.5-3.3"
    #expect(try ledger.report.rpo == .measured(0, low: 0, high: 510))
}

@Test func `an implied promise fails a trial that lost a write, and it is no failover success`()
    throws
{
    var ledger = Ledger(
        trace: "100/s; service 0ms; silent 3.0-3.3", promisesNone: true, expectations: [none])
    var run = try ledger.run()
    #expect(run.verdict == .pass, "\(run.reasons)")
    #expect(run.trials[0].failover == true)
    ledger.kept = { $0 != 2_990 }
    run = try ledger.run()
    #expect(run.verdict == .fail)
    #expect(run.trials[0].failover == false)
    #expect(run.trials[0].reasons.contains { $0.contains("loss_pattern tail") })
    ledger.promisesNone = false
    ledger.expectations = []
    run = try ledger.run()
    #expect(run.verdict == .pass)
    #expect(run.trials[0].failover == true)
    #expect(run.summary.rpoWrites.max == 1)
    #expect(run.summary.rpo.max == 20)
}

@Test func `a key that was written twice is one write`() throws {
    var ledger = Ledger()
    ledger.arrange = { operations in
        operations.map { operation in
            var again = operation
            if operation.key == "k101" { again.key = "k100" }
            return again
        }
    }
    ledger.kept = { $0 != 1_000 && $0 != 1_010 }
    let report = try ledger.report
    #expect(report.writes?.acknowledged == 1399)
    #expect(report.rpoWrites.value == 1)
    #expect(report.rpo.low == 2000)
}

@Test func `a soak has no fault to count back from`() throws {
    var ledger = Ledger(events: [.role("a", true, at: 0)], timeline: [])
    ledger.kept = { $0 != 1_000 }
    let report = try ledger.report
    #expect(report.rpoWrites.value == 1)
    #expect(report.rpo.status == .notApplicable)
    #expect(report.lossPattern == "scattered")
}

/// The definitions, read aloud: every write is looked up anew.
@Test func `what is lost is that of the naive reading`() throws {
    for seed in UInt64(1)...60 {
        var random = SeededGenerator(seed: seed, stream: 3)
        var ledger = Ledger(trace: "20/s; service 0ms; until 6; silent 3.0-3.4")
        let gone = Set(
            (0..<Int.random(in: 0...6, using: &random)).map { _ in
                Double(Int.random(in: 0..<120, using: &random) * 50)
            })
        ledger.kept = { !gone.contains($0) }
        let report = try ledger.report
        let acknowledged = stride(from: 0.0, to: 6_000, by: 50).filter {
            !(3_000..<3_400).contains($0)
        }
        let lost = acknowledged.filter(gone.contains)
        #expect(report.rpoWrites.value == Double(lost.count), "seed \(seed)")
        #expect(report.writes?.divergent == lost.count { $0 > 3_000 }, "seed \(seed)")
        #expect(lost.count <= report.writes?.acknowledged ?? 0)
        if let first = lost.first, first <= 3_000 {
            let survivor = acknowledged.last { $0 < first } ?? 0
            #expect(
                report.rpo
                    == .measured(3_000 - survivor, low: 3_000 - first, high: 3_000 - survivor),
                "seed \(seed)")
            let scattered = acknowledged.contains { $0 > first && $0 < 3_000 && !gone.contains($0) }
            #expect(report.lossPattern == (scattered ? "scattered" : "tail"), "seed \(seed)")
        } else {
            #expect(report.rpo.value == 0, "seed \(seed)")
        }
    }
}

@Test func `a hundred thousand writes on three hosts take seconds`() throws {
    var ledger = Ledger(
        trace: "10000/s; service 0ms; until 10; silent 3.0-3.3",
        answeredBy: { $0 < 3_000 ? "a" : "b" })
    ledger.kept = { $0 < 2_900 || $0 >= 3_000 }
    ledger.keptOn = ["a": { _ in true }, "b": { $0 < 2_900 || $0 >= 3_000 }]
    let input = try ledger.input
    var report: TrialReport?
    let took = ContinuousClock().measure { report = TrialAnalysis.analyze(input) }
    #expect(report?.writes?.lost == 1000)
    #expect(report?.writes?.diverged == true)
    #expect(took < .seconds(60), "\(took)")
}
