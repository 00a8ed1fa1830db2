import DrillCore
import Glibc
import Testing

/// A machine of its own, with nothing of this one's processes, run folders and control groups: a sweep there meets none.
private final class ClosedMachine {
    private let holder: pid_t

    init() throws {
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(nothing) }
        holder = try Programs.spawn(
            [
                "/usr/bin/unshare", "--fork", "--kill-child", "--pid", "--mount-proc", "--mount",
                "--net",
                "/bin/sh", "-c",
                """
                set -e
                for place in /var/tmp /run /sys/fs/cgroup; do mount -t tmpfs none $place; done
                mkdir -p /sys/fs/cgroup/unified
                ip link add port type veth peer name other
                ip link set other up; ip link set port up
                touch /run/ready
                sleep 86400
                """,
            ], input: nothing, output: nothing)
        let deadline = RunInstant.now + .seconds(10)
        while try inside.isEmpty || shell("ls /run/ready").status != 0 {
            try #require(RunInstant.now < deadline, "the machine does not come up")
            usleep(5000)
        }
    }

    deinit {
        kill(holder, SIGKILL)
        var status: Int32 = 0
        waitpid(holder, &status, 0)
    }

    /// The first process inside, as seen from outside.
    private var inside: String {
        let children = (try? Programs.text("/proc/\(holder)/task/\(holder)/children")) ?? ""
        return String(children.split(separator: " ").first ?? "")
    }

    var prefix: [String] {
        ["/usr/bin/nsenter", "--target", inside, "--mount", "--pid", "--net"]
    }

    func shell(_ script: String) throws -> (output: String, status: Int32) {
        try Programs.run(prefix + ["/bin/sh", "-c", script], withErrors: true)
    }

    func dump() throws -> String {
        try shell(
            """
            ip -details link show dev port | sed 's/ qlen .*//'; tc qdisc show dev port; tc filter show dev port ingress
            ip -o link | cut -d: -f2; ls /var/tmp
            """
        ).output
    }
}

/// Agent and watchdog are killed together: what they held waits for the next who heals.
@Suite(.serialized) struct HostAgentSweepTests {
    private static let cut = MachineChange.cut(
        PeerTraffic(interface: "port", direction: .arriving, peers: ["192.0.2.2"]))
    private static let lower = MachineChange.lower(interface: "port")
    private static let command = MachineChange.command(
        ["/usr/bin/touch", "/run/mark"], undo: ["/bin/rm", "/run/mark"])

    /// The machine before, and the run, whose agent and watchdog are dead and have healed nothing.
    private func abandoned(
        _ changes: [MachineChange], on machine: ClosedMachine
    ) throws -> (before: String, run: RunID) {
        // Its carrier comes a moment later.
        var before = ""
        while try before != machine.dump() {
            before = try machine.dump()
            usleep(50_000)
        }
        let agent = try HostAgentProcess(prefix: machine.prefix)
        try agent.ask(.begin(agent.run, lease: .seconds(60)))
        for change in changes { try agent.ask(.perform(change)) }
        let watchdog = try #require(agent.watchdog)
        let itself = try #require(agent.part("agent"))
        // So that it cannot see the other's death.
        kill(watchdog, SIGSTOP)
        kill(itself, SIGKILL)
        _ = agent.waitForEnd()
        kill(watchdog, SIGKILL)
        while MachineTraces.isAlive(watchdog) { usleep(2000) }
        #expect(try machine.dump() != before)
        #expect(try machine.shell("ls /run/mark").status == 0)
        return (before, agent.run)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a sweep undoes what a killed agent and its killed watchdog left`() throws {
        let machine = try ClosedMachine()
        let (before, run) = try abandoned([Self.cut, Self.lower, Self.command], on: machine)
        let swept = try machine.shell("'\(try Programs.agent)' sweep")
        #expect(swept.output == "run \(run): removed\n")
        #expect(swept.status == 0)
        #expect(try machine.dump() == before)
        #expect(try machine.shell("ls /run/mark").status != 0)
        let again = try machine.shell("'\(try Programs.agent)' sweep")
        #expect(again.output == "" && again.status == 0)
    }

    /// What a kernel held went with it: a link that is down now was set down by somebody else. A file stays.
    @Test(.timeLimit(.minutes(1)))
    func `of another boot's journal only what lasts is undone`() throws {
        let machine = try ClosedMachine()
        let (_, run) = try abandoned([Self.lower, Self.command], on: machine)
        let boot = try Programs.text("/proc/sys/kernel/random/boot_id").split(separator: "\n")[0]
        let journal = "/var/tmp/firedrill-\(run)/journal"
        let edited = try machine.shell(
            "grep -c \(boot) \(journal); sed -i s/\(boot)/00000000-0000-4000-8000-000000000000/ \(journal)"
        )
        #expect(edited.output == "2\n" && edited.status == 0)
        let lowered = try machine.shell("ip link show dev port").output
        let swept = try machine.shell("'\(try Programs.agent)' sweep")
        #expect(swept.output == "run \(run): removed\n")
        #expect(swept.status == 0)
        #expect(try machine.shell("ls /run/mark").status != 0)
        #expect(try machine.shell("ip link show dev port").output == lowered)
        #expect(try machine.shell("ls /var/tmp").output == "")
    }
}
