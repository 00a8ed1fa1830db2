package import DrillCore

/// The writes of a trial's ledgers, one for each key.
package struct LedgerWrites: Sendable {
    package enum State: Int, Hashable, Sendable { case failed, indeterminate, acknowledged }

    package struct Write: Hashable, Sendable {
        /// Nil in a history that does not say: such a write cannot be read back.
        package var key: String?
        package var state: State
        package var sent: RunInstant
        package var completed: RunInstant
        package var host: HostName?
    }

    package let writes: [Write]
    package let places: [String: Int]
    /// Indices of the acknowledged ones in the order of their completion.
    package let acknowledged: [Int]
    /// When the first one was due; nil without any.
    package let start: RunInstant?
    /// The smallest period of the streams.
    package let period: Duration
    /// Of all that were sent, in order: also those that nobody answered.
    let offered: [RunInstant]

    /// - Parameter traces: the streams of ledgers. A key that was written twice is one write: what was promised first
    ///   counts, an acknowledgement over anything else.
    package init(_ traces: [StreamTrace]) {
        var writes: [Write] = []
        var places: [String: Int] = [:]
        var offered: [RunInstant] = []
        for operation in traces.lazy.flatMap(\.operations) {
            let state: State
            switch operation.outcome {
            case .ok: state = .acknowledged
            case .indeterminate: state = .indeterminate
            case .failed: state = .failed
            case .unsentConnection, .unsentGenerator: continue
            }
            let sent = operation.sent ?? operation.dispatched
            offered.append(sent)
            let write = Write(
                key: operation.key, state: state, sent: sent,
                completed: operation.completed ?? sent, host: operation.host)
            guard let key = operation.key, let place = places[key] else {
                if let key = operation.key { places[key] = writes.count }
                writes.append(write)
                continue
            }
            let known = writes[place]
            let order = (-write.state.rawValue, write.completed)
            if order < (-known.state.rawValue, known.completed) { writes[place] = write }
        }
        self.writes = writes
        self.places = places
        self.offered = offered.sorted()
        start = traces.compactMap { $0.operations.first?.intended }.min()
        period = traces.map(\.period).min() ?? .zero
        acknowledged = writes.indices.filter { writes[$0].state == .acknowledged }
            .sorted { left, right in
                let (first, second) = (writes[left], writes[right])
                return (first.completed, first.sent, first.key ?? "")
                    < (second.completed, second.sent, second.key ?? "")
            }
    }

    /// Whether a write was sent in (from, to].
    func wasOffered(after from: RunInstant, upTo to: RunInstant) -> Bool {
        var low = 0
        var high = offered.count
        while low < high {
            let middle = (low + high) / 2
            if offered[middle] <= from { low = middle + 1 } else { high = middle }
        }
        return low < offered.count && offered[low] <= to
    }
}
