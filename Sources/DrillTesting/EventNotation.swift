package import DrillCore

/// Events of a history in milliseconds from its first intended operation.
extension HistoryEvent {
    package static func injected(
        _ step: StepID = "kill", _ fault: String = "node.kill", host: HostName? = nil,
        role: Role? = nil, at low: Double, to high: Double? = nil
    ) -> HistoryEvent {
        HistoryEvent(
            span(low, high), .injected(step: step, fault: fault, host: host, role: role))
    }

    package static func healBegun(_ step: StepID = "kill", at low: Double) -> HistoryEvent {
        HistoryEvent(span(low, nil), .healBegun(step: step))
    }

    package static func healed(
        _ step: StepID = "kill", by: HealedBy = .plan, _ verdict: HealVerdict = .restored,
        at low: Double
    ) -> HistoryEvent {
        HistoryEvent(span(low, nil), .healed(step: step, by: by, verdict: verdict))
    }

    /// An address event: the role came or went between two wakes of the listener.
    package static func role(
        _ host: HostName, _ primary: Bool, at low: Double, to high: Double? = nil,
        bootID: String? = nil
    ) -> HistoryEvent {
        HistoryEvent(
            span(low, high),
            .role(.init(host: host, primary: primary, source: .address, bootID: bootID)))
    }

    package static func poll(
        _ host: HostName, _ primary: Bool, asked: Double, answered: Double, epoch: String? = nil,
        bootID: String? = nil
    ) -> HistoryEvent {
        let interval = span(asked, answered)
        return HistoryEvent(
            interval,
            .role(
                .init(
                    host: host, primary: primary, source: .poll, epoch: epoch, bootID: bootID,
                    asked: interval.low, answered: interval.high)))
    }

    package static func proven(
        _ host: HostName, _ state: ProvenState, _ step: StepID = "kill", at low: Double
    ) -> HistoryEvent {
        HistoryEvent(
            span(low, nil), .proven(host: host, step: step, state: state, effect: nil))
    }

    package static func unobserved(
        _ host: HostName, at low: Double, to high: Double
    ) -> HistoryEvent {
        HistoryEvent(span(low, high), .unobserved(host: host))
    }

    package static func redundancy(
        _ value: Bool, at low: Double, bootID: String? = nil
    ) -> HistoryEvent {
        HistoryEvent(span(low, nil), .redundancy(value: value, bootID: bootID))
    }

    package static func end(_ reason: String = "complete", at low: Double) -> HistoryEvent {
        HistoryEvent(span(low, nil), .end(reason: reason))
    }

    package static func span(_ low: Double, _ high: Double?) -> InstantInterval {
        func instant(_ milliseconds: Double) -> RunInstant {
            RunInstant(nanoseconds: Int64((milliseconds * 1e6).rounded()))
        }
        return InstantInterval(low: instant(low), high: instant(high ?? low))
    }

    /// The same, later by a duration on the run's clock.
    package func shifted(by duration: Duration) -> HistoryEvent {
        var shifted = self
        shifted.interval.low = interval.low + duration
        shifted.interval.high = interval.high + duration
        if case .role(var observation) = kind {
            observation.asked = observation.asked.map { $0 + duration }
            observation.answered = observation.answered.map { $0 + duration }
            shifted.kind = .role(observation)
        }
        return shifted
    }
}

extension ClientOperation {
    package func shifted(by duration: Duration) -> ClientOperation {
        ClientOperation(
            intended: intended + duration, dispatched: dispatched + duration,
            sent: sent.map { $0 + duration }, completed: completed.map { $0 + duration },
            outcome: outcome, key: key, value: value, host: host)
    }
}

extension History {
    package func shifted(by duration: Duration) -> History {
        History(
            streams: streams.map { stream in
                OperationStream(
                    name: stream.name,
                    operations: stream.operations.map { $0.shifted(by: duration) })
            },
            events: events.map { $0.shifted(by: duration) })
    }
}
