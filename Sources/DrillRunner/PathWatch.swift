internal import DrillCore

/// A path that is probed on behalf of a step, of the environment, or to know it without any fault.
struct PathWatch: Hashable, Sendable {
    enum Purpose: Hashable, Sendable {
        /// The path as it is before anything is done to it.
        case baseline
        /// The fault must be seen on it.
        case effect(LinkEffect)
        /// The fault must leave it alone.
        case control
        /// The fault must be gone from it.
        case aftermath
    }

    let path: ProbePath
    let purpose: Purpose
    var samples: [ProbeSample] = []
}

/// What was done to links and hosts, and when: what a probe met beside the fault that it is to prove.
struct ChangeLog: Hashable, Sendable {
    struct Treatment: Hashable, Sendable {
        /// Of the timeline; nil: the environment.
        var step: Int?
        var link: LinkDirection
        var treatment: LinkTreatment
        /// From the request of its attaching to the acknowledgement.
        var begun: InstantInterval
        /// The same of its removal; nil: it is there.
        var ended: InstantInterval?
    }

    struct Absence: Hashable, Sendable {
        var host: HostName
        var from: RunInstant
        var to: RunInstant?
    }

    private(set) var treatments: [Treatment] = []
    /// Hosts that no packet reached, whatever was done to their links.
    private(set) var absences: [Absence] = []

    /// What an operation that was carried out means for packets.
    mutating func note(_ operation: FaultOperation, step: Int?, _ interval: InstantInterval) {
        guard case .lab(let operation) = operation else { return }
        switch operation {
        case .attach(let link, let treatment):
            treatments.append(
                Treatment(step: step, link: link, treatment: treatment, begun: interval))
        case .detach(let link, let treatment):
            let index = treatments.lastIndex {
                $0.ended == nil && $0.step == step && $0.link == link && $0.treatment == treatment
            }
            if let index { treatments[index].ended = interval }
        case .silence(let host), .freeze(let host), .kill(let host),
            .carrier(let host, _, up: false), .flap(let host, _, _, _):
            if !absences.contains(where: { $0.host == host && $0.to == nil }) {
                absences.append(Absence(host: host, from: interval.low))
            }
        case .unsilence(let host), .boot(let host), .carrier(let host, _, up: true),
            .unflap(let host, _):
            for index in absences.indices where absences[index].host == host {
                absences[index].to = absences[index].to ?? interval.high + Self.settling
            }
        case .thaw: break
        }
    }

    /// A bridge port that comes up may forward a little later.
    private static let settling = Duration.milliseconds(200)

    /// What was done to packets like this one by others than `step`. The outer nil: it cannot be told for this instant.
    func others(
        than step: Int?, isOwn: Bool, _ path: ProbePath, at instant: RunInstant,
        margin: Duration
    ) -> LinkEffect?? {
        for absence in absences
        where absence.host == path.link.from || absence.host == path.link.to {
            let end = absence.to ?? .init(nanoseconds: .max)
            if instant + margin >= absence.from, instant <= end { return nil }
        }
        var effects: [LinkEffect] = []
        let late = instant + margin
        for index in treatments.indices
        where treatments[index].link == path.link
            && treatments[index].treatment.covers(path.traffic)
            && !(isOwn && treatments[index].step == step)
        {
            if late < treatments[index].begun.low { continue }
            if instant < treatments[index].begun.high { return nil }
            if let ended = treatments[index].ended {
                if instant > ended.high { continue }
                if late >= ended.low { return nil }
            }
            effects.append(treatments[index].treatment.effect)
        }
        if effects.isEmpty { return .some(nil) }
        do {
            return .some(try LinkEffect.sum(effects))
        } catch {
            return nil
        }
    }
}
