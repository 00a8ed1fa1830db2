package import DrillCore

/// RTO of one step as one stream shows it (docs/MEASUREMENT.md, "RTO").
package struct RecoveryTime: Hashable, Sendable {
    package var measure: Measure
    /// `system` or `heal`; nil where there was nothing to recover from or nothing recovered.
    package var recoveredBy: String?
    /// Why the trial cannot say: the heal cut the stretch that would have shown the end.
    package var unsettled: Bool
    /// The nominal RTO in milliseconds, without the widening by lag; what the lag is compared with.
    package var nominal: Double
    /// The engine's own largest lag where it matters for this number.
    package var lag: Duration
    package var recoveryAfterHeal: Measure

    private static let noHeal = Measure.notApplicable("nothing was recovered by the heal")

    /// - Parameters:
    ///   - charged: the stream's outages that are charged to this step, in order.
    ///   - record: a step that began.
    package static func measure(
        _ charged: [ChargedOutage], of record: StepRecord, t0: InstantInterval,
        in trace: StreamTrace
    ) -> RecoveryTime {
        guard let observedUntil = trace.observedUntil, let last = charged.last else {
            return withoutOutage(of: record, t0: t0, in: trace)
        }
        // A heal after which nothing was asked cut nothing: the observation ended with it.
        let healed = record.heal.map { $0 < observedUntil } ?? false
        let over = record.heal.map { trace.isOver(last.outage, by: $0) } ?? true
        if let t5 = trace.recovered(last.outage), over {
            let lag = EngineLag.largest(
                in: trace, from: t0.low - .seconds(1), to: t5 + trace.stable)
            let low = trace.intended(last.outage.lastBad) - t0.high
            let high = t5 - t0.low
            let widened = (high + lag).milliseconds
            return RecoveryTime(
                measure: .measured(
                    widened, low: max(.zero, low - lag).milliseconds, high: widened),
                recoveredBy: "system", unsettled: false, nominal: high.milliseconds, lag: lag,
                recoveryAfterHeal: noHeal)
        }
        let bound = healed ? record.heal ?? observedUntil : observedUntil
        let lag = EngineLag.largest(in: trace, from: t0.low - .seconds(1), to: bound)
        let nominal = (bound - t0.high).milliseconds
        if healed, record.healsByPlan, isUnsettled(at: bound, last.outage, in: trace) {
            return RecoveryTime(
                measure: .unknown("unsettled"), recoveredBy: nil, unsettled: true,
                nominal: nominal, lag: lag,
                recoveryAfterHeal: afterHeal(last.outage, heal: bound, in: trace))
        }
        let recoveredByHeal = healed && record.healsByPlan && last.outage.end != nil
        return RecoveryTime(
            measure: .censored(
                at: nominal,
                reason: reason(healed: healed, record: record, recovered: recoveredByHeal)),
            recoveredBy: recoveredByHeal ? "heal" : nil, unsettled: false, nominal: nominal,
            lag: lag,
            recoveryAfterHeal: healed
                ? afterHeal(last.outage, heal: bound, in: trace) : noHeal)
    }

    private static func reason(healed: Bool, record: StepRecord, recovered: Bool) -> String {
        guard healed else {
            return "the observation ended before the service was back for long enough"
        }
        switch record.healedBy {
        case .abort?: return "the trial was aborted before the service was back"
        case .interrupt?: return "the run was interrupted before the service was back"
        case .plan?, .lease?, .watchdog?, .sweep?, nil: break
        }
        if record.step.end == .observation {
            return "the observation ended before the service was back for long enough"
        }
        return recovered
            ? "the heal, not the system, brought the service back"
            : "the service was not back when the heal began"
    }

    /// Nothing seen: an outage may have been as long as an answer may be late and k operations are apart.
    private static func withoutOutage(
        of record: StepRecord, t0: InstantInterval, in trace: StreamTrace
    ) -> RecoveryTime {
        guard let observedUntil = trace.observedUntil else {
            return RecoveryTime(
                measure: .unknown("the stream has no operations"), recoveredBy: nil,
                unsettled: false, nominal: 0, lag: .zero, recoveryAfterHeal: noHeal)
        }
        let end = min(observedUntil, record.effectEnd ?? observedUntil)
        guard end > t0.low, trace.sent(trace.indices(from: t0.low, to: end)) > 0 else {
            return RecoveryTime(
                measure: .unknown("no operation was sent while the step was in effect"),
                recoveredBy: nil, unsettled: false, nominal: 0, lag: .zero,
                recoveryAfterHeal: noHeal)
        }
        let lag = EngineLag.largest(in: trace, from: t0.low - .seconds(1), to: end)
        let high = OutageLength.unseen(in: trace, from: t0.low, to: end) + lag
        return RecoveryTime(
            measure: .measured(0, low: 0, high: high.milliseconds), recoveredBy: nil,
            unsettled: false, nominal: 0, lag: lag, recoveryAfterHeal: noHeal)
    }

    /// Whether the last part before the heal looks recovered but is too short to show it.
    ///
    /// It counts only answers that came before the heal: those that came after it may have come because of it.
    private static func isUnsettled(
        at heal: RunInstant, _ outage: Outage, in trace: StreamTrace
    ) -> Bool {
        var bad = 0
        var decided = 0
        var first: Int?
        var pending = false
        // Backwards, for as long as fewer than k are bad.
        for index in trace.indices(from: trace.intended(outage.firstBad), to: heal).reversed() {
            switch trace.classes[index] {
            case .unsent: continue
            case .bad: bad += 1
            case .good: break
            }
            guard bad < trace.k else { break }
            guard trace.isDecided(index, by: heal) else {
                pending = true
                continue
            }
            decided += 1
            if trace.classes[index] == .good { first = index }
        }
        guard let first, decided >= max(20, (trace.n + 3) / 4) else { return false }
        return heal - trace.intended(first) < trace.stable || pending
    }

    /// From the heal to the completion of the good operation that ended the outage.
    private static func afterHeal(
        _ outage: Outage, heal: RunInstant, in trace: StreamTrace
    ) -> Measure {
        guard let t5 = trace.recovered(outage) else {
            guard let end = trace.observedUntil else { return noHeal }
            return .censored(
                at: max(.zero, end - heal).milliseconds,
                reason: "the service did not come back before the observation ended")
        }
        let low = max(.zero, trace.intended(outage.lastBad) - heal)
        let high = max(.zero, t5 - heal)
        return .measured(high.milliseconds, low: low.milliseconds, high: high.milliseconds)
    }
}
