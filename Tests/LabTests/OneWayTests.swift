import DrillCore
import Testing

/// A fault of one direction, and of one kind of traffic, takes that and nothing else.
@Suite(.serialized) struct LabOneWayTests {
    private static let all = [
        "arp", "ipv6", "vrrp", "unicast", "tcp/5432", "reply/5432", "tcp/80", "udp/5432",
    ]
    private static let pairs: [(HostName, HostName)] = [
        ("a", "b"), ("b", "a"), ("a", "client"), ("b", "client"), ("client", "a"),
        ("client", "b"),
    ]

    /// Everything arrives but what is named for the direction.
    private func expect(
        _ counts: PacketCounts, lost: [String], from: HostName, to: HostName
    ) {
        for (sender, receiver) in Self.pairs {
            for kind in Self.all {
                let isLost = sender == from && receiver == to && lost.contains(kind)
                let seen = counts.seen(kind, by: receiver, of: sender)
                // Kernels send some of these of their own.
                #expect(
                    isLost ? seen == 0 : seen >= PacketCounts.sent,
                    "\(seen) \(kind) \(sender)->\(receiver)")
            }
        }
    }

    @Test func `a hears b, b does not hear a, the client hears both`() throws {
        try TestLab.with("one-way") { (lab: TestLab) throws in
            let link = LinkDirection(network: "main", from: "a", to: "b")
            expect(try PacketCounts.measure(lab), lost: [], from: "a", to: "b")
            try lab.supervisor.lab(.attach(link, LinkTreatment(.sink)))
            expect(try PacketCounts.measure(lab), lost: Self.all, from: "a", to: "b")
            try lab.supervisor.lab(.detach(link, LinkTreatment(.sink)))
            expect(try PacketCounts.measure(lab), lost: [], from: "a", to: "b")
        }
    }

    @Test func `tcp of one port is cut in both of its directions, and VRRP flows`() throws {
        try TestLab.with("traffic") { (lab: TestLab) throws in
            let link = LinkDirection(network: "main", from: "a", to: "b")
            let treatment = LinkTreatment(.sink, traffic: .tcp(5432))
            try lab.supervisor.lab(.attach(link, treatment))
            expect(
                try PacketCounts.measure(lab), lost: ["tcp/5432", "reply/5432"], from: "a",
                to: "b")
            try lab.supervisor.lab(.detach(link, treatment))
        }
    }

    @Test func `VRRP alone is cut, and all else flows`() throws {
        try TestLab.with("vrrp") { (lab: TestLab) throws in
            let link = LinkDirection(network: "main", from: "a", to: "b")
            try lab.supervisor.lab(.attach(link, LinkTreatment(.sink, traffic: .vrrp)))
            expect(try PacketCounts.measure(lab), lost: ["vrrp"], from: "a", to: "b")
        }
    }
}
