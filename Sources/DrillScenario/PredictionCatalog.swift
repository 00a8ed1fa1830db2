import DrillCore

/// A formula for the RTO of losing one host; one entry in the catalog each.
struct PredictionFormula: Sendable {
    var name: String
    var summary: String
    var source: String
    /// Keys that are durations, and keys that name a host's variable.
    var durations: [String]
    var hostVariables: [String]
    /// In milliseconds, for one surviving host; nil where an argument makes no sense.
    var range:
        @Sendable (_ durations: [String: Duration], _ variables: [String: Double]) -> ClosedRange<
            Double
        >?
}

enum PredictionCatalog {
    static let all: [PredictionFormula] = [
        vrrp, vrrpPromotion, twin, sentinel, etcd, pgAutoFailover, patroni,
    ]

    static var keys: [Key] {
        listed(\.durations).map { key, formulas in Key(key, .duration, "of \(formulas)") }
            + listed(\.hostVariables).map { key, formulas in
                Key(key, .text, "of \(formulas): a variable's name")
            }
    }

    /// Formulas may share a key: it is listed once, with all of them.
    private static func listed(
        _ keys: KeyPath<PredictionFormula, [String]>
    ) -> [(key: String, formulas: String)] {
        var names: [String: [String]] = [:]
        for formula in all {
            for key in formula[keyPath: keys] { names[key, default: []].append(formula.name) }
        }
        return all.flatMap { $0[keyPath: keys] }.compactMap { key in
            names.removeValue(forKey: key).map {
                (key, "formula\($0.count > 1 ? "s" : "") \($0.joined(separator: ", "))")
            }
        }
    }

    /// RFC 5798, section 6.1: Skew_Time = (256 − priority) / 256 × advert and
    /// Master_Down_Interval = 3 × advert + Skew_Time, counted from the last advertisement. A silent death at
    /// a uniformly random phase comes up to one advertisement interval after it, so that the outage lies in
    /// [Master_Down_Interval − advert, Master_Down_Interval].
    static let vrrp = PredictionFormula(
        name: "vrrp", summary: "a VRRP backup takes over after a silent death", source: "RFC 5798",
        durations: ["advert"], hostVariables: ["priority"]
    ) { durations, variables in takeover(durations, variables) }

    private static func takeover(
        _ durations: [String: Duration], _ variables: [String: Double]
    ) -> ClosedRange<Double>? {
        guard let advert = durations["advert"]?.milliseconds, let priority = variables["priority"],
            advert > 0, (1...255).contains(priority), priority == priority.rounded()
        else { return nil }
        let masterDown = 3 * advert + (256 - priority) / 256 * advert
        return (masterDown - advert)...masterDown
    }

    /// The same, and then a notify script makes the host what it has to be, which takes up to `promotion`.
    static let vrrpPromotion = PredictionFormula(
        name: "vrrp_promotion",
        summary: "a VRRP backup takes over after a silent death, and is promoted",
        source: "RFC 5798, and the promotion", durations: ["advert", "promotion"],
        hostVariables: ["priority"]
    ) { durations, variables in
        guard let promotion = durations["promotion"]?.milliseconds,
            let range = takeover(durations, variables)
        else { return nil }
        return range.lowerBound...(range.upperBound + promotion)
    }

    /// The standby misses a primary `detect` after it last heard it, which is up to one heartbeat before the death; the
    /// witness, which has heard it as late, lets at most another heartbeat pass until it votes (docs/SIMULATION.md: of the
    /// machines alone, at most 36.8 ms with heartbeat 10 ms and detect 35 ms). The address, its announcement and the first
    /// answer of a busy machine get 15 ms.
    static let twin = PredictionFormula(
        name: "twin", summary: "the reference pair's standby takes over after a silent death",
        source: "twin's heartbeats", durations: ["heartbeat", "detect"], hostVariables: []
    ) { durations, _ in
        guard let heartbeat = durations["heartbeat"]?.milliseconds,
            let detect = durations["detect"]?.milliseconds, detect >= 2 * heartbeat
        else { return nil }
        return (detect - heartbeat)...(detect + heartbeat + 15)
    }

