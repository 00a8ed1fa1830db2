import DrillCore
import Testing

/// Without a fault nothing may happen: every alarm here would be a false one. Ten minutes by `--set length=10m`.
@Suite(.serialized) struct SoakTests {
    @Test(
        .timeLimit(.minutes(8)),
        arguments: ["keepalived-nginx", "haproxy-nginx", "nginx-upstream", "twin"])
    func `a minute under load has no outage and no role change`(system: String) throws {
        let report = try Drill.conclusive(
            "\(system)/soak.yaml", within: .seconds(150))
        let trial = try #require(report.trials.last)
        #expect(trial.roleChanges == 0)
        #expect(trial.streams.allSatisfy { $0.outages.isEmpty })
        #expect(report.verdict == .pass)
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
