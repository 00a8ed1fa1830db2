package import DrillCore

/// Hosts stop hearing each other, one way or both; everybody else still hears them.
package enum LinkPartition: Fault {
    package static let description = FaultDescription(
        name: "link.partition", summary: "everything on a link and direction vanishes",
        target: .link, takesNetwork: true,
        instant: "[first change requested, last acknowledged]",
        example: "link: \"a->b\", for: 20s",
        notes: [
            "One way is one way: with `a->b`, b hears nothing of a (unicast, multicast, ARP, IPv6), and a hears b.",
            "With `traffic:` only that vanishes: `traffic: tcp/5432` cuts replication while VRRP flows.",
            "A cut wins over whatever else is done to the same packets.",
        ])

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        var plan = try LinkPlan.of(.sink, use, targets, topology)
        guard use.traffic == nil else { return plan }
        // A cut in either direction leaves an ARP request of either side unanswered.
        plan.proof.unreachable = plan.proof.links.map(\.link).compactMap { link in
            topology.address(of: link.to, on: link.network).map {
                ProofPlan.Path(from: link.from, to: link.to, address: $0)
            }
        }
        let ends = Set(plan.proof.links.flatMap { [$0.link.from, $0.link.to] }).sorted()
        guard let client = topology.client, !ends.contains(client) else { return plan }
        plan.proof.reachable = ends.compactMap { host in
            topology.address(of: host, on: use.network).map {
                ProofPlan.Path(from: client, to: host, address: $0)
            }
        }
        return plan
    }
}
