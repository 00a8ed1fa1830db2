import DrillNetlink
import Glibc
import Testing

extension NetlinkTests {
    /// All that tc shows of the link, ours taken out. Without -s it shows no counters.
    private func foreign(_ link: String, in namespace: borrowing NetworkNamespace) throws -> String
    {
        try [
            "tc -d qdisc show dev \(link)", "tc -d class show dev \(link)",
            "tc -d filter show dev \(link) parent 1:", "tc -d filter show dev \(link) ingress",
            "tc -d filter show dev \(link) egress",
        ].map { try tool($0, in: namespace) }.joined(separator: "--\n")
    }

    @Test func `a foreign htb tree, clsact and filters are the same before, during and after`()
        throws
    {
        let hosts = try TestNetwork()
        let network = hosts.network
        let port = hosts.b.port
        try network.socket.removeClsactIfOurs(port, .ours)
        for command in [
            "qdisc add dev b root handle 1: htb default 10",
            "class add dev b parent 1: classid 1:10 htb rate 900mbit",
            "class add dev b parent 1: classid 1:20 htb rate 10mbit ceil 20mbit",
            "qdisc add dev b parent 1:20 handle 20: pfifo limit 77",
            "filter add dev b parent 1: pref 5 u32 match ip dst 10.77.0.99 flowid 1:20",
            "qdisc add dev b clsact",
            "filter add dev b egress pref 10 protocol ip u32 match ip dst 10.77.0.99 action mirred egress mirror dev sink",
            "filter add dev b ingress pref 11 protocol all u32 match u32 0 0 indev b action mirred egress mirror dev sink",
        ] { _ = try tool("tc \(command)", in: network.namespace) }
        let before = try foreign("b", in: network.namespace)
        let qdiscs = try network.socket.qdiscs(port).map(\.withoutCounters)
        let classes = try network.socket.classes(port).map(\.withoutCounters)
        let filters = try TrafficHook.allCases.flatMap {
            try network.socket.filters(port, $0).map(\.withoutCounters)
        }

        #expect(try network.socket.ensureClsact(port) == .foreign)
        let partition = try network.socket.redirect(
            Redirect(port: port, hook: .egress, arrivalPort: "a", sink: network.sink))
        let silence = try network.socket.silence(port, sink: network.sink)
        #expect(try Exchange(hosts) == Exchange(unicast: 0, multicast: 0, control: 0, back: 0))
        #expect(try network.socket.qdiscs(port).map(\.withoutCounters) == qdiscs)
        #expect(try network.socket.classes(port).map(\.withoutCounters) == classes)
        let during = try TrafficHook.allCases.flatMap {
            try network.socket.filters(port, $0).map(\.withoutCounters)
        }
        #expect(during.filter { ![0xfd1e, 0xfd1f].contains($0.preference) } == filters)
        #expect(
            during.filter { $0.rule != nil }.count == filters.filter { $0.rule != nil }.count + 3)

        try network.socket.removeRedirects(silence)
        try network.socket.removeRedirect(partition)
        #expect(try !network.socket.removeClsactIfOurs(port, .foreign))
        let after = try foreign("b", in: network.namespace)
        #expect(after == before)
        #expect(before.contains("htb") && before.contains("clsact") && before.contains("pref 11"))
        try forgetNeighbours(hosts.a, hosts.b, hosts.c)
        #expect(try Exchange(hosts) == Self.all)
    }

    @Test func `a thousand faults come and go and nothing stays`() throws {
        let hosts = try TestNetwork()
        let network = hosts.network
        let before = try foreign("b", in: network.namespace)
        let sockets = try netlinkSockets(in: network.namespace)
        let clock = ContinuousClock()
        let cost = try clock.measure {
            for _ in 0..<1000 {
                let one = try network.socket.redirect(
                    Redirect(
                        port: hosts.b.port, hook: .egress, arrivalPort: "a", sink: network.sink))
                try network.socket.removeRedirect(one)
            }
        }
        let silenceCost = try clock.measure {
            for _ in 0..<1000 {
                try network.socket.removeRedirects(
                    network.socket.silence(hosts.b.port, sink: network.sink))
            }
        }
        print(
            "a redirect added, read back, removed and looked for: \(cost / 1000); silence: \(silenceCost / 1000)"
        )
        let after = try foreign("b", in: network.namespace)
        #expect(after == before)
        #expect(try netlinkSockets(in: network.namespace) == sockets)
        // Actions are freed a grace period after their filter.
        let actions = { try tool("tc actions list action mirred", in: network.namespace) }
        for _ in 0..<100 where try actions().contains("order") { usleep(10_000) }
        #expect(try !actions().contains("order"))
    }

    @Test func `a closed namespace takes sockets, links and ports with it`() throws {
        let network = try TestSwitch()
        let before = try network.socket.links().map(\.name)
        for _ in 0..<20 {
            var host: TestHost? = try TestHost("gone", "10.77.0.99", on: network)
            let inode = try host?.namespace.inode
            #expect(try openNamespaces(inode ?? 0) == 1)
            host = nil
            #expect(try openNamespaces(inode ?? 0) == 0)
            // The kernel takes a namespace down a moment after its last descriptor.
            for _ in 0..<200 where try network.socket.links().map(\.name) != before {
                usleep(10_000)
            }
            #expect(try network.socket.links().map(\.name) == before)
        }
        let sockets = try netlinkSockets(in: network.namespace)
        for _ in 0..<200 {
            _ = try NetlinkSocket(in: network.namespace)
            _ = try AddressMonitor(in: network.namespace)
        }
        #expect(try netlinkSockets(in: network.namespace) == sockets)
    }

    @Test func `every descriptor is closed on exec`() throws {
        let namespace = try NetworkNamespace.create()
        let socket = try NetlinkSocket(in: namespace)
        let monitor = try AddressMonitor(in: namespace)
        for descriptor in [
            namespace.fileDescriptor, socket.fileDescriptor, monitor.fileDescriptor,
        ] {
            #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC == FD_CLOEXEC)
        }
    }
}
