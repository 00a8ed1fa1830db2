import DrillCore
import DrillNetlink
import Glibc
import Testing

extension NetlinkTests {
    static let postgresql: Set<Frame> = [
        .tcpTo5432, .tcpFrom5432, .tcpTo5432v6, .tcpFrom5432v6,
    ]

    /// What reaches b of the frames that a sends.
    private func passing(_ hosts: TestNetwork) throws -> Set<Frame> {
        let receiver = try Sniffer(hosts.b)
        try send(
            Frame.allCases.map { $0.bytes(from: hosts.a.mac, to: hosts.b.mac) }, from: hosts.a)
        return receiver.numbered()
    }

    private func redirect(
        _ hosts: TestNetwork, _ traffic: TrafficSelector, source: String? = nil,
        destination: String? = nil, slot: UInt16? = nil
    ) -> Redirect {
        Redirect(
            port: hosts.b.port, hook: .egress, arrivalPort: "a", traffic: traffic,
            source: source.flatMap(IPv4Address.init),
            destination: destination.flatMap(IPv4Address.init), sink: hosts.network.sink, slot: slot
        )
    }

    @Test(
        arguments: [
            (TrafficSelector.tcp(5432), NetlinkTests.postgresql),
            (.udp(5432), [.udpTo5432, .udpFrom5432, .udpTo5432v6]),
            (.tcp(80), [.tcpTo80]), (.vrrp, [.vrrp, .vrrpV6]), (.tcp(8080), []),
            (.all, Set(Frame.allCases)),
        ] as [(TrafficSelector, Set<Frame>)])
    func `only the chosen traffic goes to the sink`(
        traffic: TrafficSelector, taken: Set<Frame>
    ) throws {
        let hosts = try TestNetwork()
        #expect(try passing(hosts) == Set(Frame.allCases))
        let installed = try hosts.network.socket.redirect(redirect(hosts, traffic))
        #expect(try passing(hosts) == Set(Frame.allCases).subtracting(taken))
        let seen = try hosts.network.socket.counters(of: installed).packets
        #expect(traffic == .all ? seen >= UInt64(taken.count) : seen == UInt64(taken.count))
        try hosts.network.socket.verify(installed)
        try hosts.network.socket.removeRedirect(installed)
        #expect(try passing(hosts) == Set(Frame.allCases))
        #expect(try hosts.network.socket.filters(hosts.b.port, .egress).isEmpty)
    }

    @Test(
        arguments: [
            (TrafficSelector.tcp(5432), "10.77.0.11", nil, [Frame.tcpTo5432, .tcpFrom5432]),
            (.tcp(5432), "10.77.0.12", nil, []),
            (.vrrp, nil, "10.77.0.12", [.vrrp]),
            (
                .all, "10.77.0.11", "10.77.0.12",
                [
                    .tcpTo5432, .tcpFrom5432, .tcpTo80, .udpTo5432, .udpFrom5432, .vrrp,
                    .tcpTo5432WithOptions, .laterFragment,
                ]
            ),
        ] as [(TrafficSelector, String?, String?, [Frame])])
    func `an address narrows it to the IPv4 packets that carry it`(
        traffic: TrafficSelector, source: String?, destination: String?, taken: [Frame]
    ) throws {
        let hosts = try TestNetwork()
        let installed = try hosts.network.socket.redirect(
            redirect(hosts, traffic, source: source, destination: destination))
        #expect(try passing(hosts) == Set(Frame.allCases).subtracting(taken))
        try hosts.network.socket.removeRedirect(installed)
    }

    @Test func `a low slot comes before a high one, whichever was first`() throws {
        let hosts = try TestNetwork()
        let network = hosts.network
        let everything = try network.socket.redirect(redirect(hosts, .all, slot: 0x700))
        let some = try network.socket.redirect(redirect(hosts, .tcp(5432), slot: 0x100))
        #expect(try passing(hosts).isEmpty)
        #expect(try network.socket.counters(of: some).packets == UInt64(Self.postgresql.count))
        #expect(
            try network.socket.counters(of: everything).packets
                >= UInt64(Frame.allCases.count - Self.postgresql.count))

        // A number of the four is taken: nothing of the second one stays.
        let before = try network.socket.filters(hosts.b.port, .egress).map(\.withoutCounters)
        let error = #expect(throws: NetlinkError.self) {
            try network.socket.redirect(redirect(hosts, .udp(53), slot: 0xfd))
        }
        #expect(error?.errno == EEXIST)
        #expect(try network.socket.filters(hosts.b.port, .egress).map(\.withoutCounters) == before)
        try network.socket.removeRedirects([some, everything])
        #expect(try passing(hosts) == Set(Frame.allCases))
    }

    @Test func `a rule that someone removed is missed, and the rest can be removed`() throws {
        let hosts = try TestNetwork()
        let network = hosts.network
        let installed = try network.socket.redirect(redirect(hosts, .tcp(5432)))
        #expect(installed.handles.count == 4)
        let handle = String(installed.handles[2], radix: 16)
        let name = "\(handle.dropLast(5))::\(handle.suffix(3))"
        _ = try tool(
            "tc filter del dev b egress pref 64798 handle \(name) protocol all u32",
            in: hosts.network.namespace)
        for check in [
            { try network.socket.verify(installed) },
            { _ = try network.socket.counters(of: installed) },
        ] {
            let error = #expect(throws: NetlinkError.self) { try check() }
            #expect(error?.errno == ENOENT)
        }
        #expect(try network.socket.isInstalled(installed))
        #expect(throws: NetlinkError.self) { try network.socket.removeRedirect(installed) }
        #expect(try !network.socket.isInstalled(installed))
        #expect(try passing(hosts) == Set(Frame.allCases))
    }

    @Test(
        arguments: [
            ("10.77.0.11", 0x0a4d_000b), ("10.77.0", nil), ("10.77.0.256", nil), ("fd00::1", nil),
        ] as [(String, UInt32?)])
    func `an IPv4 address is four numbers`(text: String, value: UInt32?) {
        #expect(IPv4Address(text)?.rawValue == value)
        #expect(value == nil || IPv4Address(text)?.description == text)
    }
}
