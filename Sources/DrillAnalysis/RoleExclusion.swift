package import DrillCore

/// A time in which a host is proven dead, frozen or cut from everybody: it cannot act as primary.
///
/// It begins at the t0 of the fault and ends when the fault's heal begins; from there on only fresh evidence makes a
/// claim. A fault that is not proven excludes nothing.
package struct RoleExclusion: Hashable, Sendable {
    package var host: HostName
    package var state: HistoryEvent.ProvenState
    package var from: InstantInterval
    /// Nil: to the end of the record.
    package var until: RunInstant?
    /// When the heal was read back; until then nobody is expected to watch the host.
    package var watchedAgain: RunInstant?

    package init(
        host: HostName, state: HistoryEvent.ProvenState, from: InstantInterval,
        until: RunInstant? = nil, watchedAgain: RunInstant? = nil
    ) {
        self.host = host
        self.state = state
        self.from = from
        self.until = until
        self.watchedAgain = watchedAgain
    }

    package func contains(_ instant: RunInstant) -> Bool {
        from.low < instant && (until.map { instant < $0 } ?? true)
    }

    /// In the order in which they begin.
    package static func collect(
        steps: [StepRecord], events: [HistoryEvent]
    ) -> [RoleExclusion] {
        var found: [RoleExclusion] = []
        for record in steps {
            // What a first look proved and a later one disproved is not proven.
            guard let t0 = record.t0, record.facts?.proof?.proven != false else { continue }
            var states = record.proven
            if let host = record.host, let state = record.nodeState, states[host] == nil,
                record.facts?.proof?.proven == true
            {
                states[host] = state
            }
            for (host, state) in states {
                let until =
                    record.heal ?? (record.step.end == .none ? back(host, after: t0, events) : nil)
                found.append(
                    RoleExclusion(
                        host: host, state: state, from: t0, until: until,
                        watchedAgain: until.map { max($0, record.healed?.high ?? $0) }))
            }
        }
        return found.sorted { ($0.from.low, $0.host) < ($1.from.low, $1.host) }
    }

    /// A host that comes back by itself is back with its first word after the fault.
    private static func back(
        _ host: HostName, after t0: InstantInterval, _ events: [HistoryEvent]
    ) -> RunInstant? {
        let words = events.compactMap { event -> RunInstant? in
            guard case .role(let observation) = event.kind, observation.host == host,
                event.interval.low > t0.high
            else { return nil }
            return event.interval.low
        }
        return words.min()
    }
}
