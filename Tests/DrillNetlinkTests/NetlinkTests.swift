import DrillNetlink
import Testing

/// Everything here makes real namespaces and needs root. One after another: they count frames.
@Suite(.serialized) struct NetlinkTests {}

/// Hosts forget each other's MAC, so that the next packet must ask by ARP again.
func forgetNeighbours(_ hosts: TestHost...) throws {
    for host in hosts {
        try host.socket.setUp(host.eth0, false)
        try host.socket.setUp(host.eth0, true)
    }
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
