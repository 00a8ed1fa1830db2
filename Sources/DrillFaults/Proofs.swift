internal import DrillCore

extension ProofPlan {
    /// The peer and the client get no ARP answer, no TCP answer and no RST from the host; the client still reaches the peer.
    static func silence(
        of host: HostName, as state: HistoryEvent.ProvenState, in topology: Topology
    ) -> ProofPlan {
        guard let address = topology.address(of: host) else { return ProofPlan() }
        let peer = topology.peer(of: host)
        let client = topology.client == host ? nil : topology.client
        var control: [Path] = []
        if let peer, let client, peer != client, let peerAddress = topology.address(of: peer) {
            control.append(Path(from: client, to: peer, address: peerAddress))
        }
        var witnesses: [HostName] = []
        for witness in [peer, client] {
            if let witness, !witnesses.contains(witness) { witnesses.append(witness) }
        }
        return ProofPlan(
            states: [host: state],
            unreachable: witnesses.map { Path(from: $0, to: host, address: address) },
            reachable: control)
    }
}

extension FaultTargets {
    func host(for fault: String) throws(FaultError) -> HostName {
        guard case .host(let host) = self else { throw FaultError("\(fault) needs a host") }
        return host
    }
}

extension FaultUse {
    func service() throws(FaultError) -> ServiceName {
        guard let service = parameters["service"] else {
            throw FaultError("\(fault) needs 'service'")
        }
        return ServiceName(service)
    }
}
