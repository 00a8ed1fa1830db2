import DrillCore
import FoundationEssentials
import Glibc

/// One real run that is struck at one numbered step of its supervisor, and all that is wrong afterwards.
final class CrashRun {
    struct Trouble: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// What a drill's lab grants its controller here, so that a stop past it is short.
    static let lease = Duration.seconds(3)

    /// Faults one within the other and one after the other; the address moves when the primary dies, and stays there. The
    /// command's host is dead when it is undone, and its file is the machine's.
    private static func scenario(marking mark: String) -> String {
        """
        apiVersion: firedrill/v1
        kind: Scenario
        name: crashes
        system: \(Programs.root)/scenarios/keepalived-nginx/system.yaml
        vars: {advert: 100ms, preempt: nopreempt}
        workloads:
          web: {client: http, url: "http://{{vip}}/", rate: 200/s, timeout: 250ms}
        steady_state: {success_rate: ">= 95%", for: 300ms}
        stable: {for: 300ms}
        timeline:
          - {id: slow, at: 0s, fault: link.delay, link: client->standby, delay: 20ms, for: 1s}
          - {id: lossy, at: 100ms, fault: link.loss, link: standby->client, ratio: 50%, for: 1s}
          - {id: cut, at: 300ms, fault: link.partition, link: standby->primary, for: 500ms}
          - {id: lame, at: 400ms, fault: process.pause, host: standby, service: nginx, for: 300ms}
          - id: mark
            at: 1200ms
            fault: command
            host: primary
            run: [/bin/sh, -c, "echo changed >\(mark)"]
            undo: [/bin/sh, -c, "echo before >\(mark)"]
            for: 1s
          - id: kill
            after: {event: mark.injected, plus: 200ms, at_most: 5s}
            fault: node.kill
            host: primary
            for: 1s
        observe: 4s
        expect:
          success_rate.overall: "min >= 1%"
        """
    }

    private let machine: Machine
    private let before: String
    private let drill: Drill
    private let points: String
    private let mark: String
    private let keepsLab: Bool
    private var traces = MachineTraces()

    init(stoppingAt point: Int, on machine: Machine, keepsLab: Bool = false) throws {
        self.machine = machine
        self.keepsLab = keepsLab
        before = try machine.dump()
        let number = UInt64.random(in: 0..<UInt64.max)
        points = "/var/tmp/points-test-\(number)"
        mark = "/var/tmp/mark-test-\(number)"
        try Self.untouched.write(toFile: mark, atomically: false, encoding: .utf8)
        drill = try Drill(
            Self.scenario(marking: mark), keepsLab ? ["--keep-lab"] : [],
            prefix: [
                "/usr/bin/env", "FIREDRILL_TEST_POINTS=\(points)",
                "FIREDRILL_TEST_STOP_AT=\(point)",
                "FIREDRILL_TEST_LEASE_MS=\(Self.lease.nanoseconds / 1_000_000)",
            ] + machine.prefix)
    }

    deinit {
        unlink(points)
        unlink(mark)
    }

    /// In the file that the command changes.
    private static let untouched = "before\n"

    /// The names of the steps that were reached, the first one's number being 1.
    var reached: [String] {
        ((try? Programs.text(points)) ?? "").split(separator: "\n").map { line in
            line.split(separator: " ", maxSplits: 1).last.map(String.init) ?? ""
        }
    }

    /// To its end, with nobody struck.
    func finish() throws {
        let status = drill.status(within: .seconds(90))
        if status != 0, status != 2 { throw Trouble("exit \(status)\n\(drill.progress)") }
    }

    // MARK: the strike

