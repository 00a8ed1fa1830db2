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
        for event in context.events {
            guard case .visible(let host, let key) = event.kind else { continue }
            if seen[key]?[host] == nil { seen[key, default: [:]][host] = event.interval }
        }
        guard !seen.isEmpty else {
            return .notApplicable("nobody looked when writes reach the other host")
        }
        let t0 = context.firstT0?.low
        let ledger = LedgerWrites(traces)
        var low = Duration.zero
        var high: Duration?
        for index in ledger.acknowledged {
            let write = ledger.writes[index]
            if let t0, write.completed >= t0 { break }
            guard let key = write.key, let hosts = seen[key] else { continue }
            for (host, interval) in hosts where host != write.host {
                low = max(low, interval.low - write.completed)
                high = max(high ?? .zero, interval.high - write.completed)
            }
        }
        guard let high else {
            return .unknown("no write was seen on the other host before the first fault")
        }
        return .measured(high.milliseconds, low: low.milliseconds, high: high.milliseconds)
    }
}
