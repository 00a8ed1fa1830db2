/// All operations of one workload × lane × (read | write), ordered by intended instant.
package struct OperationStream: Hashable, Sendable {
    package var name: StreamName
    package var operations: [ClientOperation]

    package init(name: StreamName, operations: [ClientOperation] = []) {
        self.name = name
        self.operations = operations
    }
}

/// The ordered record of a trial: what clients saw and what was done and observed meanwhile.
package struct History: Hashable, Sendable {
    package var streams: [OperationStream]
    /// Ordered by `interval.low`.
    package var events: [HistoryEvent]
    /// What is known to be missing from the record, one sentence each: then it proves nothing.
    package var gaps: [String]

    package init(
        streams: [OperationStream] = [], events: [HistoryEvent] = [], gaps: [String] = []
    ) {
        self.streams = streams
        self.events = events
        self.gaps = gaps
    }

    /// No trial is longer than this. A file that says so is damaged, and analysing it would take forever.
    package static let longest = Duration.seconds(31 * 86400)

    /// Whether all instants lie within `longest` of one another, so that their differences are small numbers.
    package var isPlausible: Bool {
        var low = Int64.max
        var high = Int64.min
        func note(_ instant: RunInstant?) {
            guard let instant else { return }
            low = min(low, instant.nanoseconds)
            high = max(high, instant.nanoseconds)
        }
        for stream in streams {
            for operation in stream.operations {
                note(operation.intended)
                note(operation.dispatched)
                note(operation.sent)
                note(operation.completed)
            }
        }
        for event in events {
            note(event.interval.low)
            note(event.interval.high)
            if case .role(let seen) = event.kind {
                note(seen.asked)
                note(seen.answered)
            }
        }
        guard low <= high else { return true }
        let (span, overflow) = high.subtractingReportingOverflow(low)
        // Durations are added to instants: near the ends of the clock's range there is no room for them.
        let isFar = low < -(Int64.max / 2) || high > Int64.max / 2
        return !overflow && !isFar && span <= Self.longest.nanoseconds
    }
}
