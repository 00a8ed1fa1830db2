internal import DrillCore

/// Times in which nobody watched a host that could have acted as primary.
enum RoleBlindness {
    private struct Blind {
        var host: HostName
        var interval: InstantInterval
    }

    /// Why it cannot be said that no two hosts were primary; nil where all were watched.
    ///
    /// One poll may be missed; an address listener may be deaf for as long as a clean handover may take, since no
    /// more than that would be hidden.
    static func find(
        roles: Roles, exclusions: [RoleExclusion], events: [HistoryEvent], from: RunInstant?
    ) -> String? {
        var polls: [HostName: [RoleAnswer]] = [:]
        var blind: [Blind] = []
        var observed = false
        for event in events {
            switch event.kind {
            case .role(let observation):
                observed = true
                guard observation.source == .poll else { continue }
                polls[observation.host, default: []].append(
                    RoleAnswer(event.interval, observation))
            case .unobserved(let host): blind.append(Blind(host: host, interval: event.interval))
            case .trial, .steady, .injected, .healBegun, .healed, .proven, .redundancy, .noticed,
                .switchover, .verify, .end, .step, .identity, .visible, .verified:
                break
            }
        }
        guard observed else { return "no role was observed" }
        let every = roles.primary.every
        if let every {
            for host in roles.among.sorted() where polls[host] == nil {
                return "the role of \(host) was never observed"
            }
            blind += gaps(in: polls, among: roles.among, longerThan: every + every)
        }
        let terms = RoleTerms(polls, exclusions)
        let tolerance = every.map { $0 + $0 } ?? roles.handover
        for blind in blind.sorted(by: { $0.interval.low < $1.interval.low })
        where roles.among.contains(blind.host) {
            if terms.excuse(blind.host, blind.interval) { continue }
            let rest = longest(
                of: blind.interval, from: from,
                outside: exclusions.filter { $0.host == blind.host })
            if rest > tolerance {
                return "nobody watched the role of \(blind.host) for \(text(rest))"
            }
        }
        return nil
    }

    private static func gaps(
        in polls: [HostName: [RoleAnswer]], among: [HostName], longerThan limit: Duration
    ) -> [Blind] {
        let all = polls.values.joined()
        guard let last = all.map(\.interval.high).max(), let first = all.map(\.interval.high).min()
        else { return [] }
        return among.sorted().flatMap { host in
            let instants = [first] + (polls[host] ?? []).map(\.interval.high).sorted() + [last]
            return zip(instants, instants.dropFirst()).filter { $1 - $0 > limit }.map {
                Blind(host: host, interval: InstantInterval(low: $0, high: $1))
            }
        }
    }

    private static func text(_ duration: Duration) -> String {
        let tenths = (duration.milliseconds * 10).rounded() / 10
        return "\(tenths) ms"
    }

    /// The longest part of an interval that no exclusion covers.
    private static func longest(
        of interval: InstantInterval, from: RunInstant?, outside exclusions: [RoleExclusion]
    ) -> Duration {
        var low = from.map { max($0, interval.low) } ?? interval.low
        var longest = Duration.zero
        for exclusion in exclusions where exclusion.from.low < interval.high {
            longest = max(longest, exclusion.from.low - low)
            guard let again = exclusion.watchedAgain else { return max(.zero, longest) }
            low = max(low, again)
        }
        return max(.zero, longest, interval.high - low)
    }
}

/// What a protocol's terms say of a time without an answer: in each term one host leads at most, and a host's term never
/// falls (Raft, Ongaro and Ousterhout 2014, section 5.2).
private struct RoleTerms {
    private let polls: [HostName: [RoleAnswer]]
    private let exclusions: [RoleExclusion]
    private var leaders: [Int64: Set<HostName>] = [:]

    init(_ polls: [HostName: [RoleAnswer]], _ exclusions: [RoleExclusion]) {
        self.polls = polls.mapValues { $0.sorted { $0.interval.high < $1.interval.high } }
        self.exclusions = exclusions
        for (host, answers) in polls {
            for answer in answers where answer.primary {
                if let term = answer.term { leaders[term, default: []].insert(host) }
            }
        }
    }

    /// Whether the host cannot have led in between: it did not lead before, or was started anew, and every term that it
    /// may have stood in belongs to another host.
    func excuse(_ host: HostName, _ interval: InstantInterval) -> Bool {
        let answers = polls[host] ?? []
        // One that refuses names no term, and leads in none.
        guard
            let before = answers.last(where: { $0.interval.high <= interval.low && $0.term != nil }
            ),
            let after = answers.first(where: { $0.interval.high >= interval.high }),
            let first = before.term, let last = after.term, !after.primary, last - first < 1000
        else { return false }
        let isNew = before.bootID != nil && after.bootID != nil && before.bootID != after.bootID
        guard !before.primary || isNew else { return false }
        // The term that it was last seen in is over for a host that led in it and was started anew; and so are those before
        // a term that others had elected a leader in while it was dead.
        let own = max(
            before.primary ? first + 1 : first,
            elected(before: begin(host, interval), host) ?? first)
        // An answer names the term of what was applied last: nobody else may know of a later one either.
        let isLatest = polls.values.joined().allSatisfy {
            $0.interval.high > after.interval.high || $0.term ?? last <= last
        }
        return isLatest
            && stride(from: own, through: last, by: 1).allSatisfy { term in
                leaders[term].map { !$0.contains(host) } ?? false
            }
    }

    /// When it may have begun to act: a dead host does not before its heal.
    private func begin(_ host: HostName, _ interval: InstantInterval) -> RunInstant {
        let ends = exclusions.filter {
            $0.host == host && $0.state == .dead && $0.from.high >= interval.low
        }.compactMap(\.until).filter { $0 <= interval.high }
        return ends.max() ?? interval.low
    }

    /// The latest term that another host had been seen to lead in.
    private func elected(before instant: RunInstant, _ host: HostName) -> Int64? {
        polls.filter { $0.key != host }.values.joined().filter {
            $0.primary && $0.interval.high <= instant
        }.compactMap(\.term).max()
    }
}
