/// What is done to links at one time: treatments come and go one by one, and what holds is their sum.
package struct TreatmentSet: Hashable, Sendable {
    package private(set) var active: [LinkDirection: [LinkTreatment]]

    package init() { active = [:] }

    package mutating func add(_ treatment: LinkTreatment, to link: LinkDirection) {
        active[link, default: []].append(treatment)
    }

    /// False where there is no treatment equal to this one.
    package mutating func remove(_ treatment: LinkTreatment, from link: LinkDirection) -> Bool {
        guard let index = active[link]?.lastIndex(of: treatment) else { return false }
        active[link]?.remove(at: index)
        if active[link]?.isEmpty == true { active[link] = nil }
        return true
    }

    /// What happens to packets of this kind on the link; nil: nothing.
    package func effect(
        on link: LinkDirection, traffic: TrafficSelector
    ) throws(MergeConflict) -> LinkEffect? {
        try LinkEffect.sum((active[link] ?? []).filter { $0.covers(traffic) }.map(\.effect))
    }

    /// One lane for each kind of packet that is treated in a way of its own. Those that have no lane of their own take
    /// that of `.all`, where there is one.
    package func lanes(
        of link: LinkDirection
    ) throws(MergeConflict) -> [TrafficSelector: LinkEffect] {
        var lanes: [TrafficSelector: LinkEffect] = [:]
        for traffic in Set((active[link] ?? []).map(\.traffic)) {
            lanes[traffic] = try effect(on: link, traffic: traffic)
        }
        return lanes
    }
}

extension LinkTreatment {
    /// Whether packets of that kind are among those that it is done to.
    package func covers(_ traffic: TrafficSelector) -> Bool {
        self.traffic == .all || self.traffic == traffic
    }
}

extension LinkEffect {
    /// Nil of none. A sink swallows whatever else there is.
    package static func sum(_ effects: [LinkEffect]) throws(MergeConflict) -> LinkEffect? {
        var impairments: [Impairment] = []
        for effect in effects {
            switch effect {
            case .sink: return .sink
            case .impair(let impairment): impairments.append(impairment)
            }
        }
        return impairments.isEmpty ? nil : .impair(try Impairment.merged(impairments))
    }
}
