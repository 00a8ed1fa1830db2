package import DrillCore

/// t7: all faults healed and the steady state shown again.
package enum SteadyAgain {
    /// Where the history does not say it: the end of the first stretch of `steady_state.for` after the last heal that
    /// holds fewer than k bad operations and enough sent ones, in the slowest stream.
    package static func find(
        traces: [StreamTrace], after healed: RunInstant, steady: SteadyState
    ) -> RunInstant? {
        guard !traces.isEmpty else { return nil }
        var latest = healed
        for trace in traces {
            guard let end = find(in: trace, after: healed, steady: steady) else { return nil }
            latest = max(latest, end)
        }
        return latest
    }

    private static func find(
        in trace: StreamTrace, after healed: RunInstant, steady: SteadyState
    ) -> RunInstant? {
        guard let observedUntil = trace.observedUntil else { return nil }
        let n = Noise.operations(rate: trace.rate, in: steady.duration)
        let k = Noise.threshold(operations: n, successRate: steady.successRate)
        let least = Noise.leastSent(operations: n)
        let length = steady.duration.nanoseconds
        var last = trace.index(atOrAfter: healed)
        for index in trace.indices(from: healed, to: nil) where trace.classes[index] == .good {
            let end = RunInstant(nanoseconds: trace.intended(index).nanoseconds + length)
            guard end <= observedUntil else { return nil }
            while last < trace.count, trace.intended(last) < end { last += 1 }
            let range = index..<last
            if trace.bad(range) < k, trace.sent(range) >= least { return end }
        }
        return nil
    }
}
