import DrillAnalysis
import DrillCore
import DrillTesting
import Testing

/// One known answer that a trace of one stream shows, in milliseconds.
struct KnownAnswer: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var trace: String
    var slow: Double?
    var steady = 1.0
    var value: Double?
    var low: Double?
    var high: Double?
    var status = Measure.Status.measured
    var recoveredBy: String?
    var outages: Int?
    var blips = 0
    var verdict = Verdict.pass

    var drill: Drill { Drill(trace: trace, slow: slow, steady: steady) }

    func expect(_ report: TrialReport, source: SourceLocation = #_sourceLocation) {
        let step = report.steps[0]
        #expect(step.rto.status == status, sourceLocation: source)
        #expect(step.rto.value == value, sourceLocation: source)
        #expect(step.rto.low == low, sourceLocation: source)
        #expect(step.rto.high == high, sourceLocation: source)
        #expect(step.recoveredBy == recoveredBy, sourceLocation: source)
        if let outages {
            #expect(report.streams[0].outages.count == outages, sourceLocation: source)
        }
        #expect(report.streams[0].blips == blips, sourceLocation: source)
        #expect(report.verdict == verdict, "\(report.reasons)", sourceLocation: source)
    }

    static let all: [KnownAnswer] = [
        // Held operations whose deadline has passed by 4.001 time out: the last is intended at 3.750.
        KnownAnswer(
            testDescription: "server paused 1 s, all it held answered at 4.001",
            trace: "100/s; paused 3.0-4.0", value: 1001, low: 750, high: 1001,
            recoveredBy: "system", outages: 1),
        KnownAnswer(
            testDescription: "the same, time-out and slow 2 s: nothing is late",
            trace: "100/s; timeout 2000ms; paused 3.0-4.0", value: 0, low: 0, high: 2010,
            outages: 0),
        KnownAnswer(
            testDescription: "the same, slow 50 ms: late answers are bad",
            trace: "100/s; timeout 2000ms; paused 3.0-4.0", slow: 50, value: 1001, low: 950,
            high: 1001, recoveredBy: "system", outages: 1),
        KnownAnswer(
            testDescription: "silent 300 ms", trace: "100/s; silent 3.0-3.3", value: 301, low: 290,
            high: 301, recoveredBy: "system", outages: 1),
        KnownAnswer(
            testDescription: "silent 290 ms: one operation less", trace: "100/s; silent 3.0-3.29",
            value: 291, low: 280, high: 291, recoveredBy: "system", outages: 1),
        KnownAnswer(
            testDescription: "nothing fails", trace: "100/s", value: 0, low: 0, high: 260,
            outages: 0),
        KnownAnswer(
            testDescription: "noise of 99.9 %: one failure at 7.000 is a blip",
            trace: "500/s; silent 3.0-3.3; fails 7.0", steady: 0.999, value: 301, low: 298,
            high: 301,
            recoveredBy: "system", outages: 1, blips: 1),
        KnownAnswer(
            testDescription: "100 % has no noise: one failure at 7.000 is an outage",
            trace: "500/s; silent 3.0-3.3; fails 7.0", value: 4003, low: 4000, high: 4003,
            recoveredBy: "system", outages: 2),
        KnownAnswer(
            testDescription: "two outages", trace: "100/s; silent 3.0-3.3; silent 6.0-6.2",
            value: 3201, low: 3190, high: 3201, recoveredBy: "system", outages: 2),
        KnownAnswer(
            testDescription: "a failure after the heal is the heal's",
            trace: "100/s; silent 3.0-3.3; fails 11.2", value: 301, low: 290, high: 301,
            recoveredBy: "system", outages: 2),
        KnownAnswer(
            testDescription: "good again at 10.6, the heal cuts the stretch",
            trace: "100/s; silent 3.0-10.6", status: .unknown, outages: 1, verdict: .inconclusive),
        KnownAnswer(
            testDescription: "good again at 9.99: the stretch is complete before the heal",
            trace: "100/s; silent 3.0-9.99", value: 6991, low: 6980, high: 6991,
            recoveredBy: "system", outages: 1),
        KnownAnswer(
            testDescription: "20 % loss until the heal", trace: "100/s; lossy 3.0-11.0 every 5",
            value: 8000, low: 8000, status: .censored, recoveredBy: "heal", outages: 1),
        KnownAnswer(
            testDescription: "no failover, and the host comes back",
            trace: "100/s; silent 3.0-11.0",
            value: 8000, low: 8000, status: .censored, recoveredBy: "heal", outages: 1),
        KnownAnswer(
            testDescription:
                "what a paused server held until the heal and answered then shows nothing",
            trace: "100/s; timeout 2000ms; paused 3.0-11.0", value: 8000, low: 8000,
            status: .censored, recoveredBy: "heal", outages: 1),
        KnownAnswer(
            testDescription: "never back at all", trace: "100/s; silent 3.0-14.0", value: 8000,
            low: 8000, status: .censored, outages: 1),
        KnownAnswer(
            testDescription: "the observation ends 0.9 s after the return",
            trace: "100/s; until 4.2; silent 3.0-3.3", value: 1200, low: 1200, status: .censored,
            outages: 1),
        KnownAnswer(
            testDescription: "the observation ends 1 s after the return",
            trace: "100/s; until 4.3; silent 3.0-3.3", value: 301, low: 290, high: 301,
            recoveredBy: "system", outages: 1),
        KnownAnswer(
            testDescription: "in flight over t0", trace: "100/s; fails 2.99 after 250ms", value: 1,
            low: 0, high: 1, recoveredBy: "system", outages: 1),
        KnownAnswer(
            testDescription: "in flight over t0, noise of 99 %",
            trace: "100/s; fails 2.99 after 250ms", steady: 0.99, value: 0, low: 0, high: 330,
            outages: 0, blips: 1),
        KnownAnswer(
            testDescription: "failed before t0: the outage was open already",
            trace: "100/s; fails 2.9 after 50ms; silent 3.0-3.3", value: 301, low: 290, high: 301,
            recoveredBy: "system", outages: 1, verdict: .inconclusive),
        // Operations due from 3.40 to 3.48 are taken up at 3.49 and answered at 3.491, well within 250 ms.
        KnownAnswer(
            testDescription: "the engine stalled for 90 ms at 3.40",
            trace: "100/s; silent 3.0-3.3; stalled 3.4-3.49", value: 391, low: 200, high: 391,
            recoveredBy: "system", outages: 1, verdict: .inconclusive),
    ]
}

