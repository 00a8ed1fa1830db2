package import DrillCore

extension Trace {
    /// The trace as a ledger's writes with the keys `k0`, `k1`, …: a time-out leaves one indeterminate, what `fails` was
    /// refused.
    ///
    /// - Parameter host: who answers a write that is due at an instant, in milliseconds; nil: nobody says.
    package func writes(by host: (Double) -> HostName? = { _ in nil }) -> [ClientOperation] {
        operations().enumerated().map { index, operation in
            var write = operation
            write.key = "k\(index)"
            let due = Double(operation.intended.nanoseconds) / 1e6
            if write.outcome == .ok { write.host = host(due) }
            if write.outcome == .failed, write.completed == write.intended + timeout {
                write.outcome = .indeterminate
            }
            return write
        }
    }
}

extension [ClientOperation] {
    /// One answer to reading back each of these writes that was sent.
    ///
    /// - Parameter present: of a write, due at an instant in milliseconds; nil: it was not read.
    package func readBack(
        sweep: Int, on host: HostName, at low: Double, _ present: (Double) -> Bool?
    ) -> [HistoryEvent] {
        filter { !$0.outcome.isUnsent }.compactMap { operation in
            guard let key = operation.key,
                let found = present(Double(operation.intended.nanoseconds) / 1e6)
            else { return nil }
            return .verify(sweep, on: host, key, found, at: low)
        }
    }
}

extension HistoryEvent {
    package static func verify(
        _ sweep: Int, on host: HostName, _ key: String, _ present: Bool, at low: Double
    ) -> HistoryEvent {
        HistoryEvent(
            span(low, nil), .verify(sweep: sweep, host: host, key: key, present: present))
    }

    package static func verified(
        _ sweep: Int, on host: HostName, failure: String? = nil, at low: Double
    ) -> HistoryEvent {
        HistoryEvent(
            span(low, nil),
            .verified(
                VerifyFacts(
                    sweep: sweep, host: host, readLevel: "primary", sweeps: 2, failure: failure)))
    }

    package static func visible(
        _ host: HostName, _ key: String, at low: Double, to high: Double? = nil,
        present: Bool = true
    ) -> HistoryEvent {
        HistoryEvent(span(low, high), .visible(host: host, key: key, present: present))
    }

    package static func identity(_ host: HostName, _ id: String, at low: Double) -> HistoryEvent {
        HistoryEvent(span(low, nil), .identity(host: host, id: id))
    }

    package static func switchover(
        _ step: StepID = "back", from: HostName? = nil, to: HostName? = nil, at low: Double
    ) -> HistoryEvent {
        HistoryEvent(span(low, nil), .switchover(step: step, from: from, to: to))
    }
}
