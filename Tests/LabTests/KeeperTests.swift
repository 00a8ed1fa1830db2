import DrillCore
import Glibc
import Testing

/// Who heals when nobody orders it: the watchdog without its supervisor, the supervisor without its watchdog or its
/// controller, and `heal` without both.
@Suite(.serialized) struct KeeperTests {
    private static let link = LinkDirection(network: "main", from: "a", to: "b")

    /// Four changes of different kinds are open.
    private func broken(_ name: String, lease: Duration = .seconds(300)) throws -> TestLab {
        let lab = try TestLab(name)
        var spec = lab.spec
        spec.lease = lease
        try lab.supervisor.ask(.build(spec))
        try lab.startServing("a")
        let s = lab.supervisor
        try s.lab(.attach(Self.link, LinkTreatment(.sink)))
        try s.on("a", .pauseService("web"))
        try s.lab(.silence("b"))
        try s.lab(.kill("b"))
        lab.remember()
        return lab
    }

    private func isGone(_ pid: pid_t, within limit: Duration = .seconds(8)) -> Bool {
        let deadline = RunInstant.now + limit
        while RunInstant.now < deadline {
            if access("/proc/\(pid)", F_OK) != 0 { return true }
            usleep(10_000)
        }
        return false
    }

    @Test func `the watchdog heals when the supervisor is killed`() throws {
        let lab = try broken("orphaned")
        let watchdog = try lab.watchdog
        lab.supervisor.signal(SIGKILL)
        #expect(lab.supervisor.waitForEnd() == 128 + SIGKILL)
        #expect(isGone(watchdog))
        try lab.expectNothingLeft()
    }

    @Test func `the watchdog ends and heals a supervisor that is stopped past its lease`() throws {
        let lab = try broken("stopped", lease: .seconds(1))
        let watchdog = try lab.watchdog
        lab.supervisor.signal(SIGSTOP)
        #expect(lab.supervisor.waitForEnd() == 128 + SIGKILL)
        #expect(isGone(watchdog))
        try lab.expectNothingLeft()
    }

    @Test func `a supervisor that is stopped within its lease goes on`() throws {
        let lab = try broken("paused", lease: .seconds(4))
        lab.supervisor.signal(SIGSTOP)
        usleep(1_500_000)
        lab.supervisor.signal(SIGCONT)
        try lab.supervisor.ask(.renew)
        let reply = try lab.supervisor.lab(.detach(Self.link, LinkTreatment(.sink)))
        #expect(reply.verdict == .restored)
        try end(lab)
    }

    @Test func `the supervisor heals when the watchdog is killed`() throws {
        let lab = try broken("unwatched")
        kill(try lab.watchdog, SIGKILL)
        try expectHealed(lab, by: .watchdog)
        let failure = try lab.supervisor.failure(of: .perform(.lab(.silence("a"))))
        #expect(failure.message == "nothing is changed any more: the watchdog has ended")
        try end(lab)
    }

