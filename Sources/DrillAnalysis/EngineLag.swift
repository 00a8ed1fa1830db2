package import DrillCore

/// How late our own engine took operations up: dispatched − intended. Waiting for a connection is no lag.
package enum EngineLag {
    /// The largest lag of the operations intended in [from, to]; zero without any.
    package static func largest(
        in trace: StreamTrace, from: RunInstant, to: RunInstant
    ) -> Duration {
        var largest = Int64(0)
        for index in trace.indices(from: from, to: to + .nanoseconds(1)) {
            let operation = trace.operations[index]
            largest = max(
                largest, operation.dispatched.nanoseconds - operation.intended.nanoseconds)
        }
        return .nanoseconds(largest)
    }

    /// The lag above which a trial's numbers are not to be trusted: a tenth of the tightest objective on RTO or
    /// outage; without one a tenth of the RTO itself, at least 10 ms. Milliseconds.
    package static func tolerated(expectations: [Expectation], rto: Double) -> Double {
        let objectives = expectations.compactMap { expectation -> Double? in
            guard expectation.metric == "rto" || expectation.metric == "outage",
                case .threshold(_, let comparison, let value) = expectation.condition
            else { return nil }
            switch comparison {
            case .less, .lessOrEqual, .equal: return value
            case .greater, .greaterOrEqual: return nil
            }
        }
        guard let tightest = objectives.min() else { return max(10, rto / 10) }
        return tightest / 10
    }

    /// The longest that an operation waited for a connection after the engine had taken it up.
    package static func longestPoolWait(in traces: [StreamTrace]) -> Duration {
        var longest = Int64(0)
        for trace in traces {
            for operation in trace.operations {
                let until: RunInstant?
                switch operation.outcome {
                case .unsentConnection: until = operation.completed
                case .ok, .failed, .indeterminate, .unsentGenerator: until = operation.sent
                }
                guard let until else { continue }
                longest = max(longest, until.nanoseconds - operation.dispatched.nanoseconds)
            }
        }
        return .nanoseconds(longest)
    }
}
