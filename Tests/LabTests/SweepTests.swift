import DrillCore
import Testing

/// What is removed of what lies about on a machine, and what only looks like ours.
@Suite(.serialized) struct SweepTests {
    /// A machine of its own: processes, network, run folders and control groups of others are not to be seen from it.
    private static let machine = """
        set -e
        for place in /var/tmp /run /sys/fs/cgroup; do mount -t tmpfs none $place; done
        mkdir -p /sys/fs/cgroup/unified /var/tmp/firedrill-live /var/tmp/firedrill-dead/data /var/tmp/precious
        exec 9>/var/tmp/firedrill-live/lock
        flock -x 9
        echo kept >/var/tmp/precious/file
        mount --bind /var/tmp/precious /var/tmp/firedrill-dead/data
        for name in fd-dead fd-live near foreign gone; do ip link add $name type ifb; done
        ip link set fd-dead alias firedrill:dead
        ip link set fd-live alias firedrill:live
        ip link set near alias firedrill
        ip link add port type veth peer name other
        tc qdisc add dev port clsact
        redirect() {
            tc filter add dev port $1 protocol all prio $2 u32 match u32 0 0 action mirred egress redirect dev $3
        }
        for name in fd-dead fd-live foreign gone; do redirect egress 64798 $name; done
        redirect egress 7 fd-dead
        redirect ingress 64799 fd-dead
        ip link delete gone

        """

    private static let look = """

        echo "ended with $?"
        echo "links:" $(ip -o link | sed 's/^[0-9]*: //; s/[@:].*//' | grep -vw lo | sort)
        echo "egress:" $(tc filter show dev port egress | grep -c mirred)
        echo "to:" $(tc filter show dev port egress | grep -o 'device [a-z-]*' | sort)
        echo "seventh:" $(tc filter show dev port egress | grep -c 'pref 7 u32.* fh .*::')
        echo "ingress:" $(tc filter show dev port ingress | grep -c u32)
        echo "folders:" $(ls /var/tmp) $(cat /var/tmp/precious/file)
        """

    private func run(_ command: String) throws -> String {
        let script = Self.machine + "set +e\n'\(try Programs.agent)' " + command + Self.look
        let result = try Programs.run(
            [
                "/usr/bin/unshare", "--fork", "--kill-child", "--pid", "--mount-proc", "--mount",
                "--net", "/bin/sh", "-c", script,
            ], withErrors: true)
        #expect(result.status == 0, "\(result.output)")
        return result.output
    }

    @Test func `a sweep removes what is ours and dead, and nothing that looks like it`() throws {
        let output = try run("sweep")
        let lines = output.split(separator: "\n").map(String.init)
        #expect(lines.contains("run dead: removed"), "\(output)")
        #expect(lines.contains("run live: its controller is alive, left alone"), "\(output)")
        #expect(
            lines.contains {
                $0.hasPrefix("egress filters of link port in net:[")
                    && $0.hasSuffix("removed, their device was gone")
            }, "\(output)")
        #expect(lines.contains("ended with 0"), "\(output)")
        #expect(lines.contains("links: fd-live foreign near other port"), "\(output)")
        // To fd-live, to foreign, and the one of another preference.
        #expect(lines.contains("egress: 3"), "\(output)")
        #expect(lines.contains("seventh: 1"), "\(output)")
        #expect(lines.contains("ingress: 0"), "\(output)")
        #expect(lines.contains("folders: firedrill-live precious kept"), "\(output)")
    }

    @Test func `a doctor tells all of it and removes nothing`() throws {
        let output = try run("doctor")
        let lines = output.split(separator: "\n").map(String.init)
        let dead = lines.first { $0.hasPrefix("run dead left ") } ?? ""
        #expect(dead.contains("/var/tmp/firedrill-dead, link fd-dead in net:["), "\(output)")
        #expect(dead.contains(", mount /var/tmp/firedrill-dead/data;"), "\(output)")
        #expect(lines.contains("run live is running; left alone"), "\(output)")
        #expect(
            lines.contains {
                $0.hasPrefix("egress filters of link port in net:[")
                    && $0.contains("lead to no device")
            }, "\(output)")
        #expect(lines.contains("links: fd-dead fd-live foreign near other port"), "\(output)")
        #expect(lines.contains("egress: 5"), "\(output)")
        #expect(
            lines.contains("folders: firedrill-dead firedrill-live precious kept"), "\(output)")
    }

    @Test func `a doctor names a backend for every fault of a link`() throws {
        let faults = try Programs.run([try Programs.firedrill, "faults"]).output
            .split(separator: "\n").compactMap { $0.split(separator: " ").first }
            .filter { $0.hasPrefix("link.") }
        #expect(faults.count >= 9)
        let lines = try run("doctor").split(separator: "\n").filter { $0.hasPrefix("backend ") }
        let named = lines.compactMap { $0.split(separator: " ").dropFirst().first }
        #expect(Set(named) == Set(faults))
        #expect(named.count == faults.count)
    }

    @Test func `the unit of a sweep starts this program once`() throws {
        let agent = try Programs.agent
        let unit = try Programs.run([agent, "sweep", "--unit"])
        #expect(unit.status == 0)
        #expect(
            unit.output.contains("Type=oneshot\nExecStart=\"") && unit.output.contains("\" sweep\n")
        )
        #expect(unit.output.contains("WantedBy=multi-user.target"))
    }
}
