import DrillCore
import Testing

/// MariaDB behind keepalived's address, for real; the machine's figures are in docs/SYSTEMS.md.
@Suite(.serialized) struct MariaDBKeepalivedTests {
    @Test(.timeLimit(.minutes(6)))
    func `the replica applies what it has received, and takes over with every write`() throws {
        let report = try Drill.conclusive(
            "mariadb-keepalived/node-kill.yaml", ["--trials", "1"], within: .seconds(150))
        let trial = try #require(report.trials.last)
        let writes = try #require(trial.writes)
        #expect(trial.rpoWrites.value == 0)
        #expect(writes.acknowledged > 200)
        #expect(writes.unread == 0)
        #expect(trial.primaryAfter != trial.primaryBefore)
        // Not before a missing third advertisement.
        let rto = try #require(trial.steps.first?.rto.value)
        #expect((650...4000).contains(rto), "\(rto)")
    }

    @Test(.timeLimit(.minutes(6)))
    func `semi-synchronous replication loses nothing that was written during the cut`() throws {
        let report = try Drill.conclusive(
            "mariadb-keepalived/cut-then-kill.yaml", ["--trials", "1"], within: .seconds(150))
        let trial = try #require(report.trials.last)
        #expect(trial.rpoWrites.value == 0)
        #expect(trial.writes?.unread == 0 && trial.writes?.diverged == false)
    }

    @Test(.timeLimit(.minutes(6)))
    func `asynchronous replication loses what was written during the cut`() throws {
        let report = try Drill.conclusive(
            "mariadb-keepalived/cut-then-kill-async.yaml", ["--trials", "1"],
            within: .seconds(150))
        let trial = try #require(report.trials.last)
        // Two seconds at 100/s, and what a busy machine adds between the cut and the kill.
        let lost = try #require(trial.rpoWrites.value)
        #expect((170...290).contains(lost), "\(lost)")
        // The old primary threw away what only it had.
        #expect(trial.writes?.unread == 0 && trial.writes?.diverged == false)
    }
}
