import DrillCore
import Glibc
import Testing

/// However a lab ends, nothing of it is left.
@Suite(.serialized) struct LabEndTests {
    enum Ending: CaseIterable { case endOfFile, terminate, teardown }
    enum Condition: CaseIterable { case calm, frozen, silentAndDead, partitioned, busy, paused }

    @Test(arguments: Ending.allCases, Condition.allCases)
    func `nothing is left after`(_ ending: Ending, _ condition: Condition) throws {
        let lab = try TestLab("end")
        let s = lab.supervisor
        try lab.build()
        try lab.startServing("a")
        lab.remember()
        switch condition {
        case .calm: break
        case .frozen:
            try s.lab(.silence("a"))
            try s.lab(.freeze("a"))
        case .silentAndDead:
            try s.lab(.silence("a"))
            try s.lab(.kill("a"))
        case .partitioned:
            try s.lab(
                .attach(LinkDirection(network: "main", from: "a", to: "b"), LinkTreatment(.sink)))
            try s.lab(.carrier("a", "main", up: false))
        case .busy:
            try s.ask(.poll("p", "b", ["/bin/true"], equals: "", every: .milliseconds(5)))
            try s.send(
                .execute(
                    "a", ["/bin/sh", "-c", "setsid sleep 1000 & sleep 1000"], timeout: .seconds(100)
                ))
            try s.send(.reach(from: "b", address: lab.address("a"), duration: .seconds(5)))
            try s.listen(for: .milliseconds(50))
        case .paused: try s.on("a", .pauseService("web"))
        }
        lab.remember()
        switch ending {
        case .endOfFile: s.closeInput()
        case .terminate: s.signal(SIGTERM)
        case .teardown: #expect(try s.ask(.teardown).detail["left_behind"] == "")
        }
        #expect(s.waitForEnd() == 0)
        try lab.expectNothingLeft()
    }

    @Test(arguments: [0, 5, 10, 20, 30, 45, 60, 80, 100])
    func `nothing is left when the controller goes while the lab is built`(_ milliseconds: Int)
        throws
    {
        let lab = try TestLab("early")
        try lab.supervisor.send(.build(lab.spec))
        try lab.supervisor.listen(for: .milliseconds(milliseconds))
        lab.remember()
        lab.supervisor.closeInput()
        #expect(lab.supervisor.waitForEnd() == 0)
        try lab.expectNothingLeft()
    }

    @Test func `SIGINT and SIGHUP do not end the supervisor`() throws {
        try TestLab.with("signals") { (lab: TestLab) throws in
            lab.supervisor.signal(SIGINT)
            lab.supervisor.signal(SIGHUP)
            #expect(try lab.supervisor.reach("a", lab.address("b")).isFull)
        }
    }

    @Test func `two labs with the same names and addresses do not meet`() throws {
        try TestLab.with("first") { (first: TestLab) throws in
            try TestLab.with("second") { (second: TestLab) throws in
                try first.supervisor.lab(.silence("a"))
                #expect(try first.supervisor.reach("b", first.address("a")).isSilent)
                #expect(try second.supervisor.reach("b", second.address("a")).isFull)
                let third = try Supervisor()
                #expect(
                    try third.failure(of: .build(second.spec)).message
                        == "run \(second.run) is being run already")
                third.closeInput()
                #expect(third.waitForEnd() == 0)
                #expect(try second.supervisor.reach("b", second.address("a")).isFull)
            }
            #expect(try first.supervisor.reach("client", first.address("b")).isFull)
        }
    }

    @Test func `a lab that cannot be built says why and leaves nothing`() throws {
        let lab = try TestLab("unbuildable")
        var spec = lab.spec
        spec.hosts[1].ports[0].network = "absent"
        lab.remember()
        let failure = try lab.supervisor.failure(of: .build(spec))
        #expect(failure.message == "host b: there is no network absent")
        lab.remember()
        // The same supervisor builds a right one.
        try lab.build()
        lab.remember()
        try lab.supervisor.ask(.teardown)
        #expect(lab.supervisor.waitForEnd() == 0)
        try lab.expectNothingLeft()
    }

    @Test func `who looks while another run ends sees all of the rest`() throws {
        let script = "for i in $(seq 250); do \"$0\" orphans >/dev/null || exit 1; done"
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(nothing) }
        let looker = try Programs.spawn(
            ["/bin/sh", "-c", script, try Programs.agent], input: nothing, output: nothing)
        for _ in 0..<8 {
            try TestLab.with("looked-at") { (lab: TestLab) throws in
                try lab.startServing("a")
            }
        }
        #expect(Programs.wait(looker, within: .seconds(60)) == 0)
    }

    /// Stopped, and with its watchdog or without: heal ends the supervisor, and one of the others heals.
    @Test(arguments: [true, false])
    func `a kept lab whose supervisor hangs is healed all the same`(hasWatchdog: Bool) throws {
        setenv("FIREDRILL_TEST_PATIENCE_MS", "500", 1)
        defer { unsetenv("FIREDRILL_TEST_PATIENCE_MS") }
        let lab = try TestLab("hung")
        let s = lab.supervisor
        try lab.build()
        try lab.startServing("a")
        try s.lab(.silence("a"))
        try s.ask(.keep)
        lab.remember()
        s.closeInput()
        usleep(300_000)
        s.signal(SIGSTOP)
        if !hasWatchdog { kill(try lab.watchdog, SIGKILL) }
        let healed = try Programs.run([try Programs.agent, "heal", lab.run.rawValue])
        #expect(healed.status == 0)
        #expect(healed.output.contains("run \(lab.run): kept lab ended\n"))
        #expect(s.waitForEnd() == 128 + SIGKILL)
        try lab.expectNothingLeft()
    }

    @Test func `a kept lab stays, can be entered, and is healed`() throws {
        let lab = try TestLab("kept")
        let s = lab.supervisor
        try lab.build()
        try lab.startServing("a")
        try s.ask(.keep)
        lab.remember()
        let running = try Programs.run([try Programs.agent, "orphans"]).output
        #expect(running.contains("\"run\":\"\(lab.run)\",\"state\":\"running\""))
        let pid = try #require(try s.ask(.hello(version: "1")).detail["pid.a"])
        s.closeInput()
        usleep(300_000)
        let inside = try Programs.run([
            try Programs.agent, "enter", "--pid", pid, "--", "/bin/sh", "-c",
            "hostname; ls /sys/class/net; ls /run/firedrill/web; exit 7",
        ])
        #expect(inside.output == "a\neth0\nlo\nhello.txt\n")
        #expect(inside.status == 7)
        let healed = try Programs.run([try Programs.agent, "heal", lab.run.rawValue])
        #expect(healed.output.contains("run \(lab.run): kept lab ended\n"))
        #expect(s.waitForEnd() == 0)
        try lab.expectNothingLeft()
    }
}
