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
        try LinkPlan.of(.sink, use, targets, topology)
    }
}
