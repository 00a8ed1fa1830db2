import DrillCore

/// How long a trial can take at most, from what its steps may wait for.
enum RunBound {
    /// From the first intended operation to the end of the observation; the time to start and boot hosts is not in it.
    static func trial(of scenario: Scenario) -> Duration {
        scenario.steadyState.duration + afterSteadyState(of: scenario)
    }

    /// From the end of the steady state to the end of the observation.
    static func afterSteadyState(of scenario: Scenario) -> Duration {
        let ends = scenario.timeline.map { end(of: $0, in: scenario, visited: []) }
        return (ends.max() ?? .zero) + scenario.observe
    }

    private static func start(
        of step: Step, in scenario: Scenario, visited: Set<StepID>
    ) -> Duration {
        switch step.start {
        case .at(let instant): return instant + step.jitter
        case .after(let reference, let plus, let atMost):
            let other = scenario.timeline.first { $0.id == reference.step }
            guard let other, !visited.contains(step.id) else { return plus + atMost + step.jitter }
            let visited = visited.union([step.id])
            let from: Duration =
                switch reference.event {
                case .injected, .failover, .stable:
                    start(of: other, in: scenario, visited: visited)
                case .healed, .redundant: end(of: other, in: scenario, visited: visited)
                }
            return from + atMost + plus + step.jitter
        }
    }

    private static func end(of step: Step, in scenario: Scenario, visited: Set<StepID>) -> Duration
    {
        let start = start(of: step, in: scenario, visited: visited)
        switch step.end {
        case .none, .observation: return start
        case .duration(let length): return start + length
        case .event(_, let plus, let atMost): return start + plus + atMost
        }
    }
}
