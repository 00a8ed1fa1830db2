import DrillCore
import Testing

/// Without a fault nothing may happen: every alarm here would be a false one. Ten minutes by `--set length=10m`; here half a
/// minute. A machine that takes the processor away for 40 ms makes twin fail over, which is no false alarm, and happens
/// where tests run: there it allows half a second of silence.
@Suite(.serialized) struct SoakTests {
    /// Two at a time, as most of it is waiting.
    @Test(
        .timeLimit(.minutes(8)),
        arguments: [
            ["keepalived-nginx", "twin"],
            ["redis-sentinel", "haproxy-nginx"],
            ["postgres-autofailover", "nginx-upstream"],
        ])
    func `half a minute under load has no outage and no role change`(systems: [String]) throws {
        let runs = systems.map { system in
            let patience = system == "twin" ? ["--set", "detect=500ms"] : []
            return ("\(system)/soak.yaml", ["--set", "length=30s"] + patience)
        }
        let reports = try Drill.conclusive(runs, within: .seconds(120))
        for (system, report) in zip(systems, reports) {
            let trial = try #require(report.trials.last)
            #expect(trial.roleChanges == 0, "\(system)")
            #expect(trial.streams.allSatisfy { $0.outages.isEmpty }, "\(system)")
            #expect(report.verdict == .pass, "\(system)")
        }
    }

    @Test(
        .timeLimit(.minutes(8)),
        arguments: [
            "haproxy-nginx/node-kill.yaml", "haproxy-nginx/weights-3-7.yaml",
            "haproxy-nginx/no-health-checks.yaml", "nginx-upstream/node-kill.yaml",
            "nginx-upstream/weights-3-7.yaml",
        ])
    func `balanced pairs do what their scenarios expect`(scenario: String) throws {
        let report = try Drill.conclusive(
            scenario, ["--trials", "1"], within: .seconds(150))
        #expect(report.verdict == .pass)
        #expect(report.summary.successRate.duringFault != nil)
    }
}
