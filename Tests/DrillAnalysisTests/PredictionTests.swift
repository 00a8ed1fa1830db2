import DrillAnalysis
import DrillCore
import DrillTesting
import Testing

/// The primary dies without a word, and that is proven.
private func lostPrimary() throws -> TrialInput {
    try Drill(
        trace: good,
        events: [.injected(host: "a", role: .primary, at: 3_000), .healBegun(at: 11_000)],
        extra: [.role("a", true, at: 0), .role("b", false, at: 0), .proven("a", .dead, at: 3_000)],
        among: ["a", "b"]
    ).input
}

@Test func `theory speaks of the loss of the primary, whoever was primary first`() throws {
    func predicted(_ role: Role?) throws -> Summary.PredictedRange? {
        var input = try Drill(
            trace: good,
            events: [.injected(host: "a", role: role, at: 3_000), .healBegun(at: 11_000)],
            extra: [.role("a", true, at: 0), .role("b", false, at: 0)], among: ["a", "b"]
        ).input
        input.system.prediction = Prediction(rtoBySurvivor: ["b": 25...60], source: "theory")
        return RunAnalysis.judge(
            scenario: input.scenario, system: input.system,
            trials: [TrialAnalysis.analyze(input)], facts: facts
        ).summary.predicted
    }
    #expect(try predicted(.primary) != nil)
    #expect(try predicted(nil) != nil)
    #expect(try predicted(.standby) == nil)
}

@Test func `theory speaks of a silent loss, and what proves nothing does not contradict it`() throws
{
    var input = try lostPrimary()
    input.system.prediction = Prediction(rtoBySurvivor: ["b": 25...60], source: "theory")
    func predicted(_ trial: TrialReport) -> Summary.PredictedRange? {
        RunAnalysis.judge(
            scenario: input.scenario, system: input.system, trials: [trial], facts: facts
        ).summary.predicted
    }
    var trial = TrialAnalysis.analyze(input)
    #expect(predicted(trial)?.outside == [trial.index])
    trial.verdict = .inconclusive
    #expect(predicted(trial)?.outside.isEmpty == true)
    trial.verdict = .pass
    for (fault, isOf) in [
        ("node.pause", true), ("link.down", true), ("link.partition", false),
        ("process.kill", false),
    ] {
        trial.steps[0].fault = fault
        #expect((predicted(trial) != nil) == isOf, "\(fault)")
    }
    // A second step that names the same host: by then it need not be primary.
    trial.steps[0].fault = "node.kill"
    trial.steps[0].role = nil
    trial.steps.append(trial.steps[0])
    trial.steps[1].step = "again"
    let prediction = try #require(input.system.prediction)
    #expect(prediction.rto(of: trial.steps[0], in: trial) == 25...60)
    #expect(prediction.rto(of: trial.steps[1], in: trial) == nil)
}

@Test func `what theory predicts is that of the hosts that survived`() throws {
    var input = try lostPrimary()
    input.system.prediction = Prediction(
        rtoBySurvivor: ["a": 414...1414, "b": 2609...3609], source: "RFC 5798")
    let report = RunAnalysis.judge(
        scenario: input.scenario, system: input.system, trials: [TrialAnalysis.analyze(input)],
        facts: facts)
    #expect(report.summary.predicted?.low == 2609)
    // The measured 301 ms are none of that, and it changes no verdict.
    #expect(report.summary.predicted?.outside == [report.trials[0].index])
    for (range, isOutside) in [
        (250...350, false), (301...900, false), (100...250, true), (350...400, true),
    ] as [(ClosedRange<Double>, Bool)] {
        input.system.prediction = Prediction(rtoBySurvivor: ["b": range], source: "theory")
        let other = RunAnalysis.judge(
            scenario: input.scenario, system: input.system,
            trials: [TrialAnalysis.analyze(input)], facts: facts)
        #expect(other.summary.predicted?.outside.isEmpty == !isOutside, "\(range)")
        #expect(other.verdict == report.verdict)
    }
    #expect(report.summary.rto.byPrimary["a"]?.max == 301)
    // Nobody took the role over.
    #expect(report.summary.failover.successes == 0)
}
