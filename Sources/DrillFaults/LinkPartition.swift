package import DrillCore

/// Hosts stop hearing each other, one way or both; everybody else still hears them.
package enum LinkPartition: Fault {
    package static let description = FaultDescription(
        name: "link.partition", summary: "everything on a link and direction vanishes",
        target: .link, takesNetwork: true,
        instant: "[first change requested, last acknowledged]")

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        guard case .links(let links) = targets else {
            throw FaultError("link.partition needs a link")
        }
        guard let network = use.network ?? topology.networks.first else {
            throw FaultError("link.partition needs a network")
        }
        let directions = links.map { LinkDirection(network: network, from: $0.from, to: $0.to) }
        // A cut in either direction leaves an ARP request of either side unanswered.
        let unreachable = links.compactMap { link in
            topology.address(of: link.to, on: network).map {
                ProofPlan.Path(from: link.from, to: link.to, address: $0)
            }
        }
        var control: [ProofPlan.Path] = []
        if let client = topology.client,
            !links.contains(where: { $0.from == client || $0.to == client })
        {
            for host in Set(links.flatMap { [$0.from, $0.to] }).sorted() {
                guard let address = topology.address(of: host, on: network) else { continue }
                control.append(.init(from: client, to: host, address: address))
            }
        }
        return FaultPlan(
            inject: directions.map { .lab(.attach($0, LinkTreatment(.sink))) }, effective: directions.count,
            heal: directions.reversed().map { .lab(.detach($0, LinkTreatment(.sink))) },
            proof: ProofPlan(unreachable: unreachable, reachable: control))
    }
}
