import DrillCore

/// From acknowledged to first seen on another host, before anything was broken (in a soak: at all times).
enum ReplicationLag {
    /// The largest over the writes, as an interval.
    static func measure(_ context: TrialContext) -> Measure {
        let traces = context.ledgers
        guard !traces.isEmpty || context.scenario.workloads.contains(where: \.isLedger) else {
            return .notApplicable("writes are not verified by this workload")
        }
        var seen: [String: [HostName: InstantInterval]] = [:]
        var missed: [String: InstantInterval] = [:]
        for event in context.events {
            guard case .visible(let host, let key, let present) = event.kind else { continue }
            if !present {
                missed[key] = event.interval
            } else if seen[key]?[host] == nil {
                seen[key, default: [:]][host] = event.interval
            }
        }
        guard !seen.isEmpty || !missed.isEmpty else {
            return .notApplicable("nobody looked when writes reach the other host")
        }
        let t0 = context.firstT0?.low
        let ledger = LedgerWrites(traces)
        var low = Duration.zero
        var high: Duration?
        var longer: Duration?
        for index in ledger.acknowledged {
            let write = ledger.writes[index]
            if let t0, write.completed >= t0 { break }
            guard let key = write.key else { continue }
            if let interval = missed[key] {
                // Not there yet when it was last asked for, or at t0; given up before t0, it may have taken for ever.
                let waited = max(.zero, min(interval.low, t0 ?? interval.low) - write.completed)
                if t0.map({ interval.high <= $0 }) ?? true { longer = max(longer ?? .zero, waited) }
                low = max(low, waited)
            }
            guard let hosts = seen[key] else { continue }
            for (host, interval) in hosts where host != write.host {
                low = max(low, interval.low - write.completed)
                high = max(high ?? .zero, interval.high - write.completed)
            }
        }
        if let longer {
            return .censored(
                at: max(low, longer).milliseconds,
                reason: "a write was given up before it was seen on the other host")
        }
        guard let high = high.map({ max($0, low) }) else {
            return .unknown("no write was seen on the other host before the first fault")
        }
        return .measured(high.milliseconds, low: low.milliseconds, high: high.milliseconds)
    }
}
