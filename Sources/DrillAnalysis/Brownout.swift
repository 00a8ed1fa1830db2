package import DrillCore

/// Failures outside outages: the sum of tumbling windows with at least k bad operations, k by the formula for the
/// window's own number of operations.
package enum Brownout {
    /// - Parameter outages: all outages of the stream, charged or not; a window that touches one does not count.
    package static func measure(
        from: RunInstant, to: RunInstant?, successRate: Double, outages: [Outage],
        in trace: StreamTrace
    ) -> Measure {
        guard let observedUntil = trace.observedUntil else {
            return .unknown("the stream has no operations")
        }
        let end = min(observedUntil, to ?? observedUntil)
        let width = max(
            Duration.milliseconds(100), .nanoseconds(20 * trace.period.nanoseconds))
        var sum = Duration.zero
        var start = from
        var next = 0
        while start + width <= end {
            let stop = start + width
            while next < outages.count,
                trace.recovered(outages[next]).map({ $0 <= start }) ?? false
            {
                next += 1
            }
            let touches = next < outages.count && trace.intended(outages[next].firstBad) < stop
            if !touches {
                let range = trace.indices(from: start, to: stop)
                let bad = trace.bad(range)
                if bad > 0,
                    bad >= Noise.threshold(operations: range.count, successRate: successRate)
                {
                    sum += width
                }
            }
            start = stop
        }
        return .measured(sum.milliseconds, low: sum.milliseconds, high: sum.milliseconds)
    }
}
