import DrillAnalysis
import DrillCore
import DrillTesting
import Testing

@Test func `a failure after the heal is a failback outage of one operation`() throws {
    let report = try Drill(trace: "100/s; silent 3.0-3.3; fails 11.2").report
    let failback = report.streams[0].outages[1]
    #expect(failback.chargedTo == ["heal:kill"])
    #expect(failback.bad == 1)
    #expect(report.steps[0].failbackOutage == .measured(21, low: 0, high: 21))
    #expect(report.steps[0].outage == .measured(311, low: 290, high: 311))
    #expect(report.steps[0].downtimeEquivalent.value == 300)
}

@Test func `what the heal brought back is reported apart`() throws {
    let step = try Drill(trace: "100/s; silent 3.0-11.5").kill
    #expect(
        step.rto
            == .censored(at: 8000, reason: "the heal, not the system, brought the service back"))
    #expect(step.recoveryAfterHeal == .measured(501, low: 490, high: 501))
    #expect(step.instants.t5 == 11_501)
}

@Test func `an operation in flight over t0 makes t1 that t0`() throws {
    let report = try Drill(trace: "100/s; fails 2.99 after 250ms").report
    #expect(report.inFlight == 1)
    #expect(report.steps[0].instants.t1 == 3000)
    #expect(report.steps[0].instants.t5 == 3001)
    #expect(report.steps[0].downtimeEquivalent.value == 10)
}

@Test func `an operation in flight over t0 beside good ones ends its outage after t0`() throws {
    let report = try Drill(trace: "500/s; fails 2.99 after 250ms").report
    #expect(report.steps[0].rto == .measured(1, low: 0, high: 1))
    #expect(report.verdict == .pass)
}

@Test func `a preparation has no RTO of its own`() throws {
    var preparation = Drill.step()
    preparation.measured = false
    let report = try Drill(trace: "100/s; silent 3.0-3.3", timeline: [preparation]).report
    #expect(report.steps[0].rto.status == .notApplicable)
    #expect(report.steps[0].rtoStream == nil)
    #expect(report.rto.status == .notApplicable)
    #expect(report.verdict == .pass)
}

@Test func `t0 as an interval widens the RTO on both sides`() throws {
    let step = try Drill(
        trace: "100/s; silent 3.0-3.3",
        events: [.injected(at: 2_995, to: 3_005), .healBegun(at: 11_000)]
    ).kill
    #expect(step.rto == .measured(306, low: 285, high: 306))
}

/// Replication is cut at 3: synchronous writes block. The primary is killed at 5; the service is back at 9.
@Test func `an outage open at a later step's t0 is charged to both`() throws {
    let report = try Drill(
        trace: "100/s; until 16; silent 3.0-9.0",
        timeline: [
            Drill.step("cut", "link.partition", end: .duration(.seconds(8))), Drill.step("kill"),
        ],
        events: [
            .injected("cut", "link.partition", at: 3_000), .injected("kill", at: 5_000),
            .healBegun("cut", at: 11_000), .healBegun("kill", at: 11_000),
        ]
    ).report
    #expect(report.steps[0].rto == .measured(6001, low: 5990, high: 6001))
    #expect(report.steps[1].rto == .measured(4001, low: 3990, high: 4001))
    #expect(report.rto.value == 6001)
    #expect(report.streams[0].outages.map(\.chargedTo) == [["cut", "kill"]])
    #expect(report.verdict == .pass)
}

@Test func `without a heal nothing is recovered by it`() throws {
    let drill = Drill(
        trace: "100/s; silent 3.0-3.3",
        timeline: [Drill.step("kill", "process.signal", end: .none)], events: [.injected(at: 3_000)]
    )
    let step = try drill.kill
    #expect(step.rto == .measured(301, low: 290, high: 301))
    #expect(step.recoveredBy == "system")
    #expect(step.failbackOutage.status == .notApplicable)
    #expect(try drill.report.streams[0].successRate.after == nil)
}

@Test func `until the end is always censored at the heal and by nobody`() throws {
    let step = try Drill(
        trace: "100/s; silent 3.0-10.6", timeline: [Drill.step(end: .observation)]
    ).kill
    #expect(step.rto.status == .censored)
    #expect(step.rto.value == 8000)
    #expect(step.recoveredBy == nil)
}

