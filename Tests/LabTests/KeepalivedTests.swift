import DrillCore
import Testing

private func kill(trials: Int, extra: String = "") -> String {
    """
    apiVersion: firedrill/v1
    kind: Scenario
    name: window
    system: \(Programs.root)/scenarios/keepalived-nginx/system.yaml
    trials: \(trials)
    retries: 1
    workloads:
      web: {client: http, url: "http://{{vip}}/", rate: 500/s, lanes: [fresh], timeout: 250ms}
    steady_state: {success_rate: ">= 100%", for: 1s}
    timeline:
      - {id: kill, at: 0s, jitter: 1s, fault: node.kill, host: primary, until: {event: stable, plus: 0s, at_most: 20s}}
    expect:
      rto.kill: "max <= 10s"
    \(extra)
    """
}

/// Each measured RTO with its interval, of the attempts that count.
private func recoveries(_ report: RunReport) -> [Measure] {
    report.counted.map { $0.steps[0].rto }
}

/// RFC 5798, section 6.1: three adverts and the skew of the survivor, less the time since the last advert.
private func window(advert: Double, priority: Double) -> ClosedRange<Double> {
    let masterDown = 3 * advert + (256 - priority) / 256 * advert
    return (masterDown - advert)...masterDown
}

/// What a busy machine may add.
private let schedulingNoise = 60.0

@Suite(.serialized) struct KeepalivedTests {
    @Test(.timeLimit(.minutes(15)))
    func `20 kills at an advert of 100 ms lie in the RFC's window`() throws {
        let report = try Drill.conclusive(
            kill(trials: 20), ["--set", "advert=100ms"], within: .seconds(500))
        let found = recoveries(report)
        #expect(found.count == 20)
        let expected = window(advert: 100, priority: 100)
        for measure in found {
            let high = try #require(measure.high)
            let low = try #require(measure.low)
            #expect(high >= expected.lowerBound, "\(measure)")
            #expect(low <= expected.upperBound + schedulingNoise, "\(measure)")
        }
        let values = found.compactMap(\.value)
        let spread = (values.max() ?? 0) - (values.min() ?? 0)
        #expect(spread >= 40, "the phase is random: \(values)")
        #expect(report.counted.allSatisfy { $0.steps[0].host == $0.primaryBefore })
    }

    @Test(.timeLimit(.minutes(10)))
    func `5 kills at an advert of 1 s lie in the RFC's window`() throws {
        let report = try Drill.conclusive(
            kill(trials: 5), within: .seconds(280))
        let found = recoveries(report)
        #expect(found.count == 5)
        let expected = window(advert: 1000, priority: 100)
        for measure in found {
            #expect(try #require(measure.high) >= expected.lowerBound, "\(measure)")
            #expect(
                try #require(measure.low) <= expected.upperBound + schedulingNoise, "\(measure)")
        }
        #expect(report.summary.failover.successes == 5)
    }

    @Test(.timeLimit(.minutes(10)))
    func `without preemption each trial kills the host that is primary then`() throws {
        let report = try Drill.conclusive(
            kill(trials: 4), ["--set", "advert=100ms", "--set", "preempt=nopreempt"],
            within: .seconds(200))
        let counted = report.counted
        #expect(counted.count == 4)
        #expect(counted.allSatisfy { $0.steps[0].host == $0.primaryBefore })
        #expect(
            Set(counted.compactMap(\.primaryBefore)).count == 2,
            "the role stays where it went: \(counted.map(\.primaryBefore))")
    }

    /// SIGTERM says goodbye with priority 0: the standby waits for its skew alone, 0.609 s.
    @Test(.timeLimit(.minutes(6)))
    func `a switchover takes the skew`() throws {
        let report = try Drill.conclusive(
            "keepalived-nginx/switchover.yaml", ["--trials", "1"], within: .seconds(100))
        let rto = try #require(report.trials.last?.steps[0].rto)
        #expect(try #require(rto.high) >= 609, "\(rto)")
        #expect(try #require(rto.low) <= 609.4 + schedulingNoise, "\(rto)")
    }

    @Test(.timeLimit(.minutes(6)))
    func `a killed keepalived leaves two holders, and hardly a request fails`() throws {
        let report = try Drill.conclusive(
            "keepalived-nginx/keepalived-killed.yaml", ["--trials", "1"], within: .seconds(100))
        let trial = try #require(report.trials.last)
        #expect(trial.splitBrain.seen == true)
        // The one whose packets are on their way when the address moves.
        #expect(trial.streams.allSatisfy { ($0.successRate.duringFault ?? 0) >= 0.999 })
    }

    @Test(.timeLimit(.minutes(6)))
    func `a partition is a split brain`() throws {
        let report = try Drill.conclusive(
            "keepalived-nginx/partition.yaml", ["--trials", "1"], within: .seconds(120))
        #expect(report.trials.last?.splitBrain.seen == true)
    }

    @Test(.timeLimit(.minutes(6)))
    func `a paused host is a latent claim until it thaws`() throws {
        _ = try Drill.conclusive(
            "keepalived-nginx/node-pause.yaml", ["--trials", "1"], within: .seconds(120))
    }
}
