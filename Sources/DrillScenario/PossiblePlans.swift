import DrillCore
import DrillFaults

/// What a use may turn out to do: a role is not a host until its step begins.
struct PossiblePlans {
    private(set) var plans: [FaultPlan] = []
    /// Why no host of its roles will do; nil where one does.
    private(set) var problem: FaultError?

    init(_ use: FaultUse, _ system: System) {
        guard let fault = FaultCatalog.named(use.fault) else { return }
        let topology = Topology(system)
        var problem: FaultError?
        for (primary, standby) in Self.assignments(use.target, system) {
            let resolver = TargetResolver(topology: topology, primary: primary, standby: standby)
            do {
                let targets = try resolver.targets(use.target)
                plans.append(try fault.plan(use, targets: targets, topology: topology))
            } catch {
                problem = problem ?? error
            }
        }
        // `primary->a` is nothing while a is primary; it is told where it never is something.
        self.problem = plans.isEmpty ? problem : nil
    }

    /// Every treatment that may be attached, with the link that it is on.
    var treatments: [(link: LinkDirection, treatment: LinkTreatment)] {
        plans.flatMap { plan in plan.proof.links.map { ($0.link, $0.treatment) } }
    }

    private static func assignments(
        _ target: FaultTarget, _ system: System
    ) -> [(primary: HostName?, standby: HostName?)] {
        let sides: [HostSelector] =
            switch target {
            case .host(let host): [host]
            case .link(let link): [link.from, link.to]
            }
        let hasRole = sides.contains { if case .role = $0 { true } else { false } }
        guard hasRole, let among = system.roles?.among else { return [(nil, nil)] }
        return among.flatMap { primary in
            among.filter { $0 != primary }.map { (primary, $0) }
        }
    }
}
