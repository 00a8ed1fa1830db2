package import DrillCore

/// The host hangs: silent and frozen, and back with its old memory when it is healed.
package enum NodePause: Fault {
    package static let description = FaultDescription(
        name: "node.pause", summary: "the host hangs: silent and frozen; the heal thaws it",
        target: .host, instant: "[silence requested, silence acknowledged]",
        example: "host: primary, for: 20s")

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let host = try targets.host(for: use.fault)
        return FaultPlan(
            inject: [.lab(.silence(host)), .lab(.freeze(host))], effective: 1,
            heal: [.lab(.thaw(host)), .lab(.unsilence(host))],
            proof: .silence(of: host, as: .frozen, in: topology))
    }
}
