package import DrillCore

/// One entry of the timeline with what the history says became of it.
package struct StepRecord: Hashable, Sendable {
    package var step: Step
    /// When the fault took effect or the switchover was asked for; nil if the step never began.
    package var t0: InstantInterval?
    package var host: HostName?
    package var role: Role?
    package var switchoverTo: HostName?
    /// When the first change of its heal was requested.
    package var heal: RunInstant?
    package var healed: InstantInterval?
    package var healedBy: HealedBy?
    package var healVerdict: HealVerdict?
    package var facts: HistoryEvent.StepFacts?
    package var proven: [HostName: HistoryEvent.ProvenState]
    /// When it stops to be in effect: its heal; a step that heals nothing, the next step's t0.
    package var effectEnd: RunInstant?

    package var id: StepID { step.id }

    package func isInEffect(at instant: RunInstant) -> Bool {
        guard let t0, t0.low <= instant else { return false }
        return effectEnd.map { instant < $0 } ?? true
    }

    /// Heals by itself as planned, before the observation ends.
    package var healsByPlan: Bool {
        switch step.end {
        case .duration, .event:
            switch healedBy {
            case .plan?, nil: true
            case .abort?, .interrupt?, .lease?, .watchdog?, .sweep?: false
            }
        case .none, .observation: false
        }
    }

    /// Takes a host away, whatever a probe of redundancy says.
    package var isNodeFault: Bool { step.actionName.hasPrefix("node.") }

    /// The state that such a fault puts its host in once its effect is proven.
    package var nodeState: HistoryEvent.ProvenState? {
        guard isNodeFault else { return nil }
        return step.actionName == "node.pause" ? .frozen : .dead
    }

    /// Was the effect seen? nil: nothing is said about it.
    package var isProven: Bool? {
        if let proof = facts?.proof { return proof.proven }
        return proven.isEmpty ? nil : true
    }

    /// The timeline's steps in its order, each with the first event of each kind that names it.
    package static func collect(timeline: [Step], events: [HistoryEvent]) -> [StepRecord] {
        var records = timeline.map { StepRecord(step: $0, proven: [:]) }
        func update(_ id: StepID, _ change: (inout StepRecord) -> Void) {
            guard let index = records.firstIndex(where: { $0.id == id }) else { return }
            change(&records[index])
        }
        for event in events {
            switch event.kind {
            case .injected(let step, _, let host, let role):
                update(step) { record in
                    guard record.t0 == nil else { return }
                    record.t0 = event.interval
                    record.host = host
                    record.role = role
                }
            case .switchover(let step, let from, let to):
                update(step) { record in
                    guard record.t0 == nil else { return }
                    record.t0 = event.interval
                    record.host = from
                    record.switchoverTo = to
                }
            case .healBegun(let step):
                update(step) { record in
                    // A step that heals nothing is never recovered by a heal.
                    guard record.step.end != .none, record.heal == nil else { return }
                    record.heal = event.interval.low
                }
            case .healed(let step, let by, let verdict):
                update(step) { record in
                    record.healed = event.interval
                    record.healedBy = by
                    record.healVerdict = verdict
                }
            case .proven(let host, let step, let state, _):
                update(step) { $0.proven[host] = state }
            case .step(let facts):
                update(facts.step) { record in
                    let proof = facts.proof ?? record.facts?.proof
                    record.facts = facts
                    record.facts?.proof = proof
                }
            case .trial, .steady, .role, .unobserved, .redundancy, .noticed, .verify, .end,
                .identity, .visible, .verified:
                break
            }
        }
        let begins = records.compactMap { $0.t0?.low }.sorted()
        for index in records.indices {
            guard let t0 = records[index].t0?.low else { continue }
            records[index].effectEnd =
                records[index].step.end == .none ? begins.first { $0 > t0 } : records[index].heal
        }
        return records
    }

    private init(step: Step, proven: [HostName: HistoryEvent.ProvenState]) {
        self.step = step
        self.proven = proven
    }
}
