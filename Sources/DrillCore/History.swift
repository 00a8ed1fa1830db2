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

    package init(streams: [OperationStream] = [], events: [HistoryEvent] = []) {
        self.streams = streams
        self.events = events
    }
}
