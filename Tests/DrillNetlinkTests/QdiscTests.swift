import DrillNetlink
import Glibc
import Testing

extension NetlinkTests {
    @Test(arguments: [
        QdiscConfiguration.pfifo(limit: 100),
        .tbf(TokenBucket(rate: 1_000_000, burst: 16_000, limit: 64_000)),
        .htb(defaultClass: 0x10),
    ])
    func `a qdisc is added, read back, changed and deleted`(configuration: QdiscConfiguration)
        throws
    {
        let network = try TestSwitch()
        let handle = TrafficHandle(0x1e)
        try network.socket.addQdisc(network.sink, handle: handle, configuration)
        let shown = try network.socket.qdiscs(network.sink).first { $0.handle == handle }
        #expect(shown?.kind == configuration.kind)
        #expect(shown?.parent == .root)
        let taken = #expect(throws: NetlinkError.self) {
            try network.socket.addQdisc(network.sink, handle: handle, configuration)
        }
        #expect(taken?.errno == EEXIST)
        try network.socket.deleteQdisc(network.sink, handle: handle)
        #expect(try !network.socket.qdiscs(network.sink).contains { $0.handle == handle })
    }

    @Test func `changing in place replaces the values`() throws {
        let network = try TestSwitch()
        let handle = TrafficHandle(0x1e)
        try network.socket.addQdisc(network.sink, handle: handle, .pfifo(limit: 100))
        try network.socket.changeQdisc(network.sink, handle: handle, .pfifo(limit: 7))
        #expect(
            try network.socket.qdiscs(network.sink).first { $0.handle == handle }?.configuration
                == .pfifo(limit: 7))
        #expect(
            try tool("tc qdisc show dev sink", in: network.namespace)
                .contains("qdisc pfifo 1e: root refcnt 2 limit 7p"))
    }

    @Test func `tc reads what we wrote: a token bucket and a tree of classes`() throws {
        let network = try TestSwitch()
        let bucket = TokenBucket(rate: 1_000_000, burst: 16_000, limit: 64_000)
        try network.socket.addQdisc(network.sink, handle: TrafficHandle(1), .tbf(bucket))
        let tbf = try tool("tc qdisc show dev sink", in: network.namespace)
        #expect(tbf.contains("rate 8Mbit burst 16000b lat 48ms"), "\(tbf)")
        try network.socket.deleteQdisc(network.sink, handle: TrafficHandle(1))

        try network.socket.addQdisc(
            network.sink, handle: TrafficHandle(1), .htb(defaultClass: 0x10))
        let granted = HTBClass(
            rate: 1_000_000, ceiling: 2_000_000, burst: 20_000, ceilingBurst: 40_000)
        try network.socket.addClass(
            network.sink, parent: TrafficHandle(1), handle: TrafficHandle(1, 0x10), granted)
        try network.socket.addQdisc(
            network.sink, parent: TrafficHandle(1, 0x10), handle: TrafficHandle(2),
            .pfifo(limit: 50))
        let htb = try tool("tc class show dev sink", in: network.namespace)
        #expect(
            htb.contains("class htb 1:10 root leaf 2: prio 0 rate 8Mbit ceil 16Mbit"), "\(htb)")
        let ours = try network.socket.classes(network.sink)
        #expect(ours.map(\.handle) == [TrafficHandle(1, 0x10)])
        #expect(ours.first?.htb?.ceiling == 2_000_000)
        try network.socket.deleteQdisc(
            network.sink, parent: TrafficHandle(1, 0x10), handle: TrafficHandle(2))
        try network.socket.deleteClass(network.sink, handle: TrafficHandle(1, 0x10))
        #expect(try network.socket.classes(network.sink).isEmpty)
    }

    @Test func `a shaped link passes its rate`() throws {
        let hosts = try TestNetwork()
        // 10 datagrams of 51 bytes on the wire, of which the bucket holds 3 and 2 more may wait.
        try hosts.network.socket.addQdisc(
            hosts.b.port, handle: TrafficHandle(1),
            .tbf(TokenBucket(rate: 100, burst: 180, limit: 120)))
        let receiver = try Datagrams(hosts.b, port: 5000)
        let sender = try Datagrams(hosts.a)
        sender.send(to: hosts.b.address, port: 5000)
        #expect((1...5).contains(receiver.receive()))
    }

    @Test func `an unknown kind is ENOENT with the kernel's sentence`() throws {
        let network = try TestSwitch()
        let error = #expect(throws: NetlinkError.self) {
            try network.socket.addQdisc(
                network.sink, handle: TrafficHandle(1), .other(kind: "nonesuch", options: []))
        }
        #expect(error?.errno == ENOENT)
        #expect(error?.extendedAck == "Specified qdisc kind is unknown")
        #expect(
            error?.description
                == "cannot add nonesuch 1:0 at root of link 3: Specified qdisc kind is unknown (ENOENT)"
        )
    }

    @Test func `a clsact that someone else made stays`() throws {
        let network = try TestSwitch()
        _ = try tool("tc qdisc add dev sink clsact", in: network.namespace)
        #expect(try network.socket.ensureClsact(network.sink) == .foreign)
        #expect(try !network.socket.removeClsactIfOurs(network.sink, .foreign))
        #expect(try network.socket.qdiscs(network.sink).contains { $0.kind == "clsact" })
    }

    @Test func `a clsact of ours goes when it is empty, and not before`() throws {
        let network = try TestSwitch()
        let port = try network.socket.addVeth("port", peer: "other")
        let owner = try network.socket.ensureClsact(port)
        #expect(owner == .ours)
        _ = try tool(
            "tc filter add dev port ingress pref 7 u32 match u32 0 0 action mirred egress redirect dev sink",
            in: network.namespace)
        #expect(try !network.socket.removeClsactIfOurs(port, owner))
        _ = try tool("tc filter del dev port ingress pref 7", in: network.namespace)
        #expect(try network.socket.removeClsactIfOurs(port, owner))
        #expect(try !network.socket.qdiscs(port).contains { $0.kind == "clsact" })
    }

    @Test func `an ingress qdisc in the place of clsact is EEXIST`() throws {
        let network = try TestSwitch()
        _ = try tool("tc qdisc add dev sink ingress", in: network.namespace)
        let error = #expect(throws: NetlinkError.self) {
            try network.socket.ensureClsact(network.sink)
        }
        #expect(error?.errno == EEXIST)
    }
}
