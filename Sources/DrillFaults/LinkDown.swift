package import DrillCore

/// The cable is pulled: the host sees its carrier go.
package enum LinkDown: Fault {
    package static let description = FaultDescription(
        name: "link.down", summary: "the host's cable is pulled: its carrier goes", target: .host,
        takesNetwork: true, instant: "[carrier down requested, acknowledged]",
        example: "host: primary, for: 20s",
        notes: ["The carrier is lowered from the switch's side: the host sees its cable go."])

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let host = try targets.host(for: use.fault)
        guard let network = use.network ?? topology.networks.first else {
            throw FaultError("link.down needs a network", parameter: "network")
        }
        let lowered = FaultOperation.lab(.carrier(host, network, up: false))
        // Only the first network's addresses are asked for by the proof. Over another network the host still acts, and what
        // it sees of its cable is looked at.
        var proof: ProofPlan =
            network == topology.networks.first
            ? .silence(of: host, as: .isolated, in: topology) : ProofPlan(inspections: [lowered])
        let others = topology.networks.filter { $0 != network }
        if others.contains(where: { topology.address(of: host, on: $0) != nil }) {
            proof.states = [:]
        }
        return FaultPlan(
            inject: [lowered],
            heal: [.lab(.carrier(host, network, up: true))],
            proof: proof)
    }
}