    /// A Sentinel believes that a host is down `down_after` after the first ping that it left unanswered; pings leave once
    /// a second, or once in `down_after`, whichever is sooner. The others are asked, the election is begun within, and the promotion is seen
    /// by INFO, at most a second each (redis.io, "High availability with Redis Sentinel"; sentinel.c: SENTINEL_PING_PERIOD,
    /// SENTINEL_ASK_PERIOD, SENTINEL_MAX_DESYNC, INFO once a second while a failover is on).
    static let sentinel = PredictionFormula(
        name: "sentinel", summary: "Sentinels promote a replica after a silent death",
        source: "Sentinel's periods", durations: ["down_after"], hostVariables: []
    ) { durations, _ in
        guard let downAfter = durations["down_after"]?.milliseconds, downAfter > 0 else {
            return nil
        }
        return downAfter...(downAfter + min(downAfter, 1000) + 3000)
    }

    /// A follower waits for a random time in [election, 2 × election) since the last heartbeat (etcd.io, "Tuning", Election
    /// Timeout; go.etcd.io/raft, resetRandomizedElectionTimeout), which came up to one heartbeat before the death. Votes
    /// and the new leader's first entry get two heartbeats. A split vote, rare with two followers, takes another turn.
    static let etcd = PredictionFormula(
        name: "etcd", summary: "etcd elects a leader after the last one died silently",
        source: "etcd's election timeout", durations: ["heartbeat", "election"], hostVariables: []
    ) { durations, _ in
        guard let heartbeat = durations["heartbeat"]?.milliseconds,
            let election = durations["election"]?.milliseconds, election > heartbeat
        else { return nil }
        return (election - heartbeat)...(2 * election + 2 * heartbeat)
    }

    /// A host is unhealthy when it has not reported for `unhealthy_after` (its keeper reports every second) and the
    /// monitor's own questions failed: one every `health_period`, each given `health_timeout`, asked again `retries` times
    /// after `health_retry_delay`. Then the old primary is given `demote_timeout`, and before and after that the standby's
    /// keeper has to report, each within a second; promotion and the first answer get half a second
    /// (pg-auto-failover.readthedocs.io, "Configuring pg_auto_failover": pgautofailover.* settings).
    static let pgAutoFailover = PredictionFormula(
        name: "pg_auto_failover", summary: "the monitor promotes the standby after a silent death",
        source: "pg_auto_failover's timers",
        durations: [
            "unhealthy_after", "health_period", "health_timeout", "health_retry_delay",
            "demote_timeout",
        ], hostVariables: ["retries"]
    ) { durations, variables in
        let keeper = 1000.0
        guard let unhealthy = durations["unhealthy_after"]?.milliseconds,
            let period = durations["health_period"]?.milliseconds,
            let timeout = durations["health_timeout"]?.milliseconds,
            let delay = durations["health_retry_delay"]?.milliseconds,
            let demote = durations["demote_timeout"]?.milliseconds,
            let retries = variables["retries"], retries >= 0, retries == retries.rounded()
        else { return nil }
        // The first question may have been under way when the host died.
        let soonest = max(unhealthy - keeper, retries * (timeout + delay))
        let latest = max(unhealthy, period + (retries + 1) * timeout + retries * delay)
        return (soonest + demote)...(latest + demote + 2 * keeper + 500)
    }

    /// The leader key was renewed up to `loop_wait` before the death and lives for `ttl`; a standby looks at most a
    /// `loop_wait` later, and takes the key and promotes itself within 2 s (patroni.readthedocs.io, "Dynamic configuration
    /// settings": ttl, loop_wait). Where etcd's leader died with it, its members elect another within twice `election`, and
    /// the new leader extends every lease to its whole ttl and an election time (etcd's lessor.Promote).
    /// retry_timeout bounds a leader that lives and does not reach etcd:
    /// this one is dead.
    static let patroni = PredictionFormula(
        name: "patroni", summary: "Patroni promotes a standby after a silent death",
        source: "Patroni's ttl and loop_wait", durations: ["ttl", "loop_wait", "election"],
        hostVariables: []
    ) { durations, _ in
        guard let ttl = durations["ttl"]?.milliseconds,
            let loop = durations["loop_wait"]?.milliseconds,
            let election = durations["election"]?.milliseconds, ttl > loop
        else { return nil }
        return (ttl - loop)...(3 * election + ttl + loop + 2000)
    }
}
