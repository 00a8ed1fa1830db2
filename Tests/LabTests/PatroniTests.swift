import DrillCore
import Testing

/// PostgreSQL with Patroni and etcd, for real; the machine's figures are in docs/SYSTEMS.md.
@Suite(.serialized) struct PatroniTests {
    @Test(.timeLimit(.minutes(10)))
    func `the standby is promoted when the primary's key has ended, and has every write`() throws {
        let report = try Drill.conclusive(
            "patroni-etcd/node-kill.yaml", ["--trials", "1"], within: .seconds(280))
        let trial = try #require(report.trials.last)
        let writes = try #require(trial.writes)
        #expect(trial.rpoWrites.value == 0)
        #expect(writes.acknowledged > 200)
        #expect(writes.unread == 0)
        #expect(trial.primaryAfter != trial.primaryBefore)
        // The key lives ttl, and was renewed loop_wait before at most.
        let rto = try #require(trial.steps.first?.rto.value)
        #expect((5900...14_000).contains(rto), "\(rto)")
    }

    @Test(.timeLimit(.minutes(10)))
    func `without synchronous replication what was written during the cut is lost`() throws {
        let report = try Drill.conclusive(
            "patroni-etcd/cut-then-kill-async.yaml", ["--trials", "1"], within: .seconds(280))
        let trial = try #require(report.trials.last)
        // Two seconds at 100/s, and what a busy machine adds between the cut and the kill.
        let lost = try #require(trial.rpoWrites.value)
        #expect((170...290).contains(lost), "\(lost)")
        #expect(trial.writes?.unread == 0 && trial.writes?.diverged == false)
    }
}
