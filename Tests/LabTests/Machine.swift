import DrillCore
import Glibc
import Testing

/// A network namespace that somebody holds open.
final class HeldNamespace {
    let holder: pid_t

    init() throws {
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(nothing) }
        holder = try Programs.spawn(
            ["/usr/bin/unshare", "--net", "/bin/sleep", "86400"], input: nothing, output: nothing)
        let own = MachineTraces.link("/proc/self/ns/net")
        for _ in 0..<2000 where name == own || name.isEmpty { usleep(1000) }
    }

    deinit {
        kill(holder, SIGKILL)
        var status: Int32 = 0
        waitpid(holder, &status, 0)
    }

    /// `net:[4026532177]`
    var name: String { MachineTraces.link("/proc/\(holder)/ns/net") }

    /// What starts a program inside; each executes the next, so that the process id stays.
    var prefix: [String] { ["/usr/bin/nsenter", "--net=/proc/\(holder)/ns/net"] }

    @discardableResult
    func shell(_ script: String) throws -> String {
        let result = try Programs.run(prefix + ["/bin/sh", "-c", script], withErrors: true)
        try #require(result.status == 0, "\(script): \(result.output)")
        return result.output
    }
}

/// A namespace that plays a machine with one neighbour: what it has is foreign to us, and must be the same after a run.
final class Machine {
    let here: HeldNamespace
    let neighbour: HeldNamespace

    /// A tree of queues with classes and filters, filters at both hooks, addresses and routes, all somebody else's.
    private static let foreign = """
        set -e
        ip link set foreign0 alias firedrill
        ip link set foreign0 addrgenmode none
        ip address add 192.0.2.1/24 dev foreign0
        ip address add 192.0.2.77/32 dev foreign0
        ip -6 address add 2001:db8::1/64 dev foreign0 nodad
        ip link set lo up
        ip link set foreign0 up
        ip route add 198.51.100.0/24 via 192.0.2.2
        ip route add 203.0.113.0/24 via 192.0.2.2 metric 50 table 77
        ip -6 route add 2001:db8:1::/48 via 2001:db8::2
        tc qdisc add dev foreign0 root handle 1: htb default 10
        tc class add dev foreign0 parent 1: classid 1:10 htb rate 50mbit
        tc class add dev foreign0 parent 1: classid 1:20 htb rate 5mbit ceil 10mbit
        tc filter add dev foreign0 parent 1: protocol all prio 7 u32 match ip dport 80 0xffff flowid 1:20
        """

    private static let foreignFilters = """
        tc qdisc add dev foreign0 clsact
        tc filter add dev foreign0 egress protocol all prio 7 u32 match ip dport 81 0xffff flowid 1:20
        tc filter add dev foreign0 ingress protocol all prio 7 u32 match ip sport 81 0xffff flowid 1:20
        """

    /// - Parameter hasClassifier: whether somebody else hung filters at the hooks that we use, too.
    init(hasClassifier: Bool = true) throws {
        here = try HeldNamespace()
        neighbour = try HeldNamespace()
        try here.shell(
            "ip link add foreign0 type veth peer name foreign1 netns \(neighbour.holder)")
        try neighbour.shell(
            """
            set -e; ip link set foreign1 addrgenmode none; ip link set lo up; ip link set foreign1 up
            ip address add 192.0.2.2/24 dev foreign1; ip -6 address add 2001:db8::2/64 dev foreign1 nodad
            """)
        try here.shell(Self.foreign)
        if hasClassifier { try here.shell(Self.foreignFilters) }
        // The kernel tells the carrier a moment later.
        for _ in 0..<500 {
            if try hearsNeighbour(), try here.shell("ip link show foreign0").contains("state UP") {
                break
            }
            usleep(10_000)
        }
    }

    var prefix: [String] { here.prefix }
    var namespaces: Set<String> { [here.name, neighbour.name] }

    /// Everything of the network that a run could have changed; without counters.
    func dump() throws -> String {
        try here.shell(
            """
            ip -details link | sed 's/ qlen .*//'; ip address; ip route show table all; ip -6 route show table all
            sysctl net.ipv6.conf.foreign0.keep_addr_on_down
            for dev in lo foreign0; do tc qdisc show dev $dev; tc class show dev $dev
            for at in root ingress egress 'parent 1:'; do tc filter show dev $dev $at; done; done
            """)
    }

    /// What of the dump is not as it was, once the kernel has told the carrier.
    func changes(since before: String, expected: (String) -> Bool = { _ in false }) throws
        -> [String]
    {
        var changes = try difference(from: before)
        for _ in 0..<50 where !changes.allSatisfy(expected) {
            usleep(20_000)
            changes = try difference(from: before)
        }
        return changes
    }

    private func difference(from before: String) throws -> [String] {
        try dump().split(separator: "\n").difference(from: before.split(separator: "\n")).map {
            switch $0 {
            case .insert(_, let line, _): "+ \(line)"
            case .remove(_, let line, _): "- \(line)"
            }
        }
    }

    /// Those that run inside, but for the one that holds it open.
    func processes() -> Set<pid_t> {
        let name = here.name
        let all = Programs.names(in: "/proc").compactMap { pid_t($0) }
        return Set(
            all.filter {
                $0 != here.holder && MachineTraces.link("/proc/\($0)/ns/net") == name
                    && MachineTraces.isAlive($0)
            })
    }

    /// Whether the neighbour's kernel answers a connection to a port where nobody listens: in time, or not at all.
    func hearsNeighbour() throws -> Bool {
        let result = try Programs.run(
            prefix + [
                "/usr/bin/timeout", "-s", "KILL", "0.4", "/bin/bash", "-c",
                "exec 3<>/dev/tcp/192.0.2.2/9",
            ], withErrors: true)
        return result.output.contains("refused")
    }
}
