import DrillCore

/// From which fault lost writes are counted: the last one before the role change that lost them, else the first.
enum LossAnchor {
    /// - Parameter firstLost: completion of the first lost write; nil: none is lost.
    static func find(_ context: TrialContext, firstLost: RunInstant?) -> InstantInterval? {
        let faults = context.steps.compactMap { record in
            record.t0.map { (t0: $0, measured: record.step.measured) }
        }.sorted { $0.t0.low < $1.t0.low }
        guard let first = faults.first else { return nil }
        let changes = roleChanges(context, from: first.t0.low)
        // With several, the first change after the write was acknowledged is the one that lost it.
        let measured = faults.first { $0.measured }?.t0.low ?? first.t0.low
        let after = firstLost ?? measured
        guard let change = changes.first(where: { $0.high > after }) ?? changes.last else {
            return first.t0
        }
        return faults.last { $0.t0.low < change.high }?.t0 ?? first.t0
    }

    /// When another host acquired the role than the one that had it last, in order.
    private static func roleChanges(
        _ context: TrialContext, from: RunInstant
    ) -> [InstantInterval] {
        var current = context.claims.holder(at: from) ?? context.primaryBefore
        var changes: [InstantInterval] = []
        for claim in context.claims.claims
        where claim.beginning == .acquired && claim.began.high >= from {
            if let current, current != claim.host { changes.append(claim.began) }
            current = claim.host
        }
        return changes
    }
}