@Test func `an observation that ends with the heal censors and is not unsettled`() throws {
    let report = try Drill(
        trace: "100/s; until 4.2; silent 3.0-3.3",
        events: [.injected(at: 3_000), .healBegun(at: 4_200)]
    ).report
    #expect(report.steps[0].rto.status == .censored)
    #expect(report.steps[0].rto.value == 1200)
    #expect(report.steps[0].recoveredBy == nil)
    #expect(report.verdict == .pass)
}

@Test func `an abort fails the trial and censors there`() throws {
    var drill = Drill(trace: "100/s; silent 3.0-10.9")
    drill.extra = [.healed(by: .abort, at: 11_050)]
    drill.end = .end("abort: success_rate < 1% for 5s", at: 14_000)
    let report = try drill.report
    #expect(report.steps[0].rto.status == .censored)
    #expect(report.steps[0].recoveredBy == nil)
    #expect(report.verdict == .fail)
    #expect(report.reasons == ["abort: success_rate < 1% for 5s"])
}

@Test(arguments: [
    ("complete", Verdict.pass), ("abort: x", .fail), ("not_ready: nginx on a", .inconclusive),
    ("no_steady_state: 20 %", .inconclusive), ("steady_state_lost: x", .fail),
    ("interrupted: SIGINT", .inconclusive), ("injection_failed: x", .inconclusive),
    ("capability: x", .inconclusive), ("step_not_begun: x", .inconclusive),
    ("lab_failed: x", .inconclusive), ("a word of tomorrow", .pass),
    ("aborted", .fail), ("Not ready: nginx on a", .inconclusive), ("SIGINT", .inconclusive),
    ("", .pass),
])
func `how a trial ended decides what it is worth`(_ reason: String, _ verdict: Verdict) throws {
    var drill = Drill(trace: "100/s; silent 3.0-3.3")
    drill.end = .end(reason, at: 14_000)
    #expect(try drill.report.verdict == verdict)
}

/// The lab let us down, and what was in effect was healed because of it: no finding about the system.
@Test(arguments: ["lab_failed: x", "injection_failed: x", "capability: x"])
func `a heal by our own failure does not fail the system`(_ reason: String) throws {
    var drill = Drill(trace: "100/s; silent 3.0-10.9")
    drill.extra = [.healed(by: .abort, at: 11_050)]
    drill.end = .end(reason, at: 14_000)
    let report = try drill.report
    #expect(report.verdict == .inconclusive)
    #expect(report.reasons == [reason])
}

@Test func `a record that is known to lack something is inconclusive`() throws {
    var input = try Drill(trace: "100/s; silent 3.0-3.3").input
    #expect(TrialAnalysis.analyze(input).verdict == .pass)
    input.history.gaps = ["trial-1.ops is cut off before its end"]
    let report = TrialAnalysis.analyze(input)
    #expect(report.verdict == .inconclusive)
    #expect(report.reasons == ["trial-1.ops is cut off before its end"])
}

@Test func `a record without an end is inconclusive`() throws {
    var drill = Drill(trace: "100/s; silent 3.0-3.3")
    drill.end = nil
    #expect(try drill.report.reasons == ["the record has no end: the run was cut off"])
}

@Test func `a fault whose proof failed is no evidence, and its witnesses are named`() throws {
    var drill = Drill(trace: "100/s; silent 3.0-3.3")
    let proof = StepProof(proven: false, witnesses: ["b: 3 of 5 answered"])
    drill.extra = [
        HistoryEvent(
            HistoryEvent.span(3_000, 3_600),
            .step(.init(step: "kill", jitterNanoseconds: 5_000_000, proof: proof)))
    ]
    let report = try drill.report
    #expect(report.verdict == .inconclusive)
    #expect(report.reasons == ["the effect of 'kill' is not proven: b: 3 of 5 answered"])
    #expect(report.steps[0].jitter == 5)
}

@Test func `lag within a tenth of the objective only widens`() throws {
    var drill = Drill(trace: "100/s; silent 3.0-3.3; stalled 3.4-3.49")
    drill.expectations = [
        Expectation(
            metric: "rto", condition: .threshold(.max, .lessOrEqual, 5000), text: "max <= 5s")
    ]
    #expect(try drill.report.verdict == .pass)
    #expect(try drill.report.lagMax == 90)
}

@Test func `what the generator could not send makes the trial inconclusive`() throws {
    var drill = Drill(trace: "100/s; silent 3.0-3.3")
    drill.arrange = { operations in
        var operations = operations
        operations[900].outcome = .unsentGenerator
        return operations
    }
    let report = try drill.report
    #expect(report.reasons == ["1 operations could not be sent by the load host itself"])
    #expect(report.unsentGenerator == 1)
}

