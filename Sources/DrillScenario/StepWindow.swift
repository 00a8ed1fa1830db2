import DrillCore

/// When a step's fault may be in effect, counted from the end of the steady state.
struct StepWindow {
    /// Injecting and healing take their time; what is nearer than this may overlap.
    static let margin = Duration.seconds(1)

    var earliest: Duration
    /// Nil: nothing bounds it.
    var latest: Duration?

    init(of step: Step, in timeline: [Step]) {
        earliest = Self.earliest(step, timeline, visited: [])
        guard case .at(let instant) = step.start, let most = Self.most(step) else { return }
        latest = instant + step.jitter + most
    }

    /// The longest that the fault is in effect; nil: until the observation ends.
    static func most(_ step: Step) -> Duration? {
        switch step.end {
        case .none: .zero
        case .duration(let length): length
        case .event(_, let plus, let atMost): atMost + plus
        case .observation: nil
        }
    }

    /// Whether the two can provably never be in effect at once.
    static func areApart(_ a: Step, _ b: Step, in timeline: [Step]) -> Bool {
        let (first, second) = (StepWindow(of: a, in: timeline), StepWindow(of: b, in: timeline))
        if let end = first.latest, end + margin <= second.earliest { return true }
        if let end = second.latest, end + margin <= first.earliest { return true }
        return follows(b, theHealOf: a, timeline, visited: [])
            || follows(a, theHealOf: b, timeline, visited: [])
    }

    private static func earliest(
        _ step: Step, _ timeline: [Step], visited: Set<StepID>
    ) -> Duration {
        switch step.start {
        case .at(let instant): return instant
        case .after(let reference, let plus, _):
            guard !visited.contains(step.id),
                let other = timeline.first(where: { $0.id == reference.step })
            else { return plus }
            var from = earliest(other, timeline, visited: visited.union([step.id]))
            if reference.event == .healed, case .duration(let length) = other.end {
                from += length
            }
            return from + plus
        }
    }

    /// `step` waits, by itself or through others, for the heal of `other`.
    private static func follows(
        _ step: Step, theHealOf other: Step, _ timeline: [Step], visited: Set<StepID>
    ) -> Bool {
        guard case .after(let reference, _, _) = step.start, !visited.contains(step.id) else {
            return false
        }
        if reference == EventReference(step: other.id, event: .healed) { return true }
        guard let between = timeline.first(where: { $0.id == reference.step }) else {
            return false
        }
        return follows(between, theHealOf: other, timeline, visited: visited.union([step.id]))
    }
}
