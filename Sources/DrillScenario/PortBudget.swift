package import DrillCore

/// Local ports that a fresh lane's connections to one place take at the same time.
package struct PortBudget: Hashable, Sendable {
    /// 1024–65535, as the lab gives a client host; stock Linux has 28,232.
    package static let ports = 64_512
    /// How long a connection that was closed politely keeps its port (TIME_WAIT).
    package static let hold = Duration.seconds(60)

    package var destination: String
    package var workloads: [WorkloadName]
    /// At most this many at once.
    package var needed: Int

    package var isEnough: Bool { needed <= Self.ports }

    /// One for each destination that fresh connections go to, in the workloads' order.
    static func all(_ scenario: Scenario) -> [PortBudget] {
        let length = RunBound.trial(of: scenario) * scenario.trials
        var budgets: [PortBudget] = []
        for workload in scenario.workloads where workload.lanes.contains(.fresh) {
            // One of several sentinels is asked before each connection, by and by the same one.
            let parameters = workload.parameters
            let text = parameters["url"] ?? parameters["address"] ?? parameters["sentinels"] ?? ""
            guard let first = text.split(separator: ",").first.map(String.init),
                let address = HTTPAddress(first) ?? HTTPAddress(hostAndPort: first)
            else { continue }
            let destination = "\(address.host):\(address.port)"
            // A reset frees the port at once; while the host is gone a connect holds it for the time-out.
            let held =
                workload.parameters["close"] == "rst"
                ? workload.timeout : min(hold, length) + workload.timeout
            let rate = workload.rate * Double(workload.operation.kinds.count)
            let needed = Int((rate * Double(held.nanoseconds) / 1e9).rounded(.up))
            if let index = budgets.firstIndex(where: { $0.destination == destination }) {
                budgets[index].needed += needed
                budgets[index].workloads.append(workload.name)
            } else {
                budgets.append(
                    PortBudget(
                        destination: destination, workloads: [workload.name], needed: needed))
            }
        }
        return budgets
    }
}
