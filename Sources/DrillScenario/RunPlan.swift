package import DrillCore
package import DrillFaults

/// What a run of one cell would do: nothing of it has happened, and a role is not yet a host.
package struct RunPlan: Hashable, Sendable {
    package struct StepPlan: Hashable, Sendable {
        package var step: Step
        /// The target with its role unresolved: `primary (a or b)`.
        package var target: String
        /// What is done, in order; hosts that a role stands for are named by the role.
        package var inject: [FaultOperation]
        package var heal: [FaultOperation]
        package var proof: ProofPlan
        /// Why the fault cannot be compiled for this target; nil: it can.
        package var problem: String?
    }

    /// What holds for the whole run.
    package struct EnvironmentPlan: Hashable, Sendable {
        package var use: FaultUse
        package var inject: [FaultOperation]
        package var proof: ProofPlan
        package var problem: String?
    }

    package var scenario: Scenario
    package var system: System
    package var streams: [StreamPlan]
    package var ports: [PortBudget]
    package var environment: [EnvironmentPlan]
    package var steps: [StepPlan]
    /// A trial's length without the time to start and to boot hosts; it ends no later.
    package var trialBound: Duration
    package var warnings: [Diagnostic]
    package var capabilities: [String]
    package var secrets: Set<String>

    package init(_ cell: ScenarioCell) {
        scenario = cell.scenario
        system = cell.system
        streams = StreamPlan.all(cell.scenario)
        ports = PortBudget.all(cell.scenario)
        environment = cell.scenario.environment.map { Self.plan($0, cell.system) }
        steps = cell.scenario.timeline.map { Self.plan($0, cell.system) }
        // What a trial waits for the steady state to come back is the longer of the two.
        let rest = max(.zero, cell.system.limits.steady - cell.scenario.observe)
        trialBound =
            RunBound.trial(of: cell.scenario) + Self.reading(cell.scenario, cell.system)
            + (cell.scenario.timeline.isEmpty ? .zero : rest)
        warnings = cell.warnings
        capabilities = cell.capabilities
        secrets = cell.secrets
    }

    /// A heal waits for what a new primary has to be read, and the trial's end for all.
    private static func reading(_ scenario: Scenario, _ system: System) -> Duration {
        guard scenario.workloads.contains(where: { $0.operation == .ledger }) else { return .zero }
        return system.limits.verify * (scenario.timeline.count + 1)
    }

    private static func plan(_ step: Step, _ system: System) -> StepPlan {
        switch step.action {
        case .switchover: return switchover(step, system)
        case .fault(let use):
            var plan = StepPlan(
                step: step, target: described(use.target, system), inject: [], heal: [],
                proof: ProofPlan())
            do {
                let compiled = try compiled(use, system)
                plan.inject = compiled.inject
                plan.heal = compiled.heal
                plan.proof = compiled.proof
            } catch {
                plan.problem = error.description
            }
            return plan
        }
    }

    private static func plan(_ use: FaultUse, _ system: System) -> EnvironmentPlan {
        do {
            let compiled = try compiled(use, system)
            return EnvironmentPlan(use: use, inject: compiled.inject, proof: compiled.proof)
        } catch {
            return EnvironmentPlan(
                use: use, inject: [], proof: ProofPlan(), problem: error.description)
        }
    }

    private static func compiled(_ use: FaultUse, _ system: System) throws(FaultError) -> FaultPlan
    {
        guard let fault = FaultCatalog.named(use.fault) else {
            throw FaultError("unknown fault '\(use.fault)'")
        }
        return try fault.plan(
            use, targets: targets(use.target, system), topology: Topology(system))
    }

    private static func switchover(_ step: Step, _ system: System) -> StepPlan {
        var plan = StepPlan(
            step: step, target: "", inject: [], heal: [], proof: ProofPlan(),
            problem: "the system has no switchover")
        guard let action = system.switchover else { return plan }
        plan.problem = nil
        plan.target = described(.host(action.host), system)
        let host = HostName(action.host.description)
        switch action.kind {
        case .run(let commands):
            // A role's hosts may differ in their variables: the first one's command stands for all.
            let argv = commands[host] ?? commands.sorted { $0.key < $1.key }.first?.value ?? []
            plan.inject = [.host(host, .run(argv))]
        case .signal(let service, let name):
            plan.inject = [.host(host, .signalService(service, Signal.number(name) ?? 0))]
        }
        return plan
    }

    /// Hosts where they are known; a role stands for itself.
    private static func targets(_ target: FaultTarget, _ system: System) -> FaultTargets {
        switch target {
        case .host(let selector): return .host(HostName(selector.description))
        case .link(let link):
            let pairs = sides(link.from, link.to, system)
            return .links(link.bothWays ? pairs + pairs.map { ($0.to, $0.from) } : pairs)
        }
    }

    private static func sides(
        _ from: HostSelector, _ to: HostSelector, _ system: System
    ) -> [(from: HostName, to: HostName)] {
        func names(_ side: HostSelector, _ other: HostSelector) -> [HostName] {
            switch (side, other) {
            case (.host(let name), _): [name]
            case (.role(let role), _): [HostName(role.rawValue)]
            case (.every, .host(let other)): system.hosts.map(\.name).filter { $0 != other }
            // Which hosts these are is known when the role is.
            case (.every, .role), (.every, .every): ["*"]
            }
        }
        return names(from, to).flatMap { left in names(to, from).map { (left, $0) } }
    }

    private static func described(_ target: FaultTarget, _ system: System) -> String {
        let among = system.roles?.among.map(\.rawValue).joined(separator: " or ") ?? ""
        let isRole: Bool =
            switch target {
            case .host(.role): true
            case .host(.host), .host(.every): false
            case .link(let link):
                [link.from, link.to].contains { if case .role = $0 { true } else { false } }
            }
        return isRole ? "\(target) (\(among), known when the step begins)" : "\(target)"
    }
}