@Test(arguments: KnownAnswer.all)
func `known answer`(_ row: KnownAnswer) throws {
    row.expect(try row.drill.report)
}

@Test(arguments: KnownAnswer.all, [Duration.seconds(3600), .nanoseconds(1), .seconds(-3)])
func `a known answer does not depend on when it happened`(
    _ row: KnownAnswer, _ shift: Duration
) throws {
    var drill = row.drill
    let plain = try drill.report
    drill.shift = shift
    #expect(try drill.report == plain)
}

@Test(arguments: KnownAnswer.all)
func `a known answer does not depend on the order of completion`(_ row: KnownAnswer) throws {
    var drill = row.drill
    let plain = try drill.report
    drill.arrange = { operations in
        operations.sorted { ($0.completed?.nanoseconds ?? 0) < ($1.completed?.nanoseconds ?? 0) }
    }
    #expect(try drill.report == plain)
    drill.arrange = { $0.reversed() }
    #expect(try drill.report == plain)
}

@Test(
    arguments: KnownAnswer.all.filter {
        $0.status == .measured && $0.verdict == .pass && $0.steady == 1
    },
    [2, 4])
func `thinning widens the interval, which still holds the truth`(
    _ row: KnownAnswer, _ every: Int
) throws {
    var drill = row.drill
    let full = try drill.report.steps[0].rto
    drill.every = every
    let thin = try drill.report.steps[0].rto
    let truth = (low: try #require(full.low), high: try #require(full.high))
    #expect(thin.status == .measured)
    // A failure of one operation may be thinned away; then the interval from 0 still holds it.
    if row.trace.contains("fails 7.0") { return }
    #expect(try #require(thin.low) <= truth.low)
    #expect(try #require(thin.high) >= truth.high)
}

@Test(arguments: [2, 3, 5])
func `a history that somebody thinned still holds the truth`(_ every: Int) throws {
    var drill = Drill(trace: "100/s; silent 3.0-3.3")
    drill.every = every
    var input = try drill.input
    input.scenario.workloads[0].rate = 100
    let report = TrialAnalysis.analyze(input)
    let rto = report.steps[0].rto
    #expect(rto.status == .measured)
    #expect(try #require(rto.low) <= 290)
    #expect(try #require(rto.high) >= 301)
    #expect(try #require(report.steps[0].outage.high) >= 301)
    #expect(report.steadyAfter == true)
}

@Test(arguments: KnownAnswer.all)
func `good operations before t0 change nothing`(_ row: KnownAnswer) throws {
    var drill = row.drill
    let plain = try drill.report.steps[0]
    drill.arrange = { operations in
        let earlier = (1...500).map { index in
            operations[0].shifted(by: .milliseconds(-10 * index))
        }
        return earlier + operations
    }
    let more = try drill.report.steps[0]
    #expect(more.rto == plain.rto)
    #expect(more.outage == plain.outage)
    #expect(more.downtimeEquivalent == plain.downtimeEquivalent)
}