@Test func `unsent operations open, prolong and end nothing but count as intended`() throws {
    let report = try Drill(trace: "100/s; silent 3.0-3.3; unsent 3.3-3.5").report
    #expect(report.steps[0].rto == .measured(501, low: 290, high: 501))
    #expect(report.streams[0].operations.unsent == 20)
    #expect(report.streams[0].successRate.duringFault == 750.0 / 800.0)
    #expect(report.streams[0].outages[0].bad == 30)
}

@Test func `a time with nothing sent leaves an outage unseen`() throws {
    let step = try Drill(trace: "100/s; unsent 4.0-5.0").kill
    #expect(step.rto == .measured(0, low: 0, high: 1260))
}

@Test func `success rates have windows`() throws {
    let rate = try Drill(trace: "100/s; silent 3.0-3.3; fails 11.2").report.streams[0].successRate
    #expect(rate.duringFault == 770.0 / 800.0)
    #expect(rate.after == 299.0 / 300.0)
    #expect(rate.overall == 1369.0 / 1400.0)
}

@Test func `a soak has only an overall rate and no RTO`() throws {
    let report = try Drill(trace: "100/s; fails 5.0", timeline: [], events: []).report
    #expect(report.streams[0].successRate == SuccessRate(overall: 1399.0 / 1400.0))
    #expect(report.rto == .notApplicable("a soak has no fault"))
    #expect(report.streams[0].outages.count == 1)
    #expect(report.verdict == .pass)
}

@Test func `a soak that misses its rate while our own engine was late says nothing`() throws {
    func verdict(_ trace: String, min: Double) throws -> TrialReport {
        var drill = Drill(trace: trace, timeline: [], events: [])
        drill.expectations = [
            DrillCore.Expectation(
                metric: "success_rate.overall", condition: .threshold(.min, .greaterOrEqual, min),
                text: "min >= \(min)")
        ]
        return try drill.report
    }
    // 90 ms late at 5.09, and a bad one within the time-out of 250 ms of that.
    let late = "100/s; stalled 5.0-5.09; fails 5.2"
    let report = try verdict(late, min: 0.9999)
    #expect(report.verdict == .inconclusive)
    #expect(report.reasons.first?.hasPrefix("the load engine was up to 90.0 ms late") == true)
    // It misses nothing: there is nothing to excuse.
    #expect(try verdict(late, min: 0.999).verdict == .pass)
    #expect(try verdict("100/s; stalled 5.0-5.09; fails 7.0", min: 0.9999).verdict == .fail)
    #expect(try verdict("100/s; fails 5.2", min: 0.9999).verdict == .fail)
}

@Test func `a brown-out is failures in windows outside outages`() throws {
    // k is 6 for the stretch of 500 operations and 3 for a window of 50.
    #expect(Noise.threshold(operations: 50, successRate: 0.999) == 3)
    let failures = [4.0, 4.02, 4.04, 7.0].map { "fails \($0)" }.joined(separator: "; ")
    let step = try Drill(trace: "500/s; \(failures)", steady: 0.999).kill
    #expect(step.brownout.value == 100)
    #expect(step.rto.value == 0)
}

@Test func `partial outages are told from total ones`() throws {
    let kinds = try ["silent 3.0-3.3", "lossy 3.0-3.3 every 5"].map { trace in
        try Drill(trace: "100/s; \(trace)").report.streams[0].outages[0].kind
    }
    #expect(kinds == ["total", "partial"])
}

@Test
func `a paused server's latencies are exact from the intended instant and wrong from the sent one`()
    throws
{
    let report = try Drill(
        trace: "1000/s; until 6; timeout 2000ms; paused 3.0-4.0",
        timeline: [Drill.step("kill", "process.pause", end: .none)], events: [.injected(at: 0)]
    ).report
    let latency = report.streams[0].latency
    #expect(abs(try #require(latency.p90) - 400) <= 4)
    #expect(abs(try #require(latency.p99) - 940) <= 9.4)
    #expect(latency.count == 6000)
}

@Test func `redundancy is back with the first true answer after a false one`() throws {
    let step = try Drill(
        trace: "100/s; silent 3.0-3.3",
        extra: [
            .redundancy(true, at: 3_200), .redundancy(false, at: 3_500),
            .redundancy(true, at: 6_100),
        ],
        redundancy: true
    ).kill
    #expect(step.instants.t6 == 6_100)
    #expect(step.redundancy == "lost")
    #expect(step.timeWithoutRedundancy == .measured(3100, low: 500, high: 3100))
}

