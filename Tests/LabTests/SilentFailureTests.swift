import DrillCore
import Testing

/// The kernel says that a fault is in place, and it does nothing: no number of such a trial may count.
@Suite(.serialized) struct SilentFailureTests {
    private static let scenario = """
        apiVersion: firedrill/v1
        kind: Scenario
        name: silent
        system: \(Programs.root)/scenarios/keepalived-nginx/system.yaml
        vars: {advert: 100ms}
        workloads:
          web: {client: http, url: "http://{{vip}}/", rate: 200/s, timeout: 250ms}
        steady_state: {success_rate: ">= 95%", for: 500ms}
        stable: {for: 500ms}
        timeline:
          - {id: lossy, at: 2s, fault: link.loss, link: standby->client, ratio: 30%, for: 3s}
        observe: 4s
        expect:
          success_rate.overall: "min >= 1%"
        """

    @Test(.timeLimit(.minutes(2)), arguments: [nil, "zero-probability", "wrong-port"])
    func `a fault that does nothing is no evidence`(_ how: String?) throws {
        let drill = try Drill(
            Self.scenario,
            prefix: ["/usr/bin/env"] + (how.map { ["FIREDRILL_TEST_BREAK=\($0)"] } ?? []))
        let status = drill.status(within: .seconds(60))
        let report = try drill.written()
        let proof = try #require(report.trials.last?.steps.first?.proof)
        if how == nil {
            #expect(proof.proven == true, "\(proof)")
            #expect(status == 0 || status == 2)
            return
        }
        #expect(status == 2, "\(drill.progress)")
        #expect(report.verdict == .inconclusive)
        #expect(proof.proven == false, "\(proof)")
        // The figures: how many of how many, and what was asked.
        let said = (proof.witnesses + (report.trials.last?.reasons ?? [])).joined(separator: "; ")
        #expect(said.contains(" of "), "\(said)")
    }
}
