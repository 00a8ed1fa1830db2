internal import DrillCore
internal import DrillFaults

extension RunMachine {
    /// What faults of this scenario need of a service from its start on; nothing else is prepared.
    func preparations(of service: ServiceName) -> Set<ServicePreparation> {
        var uses = input.scenario.environment
        for step in input.scenario.timeline {
            if case .fault(let use) = step.action { uses.append(use) }
        }
        let wanted = uses.compactMap { FaultCatalog.named($0.fault)?.preparation($0) }
        return Set(wanted.filter { $0.service == service }.map(\.preparation))
    }
}