@Test func `redundancy after a node fault needs the new boot`() throws {
    let step = try Drill(
        trace: "100/s; silent 3.0-3.3",
        extra: [
            .redundancy(true, at: 2_900, bootID: "b#1"),
            .redundancy(true, at: 3_200, bootID: "b#1"),
            .redundancy(false, at: 3_500, bootID: "b#1"),
            .redundancy(true, at: 3_700, bootID: "b#1"),
            .redundancy(true, at: 12_000, bootID: "a#2"),
        ], redundancy: true
    ).kill
    #expect(step.instants.t6 == 12_000)
}

@Test func `redundancy that was never false was not lost`() throws {
    let step = try Drill(
        trace: "100/s", timeline: [Drill.step("kill", "process.pause")],
        extra: stride(from: 3_200.0, to: 11_000, by: 390).map { .redundancy(true, at: $0) },
        redundancy: true
    ).kill
    #expect(step.redundancy == "not_lost")
    #expect(step.timeWithoutRedundancy == .measured(0, low: 0, high: 0))
    #expect(step.instants.t6 == nil)
}

@Test(arguments: [[3_200.0, 5_200], [10_900.0], []])
func `redundancy that nobody looked at for more than two periods is unknown`(answers: [Double])
    throws
{
    let step = try Drill(
        trace: "100/s", timeline: [Drill.step("kill", "process.pause")],
        extra: answers.map { .redundancy(true, at: $0) }, redundancy: true
    ).kill
    #expect(step.redundancy == "unknown")
    #expect(step.timeWithoutRedundancy.status == .unknown)
}

/// The partition is in effect from 3 to 13, the kill from 5 to 9: what fails at 11 is the partition's, and what fails
/// just after the kill's heal is that heal's.
@Test func `an outage is charged to what is in effect, or to the heal that has just begun`() throws
{
    let report = try Drill(
        trace: "100/s; until 16; fails 9.5; fails 11.0",
        timeline: [
            Drill.step("cut", "link.partition", end: .duration(.seconds(10))), Drill.step("kill"),
        ],
        events: [
            .injected("cut", "link.partition", at: 3_000), .injected("kill", at: 5_000),
            .healBegun("kill", at: 9_000), .healBegun("cut", at: 13_000),
        ]
    ).report
    #expect(report.streams[0].outages.map(\.chargedTo) == [["heal:kill"], ["cut"]])
    #expect(report.steps[1].rto.value == 0)
    #expect(report.steps[0].rto.value == 8_011)
}

@Test func `a step that begins just after another one's heal is charged with its own outage`()
    throws
{
    let report = try Drill(
        trace: "100/s; until 16; silent 11.3-11.7",
        timeline: [Drill.step("pause", "process.pause"), Drill.step("kill")],
        events: [
            .injected("pause", "process.pause", at: 3_000), .healBegun("pause", at: 11_000),
            .injected("kill", at: 11_300), .healBegun("kill", at: 15_000),
        ]
    ).report
    #expect(report.streams[0].outages.map(\.chargedTo) == [["kill"]])
    #expect(report.steps[1].rto == .measured(401, low: 390, high: 401))
}

@Test func `what was in flight over the heal is the heal's, unless it was lost before`() throws {
    func charged(_ trace: String) throws -> [String] {
        try Drill(trace: trace).report.streams[0].outages.map { $0.chargedTo.joined() }
    }
    #expect(try charged("100/s; service 12ms; fails 10.99 after 250ms") == ["heal:kill"])
    #expect(try charged("100/s; fails 10.9 after 250ms") == ["kill"])
}

@Test func `the headline is the worst stream, and it is named`() throws {
    var input = try Drill(trace: "100/s; silent 3.0-3.3").input
    input.scenario.workloads[0].lanes = [.fresh, .kept]
    let absent = TrialAnalysis.analyze(input)
    #expect(absent.reasons == ["there is no operation of web/kept/read"])
    input.history.streams.append(
        OperationStream(
            name: "web/kept/read", operations: try Trace("100/s; silent 3.0-5.0").operations()))
    let report = TrialAnalysis.analyze(input)
    #expect(report.streams.map { $0.steps[0].rto.value } == [301, 2001])
    #expect(report.steps[0].rto.value == 2001)
    #expect(report.steps[0].rtoStream == "web/kept/read")
    #expect(report.verdict == .pass)
}
