import DrillCore
import Testing

/// etcd on two hosts and a witness, for real; the machine's figures are in docs/SYSTEMS.md.
@Suite(.serialized) struct EtcdWitnessTests {
    @Test(.timeLimit(.minutes(6)))
    func `the members elect another leader, and no acknowledged write is lost`() throws {
        let report = try Drill.conclusive(
            "etcd-witness/node-kill.yaml", ["--trials", "1"], within: .seconds(150))
        let trial = try #require(report.trials.last)
        let writes = try #require(trial.writes)
        #expect(trial.rpoWrites.value == 0)
        #expect(writes.acknowledged > 400)
        #expect(writes.unread == 0)
        #expect(trial.primaryAfter != trial.primaryBefore)
        // A follower waits one election time since the last heartbeat, at least.
        let rto = try #require(trial.steps.first?.rto.value)
        #expect((850...5000).contains(rto), "\(rto)")
        // The host that came back says so, wherever it stands in the list of members.
        #expect(trial.steps.first?.redundancy == "lost")
        #expect(trial.steps.first?.timeWithoutRedundancy.value != nil)
    }

    @Test(.timeLimit(.minutes(6)))
    func `registers are linearizable, and stale where their reads are made serializable`() throws {
        // Whether a member that boots says in time who leads is another matter: a trial may be inconclusive for that.
        let found = try ["register", "register-serializable"].map { name in
            let drill = try Drill("etcd-witness/\(name).yaml")
            let status = drill.status(within: .seconds(150))
            try #require([0, 2].contains(status), "exit \(status)\n\(drill.progress)")
            return try #require(try drill.written().trials.last?.consistency)
        }
        #expect(found[0].linearizable == true && found[0].staleReads == 0)
        #expect(found[0].operations > 500)
        #expect(found[1].linearizable == false && (found[1].staleReads ?? 0) > 0)
    }

    @Test(.timeLimit(.minutes(6)))
    func `a follower that fell behind does not take the lead`() throws {
        let report = try Drill.conclusive(
            "etcd-witness/cut-then-kill.yaml", ["--trials", "1"], within: .seconds(150))
        let trial = try #require(report.trials.last)
        #expect(trial.rpoWrites.value == 0)
        #expect(trial.writes?.unread == 0 && trial.writes?.diverged == false)
        #expect(trial.steps.allSatisfy { $0.proof?.proven == true })
    }
}
