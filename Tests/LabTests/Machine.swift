import DrillCore
import Glibc
import Testing

/// A network namespace that plays the machine on which a run happens: what it has is foreign to us, and must be the same
/// after the run.
final class Machine {
    private let holder: pid_t

    /// A tree of queues with classes and filters, ingress filters, addresses and routes, all somebody else's.
    private static let foreign = """
        ip link set lo up
        ip link add foreign0 type veth peer name foreign1
        ip link set foreign0 alias firedrill
        ip link set foreign0 addrgenmode none
        ip link set foreign1 addrgenmode none
        ip -6 address add 2001:db8::1/64 dev foreign0 nodad
        ip address add 192.0.2.1/24 dev foreign0
        ip address add 192.0.2.77/32 dev foreign0
        ip link set foreign0 up
        ip link set foreign1 up
        ip route add 198.51.100.0/24 via 192.0.2.2
        tc qdisc add dev foreign0 root handle 1: htb default 10
        tc class add dev foreign0 parent 1: classid 1:10 htb rate 50mbit
        tc class add dev foreign0 parent 1: classid 1:20 htb rate 5mbit ceil 10mbit
        tc filter add dev foreign0 parent 1: protocol all prio 7 u32 match ip dport 80 0xffff flowid 1:20
        tc qdisc add dev foreign0 clsact
        tc filter add dev foreign0 egress protocol all prio 7 u32 match ip dport 81 0xffff flowid 1:20
        tc filter add dev foreign0 ingress protocol all prio 7 u32 match ip sport 81 0xffff flowid 1:20
        """

    init() throws {
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(nothing) }
        holder = try Programs.spawn(
            ["/usr/bin/unshare", "--net", "/bin/sleep", "86400"], input: nothing, output: nothing)
        let own = MachineTraces.link("/proc/self/ns/net")
        for _ in 0..<2000 where namespace == own || namespace.isEmpty { usleep(1000) }
        _ = try tool("set -e; " + Self.foreign.split(separator: "\n").joined(separator: "; "))
    }

    deinit {
        kill(holder, SIGKILL)
        var status: Int32 = 0
        waitpid(holder, &status, 0)
    }

    /// What starts a program inside; each executes the next, so that the process id stays.
    var prefix: [String] { ["/usr/bin/nsenter", "--net=/proc/\(holder)/ns/net"] }

    /// `net:[4026532177]`
    var namespace: String { MachineTraces.link("/proc/\(holder)/ns/net") }

    private func tool(_ script: String) throws -> String {
        let result = try Programs.run(prefix + ["/bin/sh", "-c", script], withErrors: true)
        try #require(result.status == 0, "\(script): \(result.output)")
        return result.output
    }

    /// Everything of the network that a run could have changed; without counters.
    func dump() throws -> String {
        try tool(
            """
            ip -details link | sed 's/ qlen .*//'; ip address; ip route show table all; ip -6 route show table all; \
            for dev in lo foreign0 foreign1; do tc qdisc show dev $dev; tc class show dev $dev; \
            for at in root ingress egress 'parent 1:'; do tc filter show dev $dev $at; done; done
            """)
    }

    /// Those that run inside, but for the one that holds it open.
    func processes() -> Set<pid_t> {
        let all = Programs.names(in: "/proc").compactMap { pid_t($0) }
        return Set(
            all.filter {
                $0 != holder && MachineTraces.link("/proc/\($0)/ns/net") == namespace
                    && MachineTraces.isAlive($0)
            })
    }
}
