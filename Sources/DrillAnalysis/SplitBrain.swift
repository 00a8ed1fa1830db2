package import DrillCore

/// Two hosts that held the primary role at once and could act on it (docs/MEASUREMENT.md, "Who is primary, and split brain").
package enum SplitBrain {
    /// - Parameter from: the end of the steady state where the history says it; before it the system is only
    ///   coming up.
    package static func find(
        claims: RoleClaims, roles: Roles?, exclusions: [RoleExclusion], events: [HistoryEvent],
        service: DualService = .unnamed, from: RunInstant?
    ) -> SplitBrainReport {
        guard let roles else {
            return SplitBrainReport(
                seen: nil, dualClaim: nil, dualService: nil, latentClaim: false,
                handoverOverlap: nil, atLeast: nil, atMost: nil, reason: "the system has no roles")
        }
        var sure: [InstantInterval] = []
        var possible: [InstantInterval] = []
        var handover: Duration?
        var undecided = false
        for (index, first) in claims.claims.enumerated() {
            for second in claims.claims[(index + 1)...] where second.host != first.host {
                guard let overlap = overlap(first, second, from: from) else { continue }
                let atLeast = overlap.sure.map(length) ?? .zero
                if isHandover(from: first, to: second), atLeast <= roles.handover {
                    if length(overlap.possible) > roles.handover, atLeast > .zero {
                        undecided = true
                    }
                    handover = max(handover ?? .zero, nominal(first, second))
                    continue
                }
                possible.append(overlap.possible)
                if let interval = overlap.sure { sure.append(interval) }
            }
        }
        var claimed: Bool? = total(sure) > .zero
        var reason: String?
        if claimed == false {
            let blind = RoleBlindness.find(
                roles: roles, exclusions: exclusions, events: events, from: from)
            if let blind {
                claimed = nil
                reason = blind
            } else if undecided {
                claimed = nil
                reason =
                    "the hosts' stamps do not decide whether both held the role for longer than \(roles.handover.spelled)"
            }
        }
        var seen = service.seen == true ? true : claimed
        if seen == false, service.isUndecided {
            seen = nil
            reason = service.reason
        }
        return SplitBrainReport(
            seen: seen, dualClaim: claimed, dualService: service.seen, latentClaim: claims.latent,
            handoverOverlap: handover.map(\.milliseconds),
            atLeast: total(sure + service.sure).milliseconds,
            atMost: total(possible + service.possible).milliseconds,
            reason: seen == true ? nil : reason)
    }

    private static func overlap(
        _ first: RoleClaim, _ second: RoleClaim, from: RunInstant?
    ) -> (sure: InstantInterval?, possible: InstantInterval)? {
        func cut(_ left: InstantInterval, _ right: InstantInterval) -> InstantInterval? {
            var low = max(left.low, right.low)
            if let from { low = max(low, from) }
            let high = min(left.high, right.high)
            return low < high ? InstantInterval(low: low, high: high) : nil
        }
        guard let possible = cut(first.possible, second.possible) else { return nil }
        guard let left = first.sure, let right = second.sure else { return (nil, possible) }
        return (cut(left, right), possible)
    }

    /// The one that acquired it later keeps it, the other gives it up. Claims come in the order of their beginnings.
    private static func isHandover(from old: RoleClaim, to new: RoleClaim) -> Bool {
        guard new.beginning == .acquired, case .gaveUp(let given) = old.ending else { return false }
        switch new.ending {
        case .gaveUp(let end), .cut(let end): return given.high <= end.high
        case .unwatched, .open: return true
        }
    }

    /// The overlap by the instants at which the evidence arrived.
    private static func nominal(_ old: RoleClaim, _ new: RoleClaim) -> Duration {
        guard case .gaveUp(let given) = old.ending else { return .zero }
        return max(.zero, given.high - new.began.high)
    }

    private static func length(_ interval: InstantInterval) -> Duration {
        interval.high - interval.low
    }

    /// The length of the union.
    private static func total(_ intervals: [InstantInterval]) -> Duration {
        var sum = Duration.zero
        var covered: RunInstant?
        for interval in intervals.sorted(by: { $0.low < $1.low }) {
            let low = covered.map { max($0, interval.low) } ?? interval.low
            if interval.high > low { sum += interval.high - low }
            covered = covered.map { max($0, interval.high) } ?? interval.high
        }
        return sum
    }
}
