import DrillNetlink
import Glibc
import Testing

extension NetlinkTests {
    @Test func `a fresh namespace holds nothing but a loopback that is down`() throws {
        let namespace = try NetworkNamespace.create()
        let links = try NetlinkSocket(in: namespace).links()
        #expect(links.map(\.name) == ["lo"])
        #expect(links.map(\.isUp) == [false])
        #expect(try namespace.inode != NetworkNamespace.current().inode)
        #expect(try namespace.run { try NetworkNamespace.current().inode } == namespace.inode)
        #expect(
            try NetworkNamespace.open(process: getpid()).inode == NetworkNamespace.current().inode)
    }

    @Test func `what the body throws inside a namespace is thrown outside`() throws {
        let namespace = try NetworkNamespace.create()
        #expect(throws: NetlinkError.self) {
            try namespace.run { try NetlinkSocket().link(named: "absent").index }
        }
    }

    @Test func `an absent link is ENODEV, by name and by number`() throws {
        let socket = try NetlinkSocket(in: NetworkNamespace.create())
        let byName = #expect(throws: NetlinkError.self) { try socket.link(named: "absent") }
        #expect(byName?.errno == ENODEV)
        #expect(byName?.description == "cannot find link absent: No such device (ENODEV)")
        let nowhere = InterfaceIndex(rawValue: 4711)
        let operations: [(NetlinkError?, String)] = [
            (#expect(throws: NetlinkError.self) { try socket.setUp(nowhere, true) }, "up"),
            (#expect(throws: NetlinkError.self) { try socket.delete(nowhere) }, "delete"),
            (#expect(throws: NetlinkError.self) { try socket.ensureClsact(nowhere) }, "clsact"),
            (
                #expect(throws: NetlinkError.self) {
                    try socket.addAddress(nowhere, "10.77.0.1", 24)
                }, "address"
            ),
        ]
        for (error, what) in operations { #expect(error?.errno == ENODEV, "\(what)") }
    }

    @Test func `a bridge forwards at once and lets multicast flow`() throws {
        let network = try TestSwitch()
        let shown = try tool("ip -j -d link show dev br-main", in: network.namespace)
        for setting in ["\"stp_state\":0", "\"mcast_snooping\":0", "\"forward_delay\":0"] {
            #expect(shown.contains(setting), "\(setting)")
        }
    }

    @Test func `a link is renamed, described, plugged in and out`() throws {
        let network = try TestSwitch()
        let port = try network.socket.addVeth("before", peer: "other")
        try network.socket.rename(port, to: "after")
        try network.socket.setAlias(port, "firedrill:20261122-abcd")
        try network.socket.setGSOMaxSegments(port, 1)
        try network.socket.setMTU(port, 1400)
        try network.socket.setMAC(port, [2, 0, 10, 77, 0, 11])
        try network.socket.setMaster(port, of: network.bridge)
        var link = try network.socket.link(named: "after")
        #expect(link.index == port)
        #expect(link.kind == "veth")
        #expect(link.alias == "firedrill:20261122-abcd")
        #expect(link.gsoMaxSegments == 1)
        #expect(link.mtu == 1400)
        #expect(link.mac == "02:00:0a:4d:00:0b")
        #expect(link.master == network.bridge)
        try network.socket.setMaster(port, of: nil)
        link = try network.socket.link(port)
        #expect(link.master == nil)
        try network.socket.delete(port)
        #expect(try network.socket.links().map(\.name).sorted() == ["br-main", "lo", "sink"])
    }

    @Test func `taking the switch's end down takes the host's carrier`() throws {
        let hosts = try TestNetwork()
        #expect(try hosts.b.socket.link(hosts.b.eth0).hasCarrier)
        try hosts.network.socket.setUp(hosts.b.port, false)
        let inside = try hosts.b.socket.link(hosts.b.eth0)
        #expect(inside.isUp && !inside.hasCarrier)
        try hosts.network.socket.setUp(hosts.b.port, true)
        #expect(try hosts.b.socket.link(hosts.b.eth0).hasCarrier)
        try waitUntilReachable(Datagrams(hosts.b), hosts.b.address, from: hosts.c)
        try forgetNeighbours(hosts.a, hosts.b)
        #expect(try Exchange(hosts) == Self.all)
    }

    @Test func `eth0 in a fresh namespace keeps the outer port, its filters and its MAC`() throws {
        let hosts = try TestNetwork()
        let network = hosts.network
        let silence = try network.socket.silence(hosts.b.port, sink: network.sink)
        let before = try network.socket.link(hosts.b.port)
        let filters = try network.socket.filters(hosts.b.port, .egress).map(\.withoutCounters)

        let fresh = try NetworkNamespace.create()
        try hosts.b.socket.move(hosts.b.eth0, toNamespace: fresh.fileDescriptor)
        let socket = try NetlinkSocket(in: fresh)
        let eth0 = try socket.link(named: "eth0")
        #expect(eth0.mac?.split(separator: ":").compactMap { UInt8($0, radix: 16) } == hosts.b.mac)
        #expect(!eth0.isUp)
        #expect(try socket.addresses().isEmpty)
        try socket.addAddress(eth0.index, hosts.b.address, 24)
        try socket.setUp(eth0.index, true)

        let after = try network.socket.link(hosts.b.port)
        #expect(after.index == before.index && after.master == network.bridge)
        #expect(
            try network.socket.filters(hosts.b.port, .egress).map(\.withoutCounters) == filters)
        for one in silence { try network.socket.verify(one) }

        let receiver = try Datagrams(hosts.b.address, in: fresh, port: 5000)
        let sender = try Datagrams(hosts.c)
        sender.send(to: hosts.b.address, port: 5000)
        #expect(receiver.receive() == 0)
        try network.socket.removeRedirects(silence)
        try waitUntilReachable(receiver, hosts.b.address, from: hosts.c)
        sender.send(to: hosts.b.address, port: 5000)
        #expect(receiver.receive() == 10)
    }

    @Test(arguments: [
        ("eth0", true), ("firedrill-12345", true), ("", false), ("firedrill-123456", false),
        (".", false), ("..", false), ("a/b", false), ("a b", false), ("a:b", false), ("ä", true),
    ])
    func `a link's name is what the kernel takes`(text: String, isName: Bool) {
        #expect((InterfaceName(text) != nil) == isName)
    }
}
