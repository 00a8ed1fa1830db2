package import DrillCore

/// Good operations of those intended, unsent ones included; nil where none was intended.
package enum SuccessRates {
    package static func of(_ range: Range<Int>, in trace: StreamTrace) -> Double? {
        range.isEmpty ? nil : Double(trace.good(range)) / Double(range.count)
    }

    /// - Parameter steps: the timeline's; empty for a soak, which has only an overall rate.
    package static func measure(
        in trace: StreamTrace, steps: [StepRecord], steadyUntil: RunInstant
    ) -> SuccessRate {
        var rate = SuccessRate(overall: of(trace.indices(from: steadyUntil, to: nil), in: trace))
        var intended = 0
        var good = 0
        for window in measuredWindows(steps) {
            let range = trace.indices(from: window.from, to: window.to)
            intended += range.count
            good += trace.good(range)
        }
        if intended > 0 { rate.duringFault = Double(good) / Double(intended) }
        if let lastHeal = steps.compactMap(\.heal).max() {
            rate.after = of(trace.indices(from: lastHeal, to: nil), in: trace)
        }
        return rate
    }

    /// The union of [earliest t0, heal) of the measured steps, disjoint and in order.
    private static func measuredWindows(
        _ steps: [StepRecord]
    ) -> [(from: RunInstant, to: RunInstant?)] {
        let windows = steps.compactMap { record -> (from: RunInstant, to: RunInstant?)? in
            guard record.step.measured, let t0 = record.t0 else { return nil }
            return (t0.low, record.effectEnd)
        }.sorted { $0.from < $1.from }
        var union: [(from: RunInstant, to: RunInstant?)] = []
        for window in windows {
            guard let last = union.last, last.to.map({ $0 >= window.from }) ?? true else {
                union.append(window)
                continue
            }
            if let lastTo = last.to {
                union[union.count - 1].to = window.to.map { max($0, lastTo) }
            }
        }
        return union
    }
}
