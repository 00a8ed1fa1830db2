package import DrillCore

/// What the measures of one trial share: its events in order, its steps, streams and roles.
package struct TrialContext: Sendable {
    package let scenario: Scenario
    package let system: System
    package let events: [HistoryEvent]
    package let steps: [StepRecord]
    package let traces: [StreamTrace]
    /// Streams of the history that belong to no workload of the scenario.
    package let strangers: [StreamName]
    /// Streams of the scenario of which the history has no operation.
    package let absent: [StreamName]
    /// The trial's first intended operation; instants of the report count from it.
    package let origin: RunInstant
    package let recordEnd: RunInstant
    /// The end of the steady state, where an event says it.
    package let steadyEvent: RunInstant?
    package let exclusions: [RoleExclusion]
    package let claims: RoleClaims
    /// What the `end` event says; nil where the run was cut off.
    package let end: String?
    package let clockError: Duration
    package let poolWait: Duration?
    /// What was seen of the scenario's environment; nil: nothing is said.
    package let environment: StepProof?
    /// The record has facts of the trial, and so was made by a run.
    package let hasFacts: Bool
    package let steadyAgain: RunInstant?
    package let steadyAfter: Bool?
    /// What is known to be missing from the history.
    package let gaps: [String]

    package init(_ input: TrialInput) {
        gaps = input.history.gaps
        scenario = input.scenario
        system = input.system
        let events = Self.ordered(input.history.events)
        self.events = events
        let steps = StepRecord.collect(timeline: input.scenario.timeline, events: events)
        self.steps = steps

        var traces: [StreamTrace] = []
        var strangers: [StreamName] = []
        for stream in input.history.streams where !stream.operations.isEmpty {
            let workload = input.scenario.workloads.first { workload in
                stream.name.rawValue.hasPrefix("\(workload.name)/")
            }
            guard let workload else {
                strangers.append(stream.name)
                continue
            }
            traces.append(
                StreamTrace(
                    name: stream.name, workload: workload,
                    successRate: input.scenario.steadyState.successRate,
                    stable: input.scenario.stable, operations: stream.operations))
        }
        traces.sort { $0.name < $1.name }
        self.traces = traces
        self.strangers = strangers.sorted()
        let present = Set(traces.map(\.name))
        absent = input.scenario.workloads.flatMap(\.streams).filter { !present.contains($0) }

        let first = traces.compactMap { $0.operations.first?.intended }.min()
        let origin = first ?? events.first?.interval.low ?? RunInstant(nanoseconds: 0)
        self.origin = origin
        let ends = events.map(\.interval.high) + traces.compactMap(\.observedUntil)
        recordEnd = ends.max() ?? origin

        var steadyEvent: RunInstant?
        var steadyAgain: RunInstant?
        var end: String?
        var clockError = Int64(0)
        var poolWait: Int64?
        var environment: StepProof?
        var hasFacts = false
        for event in events {
            switch event.kind {
            case .steady(.before): steadyEvent = steadyEvent ?? event.interval.high
            case .steady(.after): steadyAgain = event.interval.high
            case .end(let reason): end = reason
            case .trial(let facts):
                hasFacts = true
                environment = facts.environment ?? environment
                clockError = max(clockError, facts.clockErrorNanoseconds)
                if let wait = facts.poolWaitNanoseconds { poolWait = max(poolWait ?? 0, wait) }
            case .injected, .healBegun, .healed, .role, .proven, .unobserved, .redundancy,
                .noticed, .switchover, .verify, .step, .identity, .visible, .verified:
                break
            }
        }
        self.steadyEvent = steadyEvent
        self.end = end
        self.clockError = .nanoseconds(clockError)
        self.environment = environment
        self.hasFacts = hasFacts
        self.poolWait =
            poolWait.map { .nanoseconds($0) }
            ?? (traces.isEmpty ? nil : EngineLag.longestPoolWait(in: traces))

        let begun = steps.compactMap { record in
            record.t0.map { max($0.high, record.healed?.high ?? record.heal ?? $0.high) }
        }
        let healed =
            steps.contains { $0.t0 != nil && $0.step.end != .none && $0.heal == nil }
            ? nil : begun.max()
        if steadyAgain == nil, let healed {
            steadyAgain = SteadyAgain.find(
                traces: traces, after: healed, steady: input.scenario.steadyState)
        }
        self.steadyAgain = steadyAgain
        if steadyAgain != nil {
            steadyAfter = true
        } else {
            steadyAfter = TrialEnd(end) == .steadyStateLost ? false : nil
        }

        let exclusions = RoleExclusion.collect(steps: steps, events: events)
        self.exclusions = exclusions
        claims = RoleClaims.collect(
            events: events, exclusions: exclusions, recordEnd: recordEnd,
            every: system.roles?.primary.every)
    }

    /// Events may be written late: a proof is known only after its window.
    private static func ordered(_ events: [HistoryEvent]) -> [HistoryEvent] {
        events.enumerated().sorted { left, right in
            (left.element.interval.low, left.offset) < (right.element.interval.low, right.offset)
        }.map(\.element)
    }

    /// Where a history says nothing, the steady state ended with its first intended operation.
    package var steadyUntil: RunInstant { steadyEvent ?? origin }

    package var steadyBefore: Bool? {
        if steadyEvent != nil { return true }
        return TrialEnd(end) == .noSteadyState ? false : nil
    }

    package var firstT0: InstantInterval? {
        steps.compactMap(\.t0).min { $0.low < $1.low }
    }

    package var primaryBefore: HostName? {
        if let t0 = firstT0 { return claims.holder(at: t0.low) }
        return claims.holder(at: steadyUntil)
            ?? claims.claims.first.flatMap { claims.holder(at: $0.began.high) }
    }

    /// Earliest t0 of the step that begins next after an instant.
    package func nextT0(after instant: RunInstant) -> RunInstant? {
        steps.compactMap { $0.t0?.low }.filter { $0 > instant }.min()
    }

    /// Milliseconds from the trial's first intended operation.
    package func milliseconds(_ instant: RunInstant) -> Double { (instant - origin).milliseconds }
}
