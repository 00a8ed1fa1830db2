import DrillNetlink
import Glibc
import Testing

/// Everything here makes real namespaces and needs root. One after another: they count frames.
@Suite(.serialized) struct NetlinkTests {}

/// Hosts forget each other's MAC, so that the next packet must ask by ARP again. An ARP request that
/// was lost in a fault would be repeated only a second later.
func forgetNeighbours(_ hosts: TestHost...) throws {
    for host in hosts { _ = try tool("ip neigh flush all", in: host.namespace) }
}

/// The kernel tells a bridge from a work queue that a port has its carrier.
func waitUntilReachable(_ receiver: borrowing Datagrams, _ address: String, from host: TestHost)
    throws
{
    let sender = try Datagrams(host)
    let port = receiver.port
    for _ in 0..<50 {
        try forgetNeighbours(host)
        sender.send(to: address, port: port, count: 1)
        if receiver.receive(count: 1, patience: 100) == 1 { return }
    }
    throw SystemError(errno: EHOSTUNREACH)
}

/// a's unicast to b, a's multicast to b, and unicast from c to b: how many of 10 arrive.
struct Exchange: Equatable, CustomStringConvertible {
    var unicast: Int
    var multicast: Int
    var control: Int
    var back: Int

    static let group = "239.1.1.1"

    init(unicast: Int, multicast: Int, control: Int, back: Int) {
        self.unicast = unicast
        self.multicast = multicast
        self.control = control
        self.back = back
    }

    init(_ hosts: TestNetwork) throws {
        let plain = try Datagrams(hosts.b, port: 5000)
        let member = try Datagrams(hosts.b, port: 5001, group: Self.group)
        let control = try Datagrams(hosts.b, port: 5002)
        let back = try Datagrams(hosts.a, port: 5003)
        let a = try Datagrams(hosts.a)
        let b = try Datagrams(hosts.b)
        let c = try Datagrams(hosts.c)
        a.send(to: hosts.b.address, port: 5000)
        a.send(to: Self.group, port: 5001)
        c.send(to: hosts.b.address, port: 5002)
        b.send(to: hosts.a.address, port: 5003)
        self.control = control.receive()
        unicast = plain.receive()
        multicast = member.receive()
        self.back = back.receive()
    }

    var description: String {
        "unicast \(unicast), multicast \(multicast), control \(control), back \(back)"
    }
}
