import DrillCore

extension LoadStream {
    /// Why no engine can make this load.
    var problem: String? {
        if !(rate >= 1e-6 && rate <= 1e6) {
            return "the rate \(rate)/s is not between 0.000001/s and 1000000/s"
        }
        if timeout <= .zero || stable <= .zero { return "timeout and stable must be above 0" }
        if !(1...100_000).contains(connections) {
            return "\(connections) connections: 1 to 100000 are possible"
        }
        switch operation {
        case .get: return nil
        case .ledger where kind != .write || prefix.isEmpty:
            return "a ledger is written, and its keys need a prefix"
        case .register where prefix.isEmpty: return "the keys of a register need a prefix"
        case .ledger, .register: return nil
        }
    }
}

extension LoadPlan {
    /// Of each stream's client, beside the connections that its operations need.
    func withSpares(of clients: [any Client]) -> LoadPlan {
        var plan = self
        for (index, client) in clients.enumerated() {
            plan.streams[index].connections += client.spares(rate: plan.streams[index].rate)
        }
        return plan
    }
}