    /// Nil where the step was not reached, or where those that should be struck are not there.
    func strike(_ victims: Victims, at point: Int) throws -> CrashFacts? {
        guard let supervisor = try awaitStop(at: point) else {
            try endKept()
            return nil
        }
        let run = try drill.run
        traces.collectTree(of: drill.process)
        traces.collect(run: run, supervisor: supervisor, others: machine.namespaces)
        var parts: [Victims.Part: pid_t] = [.controller: drill.process, .supervisor: supervisor]
        for pid in traces.processes {
            for part in [Victims.Part.watchdog, .emulator]
            where Self.command(pid).hasPrefix("firedrill-agent \(part)") {
                parts[part] = pid
            }
        }
        guard let victims = victims.among(Set(parts.keys)) else {
            kill(supervisor, SIGCONT)
            _ = drill.status(within: .seconds(90))
            try endKept()
            return nil
        }
        let past = UInt32((Self.lease + .milliseconds(1500)).nanoseconds / 1000)
        switch victims {
        case .killed(let killed):
            for part in killed { parts[part].map { _ = kill($0, SIGKILL) } }
            if !killed.contains(.supervisor) { kill(supervisor, SIGCONT) }
        case .interrupted(let signal):
            drill.signal(signal)
            // What it asks for then waits for the supervisor.
            usleep(100_000)
            kill(supervisor, SIGCONT)
        case .stopped(.controller):
            kill(drill.process, SIGSTOP)
            kill(supervisor, SIGCONT)
            usleep(past)
            kill(drill.process, SIGCONT)
        case .stopped(.supervisor):
            usleep(past)
            // Dead by then, if somebody watched it; the number cannot be another's while its parent lives.
            kill(supervisor, SIGCONT)
        case .stopped(let part):
            parts[part].map { _ = kill($0, SIGSTOP) }
            kill(supervisor, SIGCONT)
            usleep(past)
            // Where it was ended meanwhile, the number is hardly another's yet, and hurts nobody.
            parts[part].map { _ = kill($0, SIGCONT) }
        }
        return try aftermath(victims, at: point)
    }

    /// Of a run that nobody struck.
    private func endKept() throws {
        guard keepsLab else { return }
        // The step may come with its teardown: the supervisor then stops itself, and goes on.
        let run = try drill.run
        // It may stop after its folder is gone: who holds that is asked before.
        let script = """
            supervisor=$(cut -d ' ' -f 2 /var/tmp/firedrill-\(run)/lock)
            '\(try Programs.agent)' heal \(run) & healer=$!
            while kill -0 $healer 2>/dev/null; do
            kill -CONT "$supervisor" 2>/dev/null; sleep 0.1; done
            wait $healer
            """
        let healed = try Programs.run(["/bin/sh", "-c", script], withErrors: true)
        if healed.status != 0 { throw Trouble("heal of the kept lab: \(healed)") }
    }

    /// The supervisor, when it has stopped itself.
    private func awaitStop(at point: Int) throws -> pid_t? {
        var supervisor: pid_t?
        let deadline = RunInstant.now + .seconds(60)
        while RunInstant.now < deadline {
            supervisor = supervisor ?? drill.supervisor
            if let supervisor, reached.count >= point, MachineTraces.state(of: supervisor) == "T" {
                return supervisor
            }
            if !MachineTraces.isAlive(drill.process) {
                _ = drill.status(within: .seconds(1))
                return nil
            }
            usleep(2000)
        }
        kill(drill.process, SIGKILL)
        throw Trouble("neither the step nor the end came\n\(drill.progress)")
    }

    private static func command(_ pid: pid_t) -> String {
        ((try? Programs.text("/proc/\(pid)/cmdline")) ?? "").split(separator: "\0")
            .joined(separator: " ")
    }

    // MARK: what is wrong afterwards

