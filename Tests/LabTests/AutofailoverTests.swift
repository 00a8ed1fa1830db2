import DrillCore
import Testing

/// PostgreSQL with pg_auto_failover, for real; the machine's figures are in docs/SYSTEMS.md.
@Suite(.serialized) struct AutofailoverTests {
    @Test(.timeLimit(.minutes(10)))
    func `a synchronous pair loses nothing with its primary`() throws {
        let report = try Drill.conclusive(
            "postgres-autofailover/node-kill.yaml", ["--trials", "1"], within: .seconds(280))
        let trial = try #require(report.trials.last)
        let writes = try #require(trial.writes)
        #expect(trial.rpoWrites.value == 0)
        #expect(writes.acknowledged > 200)
        #expect(writes.unread == 0)
        #expect(trial.roleChanges >= 1)
        let rto = try #require(trial.steps.first?.rto.value)
        // The monitor waits unhealthy_after and demote_timeout; nothing can be faster.
        #expect((4000...8000).contains(rto), "\(rto)")
    }

    @Test(.timeLimit(.minutes(10)))
    func `an asynchronous pair loses what was written while replication was cut`() throws {
        let report = try Drill.conclusive(
            "postgres-autofailover/cut-then-kill-async.yaml", ["--trials", "1"],
            within: .seconds(280))
        let trial = try #require(report.trials.last)
        // Two seconds at 100/s, and what a busy machine adds between the cut and the kill.
        let lost = try #require(trial.rpoWrites.value)
        #expect((170...290).contains(lost), "\(lost)")
        let writes = try #require(trial.writes)
        #expect(writes.unread == 0)
        #expect(writes.failedPresent == 0)
        #expect(writes.diverged == false)
        // The cut is replication's alone: the monitor never took a host for lost before the kill.
        #expect(trial.steps.allSatisfy { $0.proof?.proven == true })
    }
}
