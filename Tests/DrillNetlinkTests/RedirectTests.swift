import DrillNetlink
import Glibc
import Testing

extension NetlinkTests {
    static let all = Exchange(unicast: 10, multicast: 10, control: 10, back: 10)

    @Test func `hosts on a bridge exchange unicast and multicast at once`() throws {
        #expect(try Exchange(TestNetwork()) == Self.all)
    }

    @Test func `what arrived at one port goes to the sink, and nothing of anyone else`() throws {
        let hosts = try TestNetwork()
        #expect(try Exchange(hosts) == Self.all)
        let partition = try hosts.network.socket.redirect(
            Redirect(
                port: hosts.b.port, hook: .egress, arrivalPort: hosts.a.name,
                sink: hosts.network.sink))
        // b's answers still reach a, whose ARP entry is warm.
        #expect(
            try Exchange(hosts) == Exchange(unicast: 0, multicast: 0, control: 10, back: 10))

        try forgetNeighbours(hosts.a)
        let sniffer = try Sniffer(hosts.b)
        #expect(try Exchange(hosts).unicast == 0)
        #expect(sniffer.frames(from: hosts.a) == [:], "ARP, IPv6 and all")
        #expect(try hosts.network.socket.counters(of: partition).packets > 20)

        try hosts.network.socket.removeRedirect(partition)
        try forgetNeighbours(hosts.a, hosts.b)
        #expect(try Exchange(hosts) == Self.all)
        for hook in TrafficHook.allCases {
            #expect(try hosts.network.socket.filters(hosts.b.port, hook).isEmpty)
        }
    }

    @Test func `silence is both directions, and the host's own link stays up`() throws {
        let hosts = try TestNetwork()
        #expect(try Exchange(hosts) == Self.all)
        let sniffer = try Sniffer(hosts.a)
        let silence = try hosts.network.socket.silence(hosts.b.port, sink: hosts.network.sink)
        _ = sniffer.frames(from: hosts.b)
        #expect(try Exchange(hosts) == Exchange(unicast: 0, multicast: 0, control: 0, back: 0))
        #expect(sniffer.frames(from: hosts.b) == [:])
        let inside = try hosts.b.socket.link(hosts.b.eth0)
        #expect(inside.isUp && inside.hasCarrier)
        try hosts.network.socket.removeRedirects(silence)
        try forgetNeighbours(hosts.a, hosts.b, hosts.c)
        #expect(try Exchange(hosts) == Self.all)
    }
}
