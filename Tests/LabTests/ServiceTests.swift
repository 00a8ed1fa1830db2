import DrillCore
import Glibc
import Testing

/// Services: start, readiness, output, and what process faults do to them.
@Suite(.serialized) struct LabServiceTests {
    @Test func `a service's output is logged, noticed and quoted`() throws {
        try TestLab.with("output") { (lab: TestLab) throws in
            let s = lab.supervisor
            try s.ask(.notice("talker", text: "MASTER"))
            let before = RunInstant.now
            try s.ask(
                .start(
                    "a", "talker",
                    ServiceInstance(
                        directory: "/run/firedrill/talker", files: ["sub/greeting": "hello"],
                        prepare: ["/bin/sh", "-c", "echo preparing"],
                        run: [
                            "/bin/sh", "-c",
                            "cat sub/greeting; echo; echo \"$WORD\"; echo Entering MASTER; echo MASTER again; sleep 0.1; exit 3",
                        ], environment: ["WORD": "from the environment"])))
            let noticed = try #require(
                try s.event { event -> (String, InstantInterval)? in
                    if case .noticed("a", let line, let interval) = event {
                        (line, interval)
                    } else {
                        nil
                    }
                })
            #expect(noticed.0 == "Entering MASTER")
            #expect(noticed.1.high > before)
            let status = try s.event { event -> Int32? in
                if case .serviceExited("a", "talker", let status, _) = event { status } else { nil }
            }
            #expect(status == 3)
            #expect(s.events.filter { if case .noticed = $0 { true } else { false } }.count == 1)
            let lines = try lab.log("a", "talker").split(separator: "\n").map {
                $0.split(separator: " ", maxSplits: 1).last.map(String.init) ?? ""
            }
            #expect(
                lines == [
                    "preparing", "hello", "from the environment", "Entering MASTER", "MASTER again",
                ])
            let failure = try s.failure(
                of: .awaitReady("a", "talker", .tcp(port: 80), timeout: .seconds(5)))
            #expect(
                failure.message
                    == "service talker on host a ended with 3; its last output:\n  preparing\n  hello\n  from the environment\n  Entering MASTER\n  MASTER again"
            )
        }
    }

    @Test func `what is not ready in time is named with the reason`() throws {
        try TestLab.with("unready") { (lab: TestLab) throws in
            let s = lab.supervisor
            try s.ask(
                .start(
                    "a", "idle",
                    ServiceInstance(
                        directory: "/run/firedrill/idle",
                        run: ["/bin/sh", "-c", "echo idling; sleep 1000"])))
            let failure = try s.failure(
                of: .awaitReady("a", "idle", .tcp(port: 81), timeout: .milliseconds(300)))
            #expect(failure.kind == .timedOut)
            #expect(
                failure.message
                    == "service idle on host a is not ready after 300ms (10.77.0.11:81 refuses connections); its last output:\n  idling"
            )
            try s.ask(.awaitReady("a", "idle", .run(["/bin/true"]), timeout: .seconds(1)))
            #expect(
                try s.failure(
                    of: .start(
                        "a", "absent",
                        ServiceInstance(
                            directory: "/run/firedrill/absent", run: ["no-such-program"]))
                ).message == "execute: no-such-program: No such file or directory")
            #expect(
                try s.failure(
                    of: .start(
                        "a", "stranger",
                        ServiceInstance(
                            directory: "/run/firedrill/stranger", run: ["/bin/true"],
                            user: "nobody-of-that-name"))
                ).kind == .capability)
        }
    }

    @Test func `a service runs as its user and owns its files`() throws {
        try TestLab.with("user") { (lab: TestLab) throws in
            let s = lab.supervisor
            try s.ask(
                .start(
                    "a", "who",
                    ServiceInstance(
                        directory: "/run/firedrill/who", files: ["file": "x"],
                        run: ["/bin/sh", "-c", "id -un; stat -c %U . file; pwd"], user: "nobody")))
            _ = try s.event { if case .serviceExited = $0 { true } else { nil } }
            let log = try lab.log("a", "who").split(separator: "\n").map {
                String($0.split(separator: " ")[1])
            }
            #expect(log == ["nobody", "nobody", "nobody", "/run/firedrill/who"])
        }
    }

    @Test func `kill, pause, signal, stop and restart reach the processes they mean`() throws {
        try TestLab.with("process") { (lab: TestLab) throws in
            let s = lab.supervisor
            try lab.startServing("a")
            let url = "http://10.77.0.11/"
            let ready = LabCommand.awaitReady("a", "web", .http(url: url), timeout: .seconds(3))
            try s.ask(ready)

            let paused = try s.on("a", .pauseService("web"))
            #expect(paused.interval.high - paused.interval.low < .milliseconds(100))
            // The kernel still completes the handshake; nobody answers.
            #expect(try s.reach("b", lab.address("a")).tcp > 0)
            #expect(
                try s.failure(
                    of: .awaitReady("a", "web", .http(url: url), timeout: .milliseconds(300))
                )
                .kind == .timedOut)
            try s.on("a", .continueService("web"))
            try s.ask(ready)

            s.forgetEvents()
            try s.on("a", .killService("web"))
            let status = try s.event { event -> Int32? in
                if case .serviceExited("a", "web", let status, _) = event { status } else { nil }
            }
            #expect(status == 128 + SIGKILL)
            #expect(
                try s.failure(of: .perform(.host("a", .killService("web")))).message
                    == "service web does not run on host a")
            // A reset is the answer of a living kernel.
            #expect(try s.reach("b", lab.address("a")).isFull)
            try s.on("a", .startService("web"))
            try s.ask(ready)
            // The kill that failed was taken back at once, and whoever orders its undoing hears of that.
            #expect(try s.on("a", .startService("web")).verdict == .notNeeded)

            try s.on("a", .stopService("web"))
            _ = try s.failure(of: .perform(.host("a", .killService("web"))))
            // Nothing was killed, and yet nothing runs.
            try s.on("a", .startService("web"))
            try s.ask(ready)
            s.forgetEvents()
            try s.on("a", .signalService("web", SIGTERM))
            let ended = try s.event { event -> Int32? in
                if case .serviceExited("a", "web", let status, _) = event { status } else { nil }
            }
            #expect(ended == 128 + SIGTERM)
            try s.on("a", .run(["/bin/true"]))
            #expect(
                try s.failure(of: .perform(.host("a", .run(["/bin/false"])))).message
                    == "/bin/false on host a ended with 1: ")
        }
    }

    @Test func `a kill takes daemons that left their parent, and a paused service can be killed`()
        throws
    {
        try TestLab.with("daemon") { (lab: TestLab) throws in
            let s = lab.supervisor
            try s.ask(
                .start(
                    "a", "daemon",
                    ServiceInstance(
                        directory: "/run/firedrill/daemon",
                        run: ["/bin/sh", "-c", "setsid sleep 1001 & setsid sleep 1002 & exit 0"])))
            _ = try s.event { if case .serviceExited = $0 { true } else { nil } }
            #expect(try s.run("a", "/bin/ps", "ax", "-o", "args").contains("sleep 1002"))
            try s.on("a", .pauseService("daemon"))
            try s.on("a", .killService("daemon"))
            #expect(!(try s.run("a", "/bin/ps", "ax", "-o", "args").contains("sleep 100")))
            // The cgroup is thawed: what is started in it runs.
            try s.on("a", .startService("daemon"))
            try s.on("a", .signalService("daemon", SIGTERM))
        }
    }

    @Test func `polls follow one another and stop with unpoll, and a dead host is not asked`()
        throws
    {
        try TestLab.with("polls") { (lab: TestLab) throws in
            let s = lab.supervisor
            try s.ask(
                .poll("up", "a", ["/bin/echo", " yes "], equals: "yes", every: .milliseconds(20)))
            try s.ask(
                .poll("up", "b", ["/bin/echo", "no"], equals: "yes", every: .milliseconds(20)))
            try s.listen(for: .milliseconds(600))
            for (host, expected) in [("a", true), ("b", false)] as [(HostName, Bool)] {
                let polls = s.events.compactMap {
                    event -> (Bool, RunInstant, RunInstant, String)? in
                    if case .poll("up", host, let value, let asked, let answered, let boot) = event
                    {
                        (value, asked, answered, boot)
                    } else {
                        nil
                    }
                }
                #expect(polls.count > 5)
                #expect(polls.allSatisfy { $0.0 == expected && $0.1 < $0.2 && $0.3 == "\(host)#1" })
                #expect(zip(polls, polls.dropFirst()).allSatisfy { $0.2 <= $1.1 })
            }
            try s.lab(.silence("a"))
            try s.lab(.kill("a"))
            s.forgetEvents()
            try s.listen(for: .milliseconds(200))
            #expect(
                !s.events.contains {
                    if case .poll("up", "a", _, _, _, _) = $0 { true } else { false }
                })
            try s.lab(.boot("a"))
            lab.remember()
            let boot = try s.event { event -> String? in
                if case .poll("up", "a", true, _, _, let boot) = event { boot } else { nil }
            }
            #expect(boot == "a#2")
            try s.ask(.unpoll("up"))
            try s.listen(for: .milliseconds(100))
            s.forgetEvents()
            try s.listen(for: .milliseconds(200))
            #expect(!s.events.contains { if case .poll = $0 { true } else { false } })
        }
    }

    @Test func `a program that hangs is ended with all that it started`() throws {
        try TestLab.with("timeout") { (lab: TestLab) throws in
            let s = lab.supervisor
            let failure = try s.failure(
                of: .execute(
                    "a", ["/bin/sh", "-c", "echo begun; sleep 1003 & sleep 1003"],
                    timeout: .milliseconds(300)))
            #expect(failure.kind == .timedOut)
            #expect(failure.message == "/bin/sh on host a did not end in 300ms: begun")
            #expect(!(try s.run("a", "/bin/ps", "ax", "-o", "args").contains("sleep 1003")))
        }
    }
}
