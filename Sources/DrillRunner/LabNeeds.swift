package import DrillCore
internal import DrillFaults

/// What a run needs of the lab's machine, each with who needs it: `service db runs as user postgres`.
package struct LabNeeds: Hashable, Sendable {
    package struct Need: Hashable, Sendable {
        package var capability: LabCapability
        package var who: String
    }

    package private(set) var all: [Need] = []

    package init(_ scenario: Scenario, _ system: System) {
        add(.namespaces, "system \(system.name)")
        for service in system.services {
            let users = Set(service.instances.values.compactMap(\.user)).subtracting(["root"])
            for user in users.sorted() {
                add(.users, "service \(service.name) runs as user \(user)")
            }
        }
        for use in scenario.environment { add(use, "the environment's \(use.fault)") }
        for step in scenario.timeline {
            if case .fault(let use) = step.action { add(use, "step \(step.id) (\(use.fault))") }
        }
    }

    private mutating func add(_ use: FaultUse, _ who: String) {
        for need in FaultCatalog.named(use.fault)?.description.needs ?? [] { add(need, who) }
    }

    private mutating func add(_ capability: LabCapability, _ who: String) {
        all.append(Need(capability: capability, who: who))
    }

    /// What every drill is better for, and none needs: told before anything is built.
    package static func limitations(of machine: LabCapabilities) -> [String] {
        [.cgroups, .realtime].compactMap { machine.lacking[$0] }
    }

    /// One sentence for each capability that is needed and lacking, with all who need it; nil: the lab can be built.
    package func refusal(by machine: LabCapabilities) -> String? {
        var sentences: [String] = []
        for capability in LabCapability.allCases {
            guard let why = machine.lacking[capability] else { continue }
            let who = all.filter { $0.capability == capability }.map(\.who)
            if !who.isEmpty { sentences.append("\(who.joined(separator: ", ")): \(why)") }
        }
        return sentences.isEmpty ? nil : sentences.joined(separator: "\n")
    }
}
