package import DrillCore

/// An outage with what it is charged to (docs/MEASUREMENT.md, "RTO").
package struct ChargedOutage: Hashable, Sendable {
    package var outage: Outage
    /// When it began: the intended instant of its first bad operation, or the t0 (or heal) over which all that was
    /// bad before it was in flight.
    package var t1: RunInstant
    package var charges: [Charge]

    package enum Charge: Hashable, Sendable {
        case step(StepID)
        case heal(StepID)

        package var spelled: String {
            switch self {
            case .step(let step): step.rawValue
            case .heal(let step): "heal:\(step)"
            }
        }
    }
}

package enum Charging {
    /// - Parameter steps: those of the timeline, in any order; the ones that never began are passed over.
    package static func charge(
        _ outage: Outage, in trace: StreamTrace, steps: [StepRecord]
    ) -> ChargedOutage {
        let began = steps.filter { $0.t0 != nil }.sorted(by: earlier)
        let t1 = start(of: outage, in: trace, steps: began)
        let outage = outage.ending(atOrAfter: t1, in: trace)
        var charges: [ChargedOutage.Charge] = []
        let before = began.filter { $0.t0.map { $0.low <= t1 } ?? false }
        if let cause = cause(of: t1, steps: before, stable: trace.stable) { charges.append(cause) }
        let t5 = trace.recovered(outage)
        for record in began {
            guard let t0 = record.t0?.low, t0 > t1, t5.map({ t0 < $0 }) ?? true else { continue }
            charges.append(.step(record.id))
        }
        return ChargedOutage(outage: outage, t1: t1, charges: charges)
    }

    private static func earlier(_ left: StepRecord, _ right: StepRecord) -> Bool {
        (left.t0?.low.nanoseconds ?? .max) < (right.t0?.low.nanoseconds ?? .max)
    }

    /// The latest step in effect; a heal, if nothing else is in effect or it has just begun.
    ///
    /// A step that was healed is not charged again while an earlier one is still in effect: what fails then is that
    /// one's, or the heal's.
    private static func cause(
        of t1: RunInstant, steps: [StepRecord], stable: Duration
    ) -> ChargedOutage.Charge? {
        let healed = steps.filter { record in record.heal.map { $0 <= t1 } ?? false }
        let latestHeal = healed.max {
            ($0.heal?.nanoseconds ?? .min) < ($1.heal?.nanoseconds ?? .min)
        }
        guard let inEffect = steps.last(where: { $0.isInEffect(at: t1) }) else {
            return latestHeal.map { .heal($0.id) }
        }
        // What began after the heal is the next step's own.
        if let latestHeal, let heal = latestHeal.heal, t1 < heal + stable,
            inEffect.t0.map({ $0.low < heal }) ?? false
        {
            return .heal(latestHeal.id)
        }
        return .step(inEffect.id)
    }

    /// Operations that were in flight over a t0 say nothing of the time before it: t1 is that t0.
    ///
    /// The same holds for a heal, but only for those that were not older than a good answer takes: one that had
    /// waited longer was lost before the heal, by the fault.
    private static func start(
        of outage: Outage, in trace: StreamTrace, steps: [StepRecord]
    ) -> RunInstant {
        let raw = trace.intended(outage.firstBad)
        var boundaries: [(instant: RunInstant, isHeal: Bool)] = []
        for record in steps {
            if let t0 = record.t0?.low, t0 > raw { boundaries.append((t0, false)) }
            if let heal = record.heal, heal > raw { boundaries.append((heal, true)) }
        }
        boundaries.sort { $0.instant < $1.instant }
        // No operation is in flight for longer than its time-out, so later boundaries cannot matter.
        let reach = raw + max(trace.workload.timeout, trace.workload.slow)
        for boundary in boundaries where boundary.instant <= reach {
            let range = trace.indices(from: raw, to: boundary.instant)
            let bad = range.filter { trace.classes[$0] == .bad && $0 >= outage.firstBad }
            guard bad.allSatisfy({ !trace.isDecided($0, by: boundary.instant) }) else { continue }
            if boundary.isHeal {
                let usual = usualLatency(in: trace, before: raw)
                guard boundary.instant - raw <= usual else { continue }
            }
            return boundary.instant
        }
        return raw
    }

    /// The longest good answer of the stretch before an instant.
    private static func usualLatency(in trace: StreamTrace, before instant: RunInstant) -> Duration
    {
        var longest = Int64(0)
        for index in trace.indices(from: instant - trace.stable, to: instant)
        where trace.classes[index] == .good {
            let operation = trace.operations[index]
            guard let completed = operation.completed else { continue }
            longest = max(longest, completed.nanoseconds - operation.intended.nanoseconds)
        }
        return .nanoseconds(longest)
    }
}

extension Outage {
    /// An operation in flight over a t0 may fail while those intended after it, still before t0, were answered well:
    /// the outage that it opens at t0 ends with the first good operation from t0 on.
    func ending(atOrAfter t1: RunInstant, in trace: StreamTrace) -> Outage {
        guard let end, trace.intended(end) < t1 else { return self }
        var moved = self
        moved.end = (trace.index(atOrAfter: t1)..<trace.count).first(where: trace.endsOutage)
        return moved
    }
}