    private func aftermath(_ victims: Victims, at point: Int) throws -> CrashFacts {
        let name = reached.count >= point ? reached[point - 1] : "?"
        let run = try drill.run
        var facts = CrashFacts(point: point, name: name, victims: victims)
        facts.exit = drill.status(within: .seconds(60))
        // Where a fault could not be injected no lab is kept, even if it was asked for.
        if keepsLab, facts.exit != 4 || access("/var/tmp/firedrill-\(run)", F_OK) == 0 {
            facts.remains += try untrafficked(run)
            let healed = try Programs.run([try Programs.agent, "heal", run.rawValue])
            if healed.status != 0 { facts.remains.append("heal of the kept lab: \(healed)") }
        }
        if victims.kills(.controller) {
            facts.report = try Programs.run([
                try Programs.firedrill, "report", drill.folder + "/run",
            ]).status
        }
        facts.verdict = try? drill.written().verdict
        facts.hasTwoPrimaries =
            (try? drill.written().trials.contains { $0.splitBrain.seen == true }) ?? false
        facts.leftBehind = (try? drill.written().heal.leftBehind) ?? []
        facts.remains += try remains(of: run)
        let changes = try machine.changes(since: before)
        if !changes.isEmpty { facts.remains.append("the machine is not as before: \(changes)") }
        if try !machine.hearsNeighbour() {
            facts.remains.append("the machine does not hear its neighbour any more")
        }
        facts.read(events: (try? Programs.text(drill.folder + "/run/trial-1.events.jsonl")) ?? "")
        facts.progress = drill.progress
        if !facts.remains.isEmpty {
            _ = try Programs.run([try Programs.agent, "heal", run.rawValue])
        }
        return facts
    }

    /// In the lab that was kept: between which hosts no traffic flows, the virtual address among them.
    private func untrafficked(_ run: RunID) throws -> [String] {
        var open = [
            ("client", "10.77.0.10"), ("client", "10.77.0.11"), ("client", "10.77.0.12"),
            ("a", "10.77.0.12"), ("b", "10.77.0.11"),
        ]
        let ask =
            "exec 3<>/dev/tcp/$0/80 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && head -n1 <&3"
        // The address may just be moving.
        let deadline = RunInstant.now + .seconds(8)
        var said = ""
        while !open.isEmpty, RunInstant.now < deadline {
            open = try open.filter { host, address in
                let answer = try Programs.run(
                    [
                        try Programs.firedrill, "shell", host, "--run", run.rawValue, "--",
                        "/usr/bin/timeout", "-s", "KILL", "1", "/bin/bash", "-c", ask, address,
                    ], withErrors: true)
                said = answer.output
                return !answer.output.hasPrefix("HTTP/1.1 200")
            }
        }
        return open.map { "no traffic from \($0) to \($1): \(said)" }
    }

    /// Who heals may need a while; what is still there then, stays.
    private func remains(of run: RunID) throws -> [String] {
        let deadline = RunInstant.now + .seconds(15)
        while true {
            var left = try traces.remains(of: run) { isOthers($0, run) }
            left += machine.processes().map { "process \($0) on the machine: \(Self.command($0))" }
            left += Programs.names(in: "/proc").compactMap { pid_t($0) }.filter { pid in
                Self.environment(pid).contains("FIREDRILL_RUN=\(run)")
            }.map { "process \($0) with the run's mark: \(Self.command($0))" }
            let text = (try? Programs.text(mark)) ?? "nothing"
            if text != Self.untouched { left.append("the command's file holds \(text)") }
            if left.isEmpty || RunInstant.now > deadline { return left }
        }
    }

    private func isOthers(_ pid: pid_t, _ run: RunID) -> Bool {
        let cgroup = (try? Programs.text("/proc/\(pid)/cgroup")) ?? ""
        if cgroup.contains("/firedrill-") { return !cgroup.contains("/firedrill-\(run)") }
        let environment = Self.environment(pid)
        return environment.contains { $0.hasPrefix("FIREDRILL_TEST_POINTS=") }
            && !environment.contains("FIREDRILL_TEST_POINTS=\(points)")
            || environment.contains { $0.hasPrefix("FIREDRILL_RUN=") }
                && !environment.contains("FIREDRILL_RUN=\(run)")
    }

    private static func environment(_ pid: pid_t) -> [Substring] {
        ((try? Programs.text("/proc/\(pid)/environ")) ?? "").split(separator: "\0")
    }
}
