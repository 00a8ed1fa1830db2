package import DrillCore
import Histogram

/// Latencies from the intended instant (corrected for what the client waited), from the sent one (naive), and the
/// engine's lag, of the operations of a window.
package struct Latency: Sendable {
    package var corrected: StreamReport.Quantiles
    package var naive: StreamReport.Quantiles
    package var lag: StreamReport.Quantiles

    /// Answered operations are the ok ones, however late; a time-out is no answer.
    package static func measure(in trace: StreamTrace, from: RunInstant) -> Latency {
        var corrected = QuantileCounter()
        var naive = QuantileCounter()
        var lag = QuantileCounter()
        for index in trace.indices(from: from, to: nil) {
            let operation = trace.operations[index]
            lag.add(operation.dispatched.nanoseconds - operation.intended.nanoseconds)
            guard operation.outcome == .ok, let completed = operation.completed?.nanoseconds
            else { continue }
            corrected.add(completed - operation.intended.nanoseconds)
            if let sent = operation.sent { naive.add(completed - sent.nanoseconds) }
        }
        return Latency(
            corrected: corrected.quantiles, naive: naive.quantiles, lag: lag.quantiles)
    }
}

/// Nanoseconds in, milliseconds out; percentiles within a thousandth, smallest, largest and mean exact.
struct QuantileCounter {
    private var histogram = Histogram<UInt32>(
        highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
    private var count = 0
    private var smallest = Int64.max
    private var largest = Int64.min
    private var sum = 0.0

    init() { histogram.autoResize = true }

    mutating func add(_ nanoseconds: Int64) {
        // A clock of another load host may make a sliver of this negative.
        let value = max(0, nanoseconds)
        histogram.record(UInt64(value))
        count += 1
        smallest = min(smallest, value)
        largest = max(largest, value)
        sum += Double(value)
    }

    var quantiles: StreamReport.Quantiles {
        guard count > 0 else { return StreamReport.Quantiles(count: 0) }
        // The histogram names the upper end of a bucket; no value is above the largest one seen.
        func percentile(_ percent: Double) -> Double {
            let value = Double(histogram.valueAtPercentile(percent))
            return min(max(value, Double(smallest)), Double(largest)) / 1e6
        }
        return StreamReport.Quantiles(
            count: count, min: Double(smallest) / 1e6, p50: percentile(50), p90: percentile(90),
            p99: percentile(99), p999: percentile(99.9), max: Double(largest) / 1e6,
            mean: sum / Double(count) / 1e6)
    }
}
