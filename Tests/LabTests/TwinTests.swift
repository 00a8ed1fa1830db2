import DrillCore
import Testing

@Suite(.serialized) struct TwinTests {
    @Test(.timeLimit(.minutes(6)))
    func `the standby takes over within 150 ms of a silent death`() throws {
        let report = try Drill.conclusive("twin/node-kill.yaml", within: .seconds(100))
        for trial in report.trials where trial.verdict == .pass {
            #expect(trial.primaryAfter != trial.primaryBefore)
            // Not before its silence was long enough.
            #expect(try #require(trial.steps[0].detect.value) >= 20, "\(trial.steps[0].detect)")
        }
    }

    @Test(.timeLimit(.minutes(6)))
    func `a primary that is cut off steps down before another one serves`() throws {
        let report = try Drill.conclusive(
            "twin/partition.yaml", ["--trials", "2"], within: .seconds(100))
        let counted = report.trials.filter { $0.verdict == .pass }
        #expect(counted.allSatisfy { $0.splitBrain.seen == false })
        #expect(counted.allSatisfy { $0.primaryAfter != $0.primaryBefore })
    }

    @Test(.timeLimit(.minutes(6)))
    func `without a witness a partition is a split brain`() throws {
        let report = try Drill.conclusive("twin/partition-no-witness.yaml", within: .seconds(100))
        #expect(report.trials.last?.splitBrain.seen == true)
    }

    @Test(.timeLimit(.minutes(6)))
    func `a switchover costs less than a failover`() throws {
        let report = try Drill.conclusive(
            "twin/switchover.yaml", ["--trials", "2"], within: .seconds(100))
        let values = report.trials.compactMap(\.steps[0].rto.low)
        #expect(!values.isEmpty && values.allSatisfy { $0 < 35 }, "\(values)")
    }

    @Test(.timeLimit(.minutes(6)))
    func `a standby that never takes over fails the drill`() throws {
        let drill = try Drill(
            "twin/node-kill.yaml", ["--trials", "1", "--set", "bad=never-recover"])
        let report = try drill.report(within: .seconds(120), expecting: 1)
        #expect(report.trials.last?.steps[0].rto.status == .censored)
    }

    @Test(.timeLimit(.minutes(6)))
    func `a primary that keeps the address after a switchover is a split brain`() throws {
        let drill = try Drill(
            "twin/switchover.yaml", ["--trials", "1", "--set", "bad=dual-primary"])
        let report = try drill.report(within: .seconds(120), expecting: 1)
        let found = try #require(report.trials.last?.splitBrain)
        #expect(found.seen == true)
        #expect((found.atLeast ?? 0) > 200, "\(found)")
    }
}
