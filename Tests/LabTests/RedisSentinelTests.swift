import DrillCore
import Testing

@Suite(.serialized) struct RedisSentinelTests {
    @Test(.timeLimit(.minutes(6)))
    func `the Sentinels promote the replica, and every write is read back`() throws {
        let report = try Drill.conclusive(
            "redis-sentinel/node-kill.yaml", ["--trials", "1"], within: .seconds(120))
        let trial = try #require(report.trials.last)
        #expect(trial.primaryAfter != trial.primaryBefore)
        #expect(trial.writes?.unread == 0 && trial.writes?.diverged == false)
        // Not before a second of silence (`down_after`).
        let rto = try #require(trial.steps[0].rto.value)
        #expect((1000...6000).contains(rto), "\(rto)")
    }

    @Test(.timeLimit(.minutes(6)))
    func `what a cut-off primary acknowledged to a client beside it is lost, and counted`() throws {
        let report = try Drill.conclusive("redis-sentinel/partition.yaml", within: .seconds(120))
        let trial = try #require(report.trials.last)
        let writes = try #require(trial.writes)
        #expect(trial.splitBrain.dualClaim == true && trial.splitBrain.dualService == true)
        #expect((writes.divergent ?? 0) > 100)
        #expect((writes.lost ?? 0) >= writes.divergent ?? 0)
        #expect(writes.unread == 0)
    }

    @Test(.timeLimit(.minutes(6)))
    func `registers of a cut-off primary go back in time`() throws {
        let report = try Drill.conclusive(
            "redis-sentinel/register-partition.yaml", within: .seconds(120))
        let found = try #require(report.trials.last?.consistency)
        #expect(found.linearizable == false && (found.staleReads ?? 0) > 0)
        #expect(found.window != nil)
    }
}
