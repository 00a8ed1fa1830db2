package import DrillCore

/// The host loses power: nothing of it answers any more, not even with a reset.
///
/// Silence comes first: processes that end on a connected host leave a kernel that answers ARP and RST.
package enum NodeKill: Fault {
    package static let description = FaultDescription(
        name: "node.kill", summary: "the host loses power; the heal boots it again", target: .host,
        instant: "[silence requested, silence acknowledged]",
        example: "host: primary, until: {event: stable, plus: 5s, at_most: 60s}")

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let host = try targets.host(for: use.fault)
        return FaultPlan(
            inject: [.lab(.silence(host)), .lab(.kill(host))], effective: 1,
            heal: [.lab(.boot(host))],
            proof: .silence(of: host, as: .dead, in: topology))
    }
}
