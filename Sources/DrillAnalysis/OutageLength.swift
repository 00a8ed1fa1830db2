package import DrillCore

/// How long single outages were: at most t5 − t1 and the period before t1, at least from t1 to the last bad one.
package struct OutageLength: Hashable, Sendable {
    package var low: Duration
    /// Nil while the outage is open.
    package var high: Duration?

    package static func of(_ charged: ChargedOutage, in trace: StreamTrace) -> OutageLength {
        OutageLength(
            low: max(.zero, trace.intended(charged.outage.lastBad) - charged.t1),
            high: trace.recovered(charged.outage).map { $0 - charged.t1 + trace.period })
    }

    /// The longest outage that k operations, each answered at most `slow` late, leave unseen in [from, to].
    package static func unseen(
        in trace: StreamTrace, from: RunInstant, to: RunInstant
    ) -> Duration {
        let gap = trace.largestSentGap(from: from, to: to).nanoseconds
        return trace.workload.slow + .nanoseconds(gap * Int64(trace.k))
    }

    /// `outage[step]`: the longest charged outage. One that only the heal ended, or that is still open, is censored
    /// where its observation ends, like the RTO.
    package static func longest(
        _ charged: [ChargedOutage], rto: RecoveryTime, of record: StepRecord, t0: InstantInterval,
        in trace: StreamTrace
    ) -> Measure {
        guard let last = charged.last, let observedUntil = trace.observedUntil else {
            return none(rto.measure, from: t0.low, to: record.effectEnd, in: trace)
        }
        switch rto.measure.status {
        case .measured: return longest(charged, in: trace)
        case .unknown, .notApplicable: return .unknown(rto.measure.reason ?? "unsettled")
        case .censored:
            let bound = min(observedUntil, record.heal ?? observedUntil)
            let open = (bound - last.t1).milliseconds
            let ended = longest(charged.dropLast(), in: trace).low ?? 0
            return .censored(at: max(open, ended), reason: rto.measure.reason ?? "")
        }
    }

    /// `failback_outage[step]`: the longest outage that the step's heal is charged with.
    package static func failback(
        _ charged: [ChargedOutage], of record: StepRecord, until: RunInstant?, in trace: StreamTrace
    ) -> Measure {
        guard record.step.end != .none else { return .notApplicable("the step heals nothing") }
        guard let heal = record.heal, let observedUntil = trace.observedUntil, heal < observedUntil
        else { return .unknown("nothing was observed after the heal began") }
        guard !charged.isEmpty else {
            return none(.measured(0, low: 0, high: 0), from: heal, to: until, in: trace)
        }
        if let open = charged.last, open.outage.end == nil {
            return .censored(
                at: (observedUntil - open.t1).milliseconds,
                reason: "the outage was still open when the observation ended")
        }
        return longest(charged, in: trace)
    }

    private static func longest(
        _ charged: some Collection<ChargedOutage>, in trace: StreamTrace
    ) -> Measure {
        let lengths = charged.map { of($0, in: trace) }
        let high = lengths.compactMap(\.high).max() ?? .zero
        let low = lengths.map(\.low).max() ?? .zero
        return .measured(high.milliseconds, low: low.milliseconds, high: high.milliseconds)
    }

    private static func none(
        _ rto: Measure, from: RunInstant, to: RunInstant?, in trace: StreamTrace
    ) -> Measure {
        guard rto.status == .measured, let observedUntil = trace.observedUntil else { return rto }
        let end = max(from, min(observedUntil, to ?? observedUntil))
        return .measured(
            0, low: 0, high: unseen(in: trace, from: from, to: end).milliseconds)
    }
}

extension OutageLength {
    /// Σ over the bad operations of a window of the gap to the next intended instant.
    package static func downtimeEquivalent(
        from: RunInstant, to: RunInstant?, inFlight: [Int], in trace: StreamTrace
    ) -> Measure {
        var sum = Int64(0)
        func add(_ index: Int) {
            let next =
                index + 1 < trace.count
                ? trace.intended(index + 1) : trace.intended(index) + trace.period
            sum += next.nanoseconds - trace.intended(index).nanoseconds
        }
        for index in inFlight where trace.classes[index] == .bad { add(index) }
        for index in trace.indices(from: from, to: to) where trace.classes[index] == .bad {
            add(index)
        }
        let value = Double(sum) / 1e6
        return .measured(value, low: value, high: value)
    }
}