    @Test func `the supervisor heals when its lease is over, and no renewal revives it`() throws {
        let lab = try broken("silent", lease: .seconds(1))
        try expectHealed(lab, by: .lease)
        let s = lab.supervisor
        #expect(
            try s.failure(of: .renew).message
                == "cannot renew: the lease is over: no renewal came for 1s")
        #expect(
            try s.failure(of: .perform(.lab(.silence("a")))).message.hasPrefix(
                "nothing is changed any more: the lease is over"))
        // An order that comes too late is answered with what became of the change.
        #expect(try s.lab(.detach(Self.link, LinkTreatment(.sink))).verdict == .restored)
        try end(lab)
    }

    @Test func `heal does what a supervisor and its watchdog cannot when both are killed`() throws {
        let lab = try broken("both")
        let watchdog = try lab.watchdog
        kill(watchdog, SIGSTOP)
        lab.supervisor.signal(SIGKILL)
        _ = lab.supervisor.waitForEnd()
        kill(watchdog, SIGKILL)
        #expect(isGone(watchdog))
        let healed = try Programs.run([try Programs.agent, "heal", lab.run.rawValue])
        #expect(healed.output.contains("run \(lab.run): removed\n"))
        #expect(healed.status == 0)
        try lab.expectNothingLeft()
    }

    @Test(arguments: [false, true])
    func `heal waits for a watchdog that heals, and goes on where it hangs`(hangs: Bool) throws {
        if hangs { setenv("FIREDRILL_TEST_PATIENCE_MS", "500", 1) }
        defer { unsetenv("FIREDRILL_TEST_PATIENCE_MS") }
        let lab = try TestLab("slow")
        try lab.build()
        try lab.supervisor.on("a", .command(["/bin/true"], undo: ["/bin/sleep", "2"]))
        lab.remember()
        let watchdog = try lab.watchdog
        lab.supervisor.signal(SIGKILL)
        _ = lab.supervisor.waitForEnd()
        usleep(500_000)
        if hangs { kill(watchdog, SIGSTOP) }
        let healed = try Programs.run([try Programs.agent, "heal", lab.run.rawValue])
        let how = hangs ? "removed" : "healed by its watchdog"
        #expect(healed.output.contains("run \(lab.run): \(how)\n"), "\(healed)")
        #expect(healed.status == 0)
        try lab.expectNothingLeft()
    }

    @Test func `what somebody else has restored is left alone`() throws {
        let lab = try TestLab("foreign")
        try lab.build()
        lab.remember()
        let s = lab.supervisor
        try s.lab(.carrier("a", "main", up: false))
        // In the supervisor's own namespace, as another tool would.
        _ = try Programs.run([
            "/usr/bin/nsenter", "--net=/proc/\(s.process)/ns/net", "/sbin/ip", "link", "set", "dev",
            "a",
            "up",
        ])
        #expect(try s.lab(.carrier("a", "main", up: true)).verdict == .superseded)
        try end(lab)
    }

    /// The environment of what this test starts.
    private func withoutRemovals(_ body: () throws -> Void) rethrows {
        setenv("FIREDRILL_TEST_BREAK", "no-removal", 1)
        defer { unsetenv("FIREDRILL_TEST_BREAK") }
        try body()
    }

    @Test func `a heal that fails half-way says so and injects nothing again`() throws {
        try withoutRemovals {
            try TestLab.with("unremoved") { (lab: TestLab) throws in
                let s = lab.supervisor
                let lossy = LinkTreatment(
                    .impair(Impairment(loss: .random(CorrelatedRatio(1)))))
                let delay = LinkTreatment(.impair(Impairment(delay: .milliseconds(20))))
                try s.lab(.attach(Self.link, lossy))
                #expect(try s.reach("a", lab.address("b")).isSilent)
                for _ in 0..<2 {
                    let reply = try s.reply(
                        to: try s.send(.perform(.lab(.detach(Self.link, lossy)))))
                    #expect(reply.verdict == .restoreFailed)
                    #expect(reply.failure?.message == "a test forbids to remove lane1")
                    #expect(try s.reach("a", lab.address("b")).isFull)
                }
                // What comes next on this link does not bring it back either.
                try s.lab(.attach(Self.link, delay))
                #expect(try s.reach("a", lab.address("b")).isFull)
            }
        }
    }

    private static let scenario = """
        apiVersion: firedrill/v1
        kind: Scenario
        name: unremoved
        system: \(Programs.root)/scenarios/keepalived-nginx/system.yaml
        vars: {advert: 100ms}
        workloads:
          web: {client: http, url: "http://{{vip}}/", rate: 200/s, timeout: 250ms}
        steady_state: {success_rate: ">= 95%", for: 300ms}
        stable: {for: 300ms}
        timeline:
          - {id: slow, at: 0s, fault: link.delay, link: standby->client, delay: 20ms, for: 1s}
        observe: 2s
        expect:
          success_rate.overall: "min >= 1%"
        """

    @Test(.timeLimit(.minutes(2)))
    func `a drill whose heal fails ends with 5 and names it`() throws {
        let drill = try Drill(
            Self.scenario, prefix: ["/usr/bin/env", "FIREDRILL_TEST_BREAK=no-removal"])
        #expect(drill.status(within: .seconds(60)) == 5, "\(drill.progress)")
        #expect(drill.progress.contains("heal of slow: a test forbids to remove lane1"))
        let run = try drill.run
        let heal = try drill.written().heal
        #expect(heal.leftBehind == [], "\(heal)")
        #expect(heal.verdict == .restoreFailed, "\(heal)")
        #expect(try MachineTraces().remains(of: run) == [])
    }

    @Test(.timeLimit(.minutes(2)))
    func `a lasting change that cannot be taken back stays on record until it is`() throws {
        let number = UInt64.random(in: 0..<UInt64.max)
        let ready = "/var/tmp/ready-test-\(number)"
        let mark = "/var/tmp/mark-test-\(number)"
        defer { for file in [ready, mark] { unlink(file) } }
        let command =
            "fault: command, host: b, run: [/bin/touch, \(mark)], undo: [/bin/sh, -c, \"test -e \(ready) && rm \(mark)\"]"
        let drill = try Drill(
            Self.scenario.replacing(
                "fault: link.delay, link: standby->client, delay: 20ms", with: command
            ).replacing("workloads:", with: "trials: 2\nworkloads:"))
        #expect(drill.status(within: .seconds(90)) == 5, "\(drill.progress)")
        let run = try drill.run
        let report = try drill.written()
        // Nothing is built over it.
        #expect(report.reasons.contains("1 of 2 trials ran"), "\(report.reasons)")
        // What the trial showed is another matter.
        #expect(report.trials.map(\.verdict) == [.pass], "\(report.reasons)")
        #expect(report.heal.leftBehind.contains { $0.contains("firedrill heal") })
        let doctor = try Programs.run([try Programs.firedrill, "doctor"])
        #expect(doctor.output.contains(run.rawValue), "\(doctor.output)")
        #expect(try Programs.run([try Programs.agent, "heal", run.rawValue]).status == 5)
        #expect(access(mark, F_OK) == 0)
        close(creat(ready, 0o644))
        #expect(try Programs.run([try Programs.agent, "heal", run.rawValue]).status == 0)
        #expect(access(mark, F_OK) != 0)
        #expect(try MachineTraces().remains(of: run) == [])
    }

    @Test func `what was never injected needs no heal`() throws {
        try TestLab.with("unmade") { (lab: TestLab) throws in
            for operation: LabOperation in [
                .detach(Self.link, LinkTreatment(.sink)), .unsilence("a"), .thaw("a"), .boot("a"),
                .carrier("a", "main", up: true),
            ] { #expect(try lab.supervisor.lab(operation).verdict == .notNeeded) }
        }
    }

    @Test func `what failed to be injected was taken back then, and its heal says so`() throws {
        try TestLab.with("failed") { (lab: TestLab) throws in
            let s = lab.supervisor
            try s.lab(.silence("b"))
            try s.lab(.kill("b"))
            let command = FaultOperation.host(
                "b", .command(["/bin/true"], undo: ["/bin/true"]))
            #expect(try s.failure(of: .perform(command)).message == "host b is dead")
            let heal = try #require(command.inverse)
            // In an empty host in the dead one's place.
            #expect(try s.ask(.perform(heal)).verdict == .restored)
            #expect(
                try s.failure(of: .perform(.lab(.kill("b")))).message == "host b is dead already")
            #expect(try s.lab(.boot("b")).verdict == .restored)
        }
    }

    private func expectHealed(_ lab: TestLab, by wanted: HealedBy) throws {
        let s = lab.supervisor
        let outcomes = try s.event(within: .seconds(10)) { event -> [HealOutcome]? in
            guard case .healed(let by, _, let outcomes, _) = event, by == wanted else { return nil }
            return outcomes
        }
        let verdicts = try #require(outcomes).map(\.verdict)
        #expect(verdicts == [.restored, .restored, .restored, .restored])
        #expect(try s.reach("client", lab.address("b")).isFull)
        #expect(try s.reach("b", lab.address("a")).isFull)
        lab.remember()
    }

    private func end(_ lab: TestLab) throws {
        #expect(try lab.supervisor.ask(.teardown).detail["left_behind"] == "")
        #expect(lab.supervisor.waitForEnd() == 0)
        try lab.expectNothingLeft()
    }
}
