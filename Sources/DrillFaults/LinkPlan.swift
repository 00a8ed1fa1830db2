internal import DrillCore

/// What all faults of links share: one effect on each direction, proven on each, and everything else left alone.
enum LinkPlan {
    /// t0 ends when the last direction has it; the heal goes backwards.
    static func of(
        _ effect: LinkEffect, _ use: FaultUse, _ targets: FaultTargets, _ topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let directions = try directions(use, targets, topology)
        let treatment = LinkTreatment(effect, traffic: try traffic(of: use))
        return FaultPlan(
            inject: directions.map { .lab(.attach($0, treatment)) }, effective: directions.count,
            heal: directions.reversed().map { .lab(.detach($0, treatment)) },
            proof: ProofPlan(
                links: directions.map { .init(link: $0, treatment: treatment) },
                controls: controls(directions, treatment.traffic, topology)))
    }

    static func directions(
        _ use: FaultUse, _ targets: FaultTargets, _ topology: Topology
    ) throws(FaultError) -> [LinkDirection] {
        guard case .links(let links) = targets else {
            throw FaultError("\(use.fault) needs a link", parameter: "link")
        }
        guard let network = use.network ?? topology.networks.first else {
            throw FaultError("\(use.fault) needs a network", parameter: "network")
        }
        // `*` stands for every host, and not all are on all networks.
        let directions = links.filter {
            isOn(network, $0.from, topology) && isOn(network, $0.to, topology)
        }.map { LinkDirection(network: network, from: $0.from, to: $0.to) }
        guard !directions.isEmpty else {
            throw FaultError("no two hosts of this link are on network '\(network)'")
        }
        return directions
    }

    /// A role that is not yet a host may be anywhere.
    private static func isOn(
        _ network: NetworkName, _ host: HostName, _ topology: Topology
    ) -> Bool {
        topology.addresses[host].map { $0[network] != nil } ?? true
    }

    private static func traffic(of use: FaultUse) throws(FaultError) -> TrafficSelector {
        guard let text = use.traffic else { return .all }
        guard let traffic = TrafficSelector(spelled: text) else {
            throw FaultError(
                "'traffic' cannot be '\(text)'", parameter: "traffic",
                hint: "write tcp/5432, udp/53 or vrrp")
        }
        return traffic
    }

    /// The other direction of a link that is hit one way, the client's way to both ends (or the pair's own link, where
    /// the client's is hit), and, beside `traffic:`, everything else on the same link.
    private static func controls(
        _ hit: [LinkDirection], _ traffic: TrafficSelector, _ topology: Topology
    ) -> [ProofPlan.LinkControl] {
        var controls: [ProofPlan.LinkControl] = []
        func add(_ network: NetworkName, _ from: HostName, _ to: HostName) {
            let control = ProofPlan.LinkControl(
                LinkDirection(network: network, from: from, to: to))
            guard from != to, isOn(network, from, topology), isOn(network, to, topology),
                !hit.contains(control.link), !controls.contains(control)
            else { return }
            controls.append(control)
        }
        for link in hit { add(link.network, link.to, link.from) }
        if let network = hit.first?.network {
            let ends = Set(hit.flatMap { [$0.from, $0.to] }).sorted()
            if let client = topology.client, !ends.contains(client) {
                for end in ends { add(network, client, end) }
            } else {
                for end in ends where end != topology.client {
                    guard let peer = topology.peer(of: end) else { continue }
                    add(network, end, peer)
                    add(network, peer, end)
                }
            }
        }
        if traffic != .all { controls += hit.map { .init($0) } }
        return controls
    }
}
