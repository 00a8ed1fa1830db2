package import DrillCore

/// A time in which one host held the primary role and could act on it.
package struct RoleClaim: Hashable, Sendable {
    package enum Beginning: Hashable, Sendable {
        case acquired
        /// It held the role before it was frozen or cut off and still does: no acquisition.
        case resumed
    }

    package enum Ending: Hashable, Sendable {
        case gaveUp(InstantInterval)
        /// By a fault that is proven.
        case cut(InstantInterval)
        /// Nobody watched from then on. The next evidence, at `until`, says whether it was given up; nil without any.
        case unwatched(until: RunInstant?, gaveUp: Bool)
        /// Nothing says that it ended; what was seen last ends it for certain only there (polls).
        case open(lastSeen: RunInstant?)
    }

    package var host: HostName
    package var beginning: Beginning
    /// The acquisition, or the evidence that resumed it.
    package var began: InstantInterval
    package var ending: Ending
    /// Where the host surely held the role; nil where two looks do not show it.
    package var sure: InstantInterval?
    /// Where it may have held it.
    package var possible: InstantInterval

    /// By the order in which the evidence arrived.
    package func isHeld(at instant: RunInstant) -> Bool {
        guard began.high <= instant else { return false }
        switch ending {
        case .gaveUp(let interval): return instant < interval.high
        case .cut(let t0): return instant <= t0.low
        case .unwatched(let until, _): return until.map { instant < $0 } ?? true
        case .open: return true
        }
    }
}

/// Turns role events into claims.
package struct RoleClaims: Sendable {
    package var claims: [RoleClaim]
    /// A holder was frozen or cut off: it held the role and could not act on it.
    package var latent: Bool

    /// - Parameter every: how often a polled host is asked. Two answers further apart than one missed poll leave open
    ///   what was between them.
    package static func collect(
        events: [HistoryEvent], exclusions: [RoleExclusion], recordEnd: RunInstant,
        every: Duration? = nil
    ) -> RoleClaims {
        var addresses: [HostName: [RoleAnswer]] = [:]
        var polls: [HostName: [RoleAnswer]] = [:]
        for event in events {
            guard case .role(let observation) = event.kind else { continue }
            let answer = RoleAnswer(event.interval, observation)
            switch observation.source {
            case .address: addresses[observation.host, default: []].append(answer)
            case .poll: polls[observation.host, default: []].append(answer)
            }
        }
        // What was known of a polled host when the record began counts as one more answer.
        for host in polls.keys {
            polls[host, default: []] += addresses.removeValue(forKey: host) ?? []
        }
        var found = RoleClaims(claims: [], latent: false)
        func deaf(_ host: HostName) -> [InstantInterval] {
            events.compactMap { $0.kind == .unobserved(host: host) ? $0.interval : nil }
        }
        for (host, answers) in addresses {
            var reader = AddressClaims(
                host: host, exclusions: exclusions.filter { $0.host == host },
                deaf: deaf(host), recordEnd: recordEnd)
            reader.read(answers)
            found.claims += reader.claims
            found.latent = found.latent || reader.latent
        }
        for (host, answers) in polls {
            var reader = PolledClaims(
                host: host, exclusions: exclusions.filter { $0.host == host },
                deaf: deaf(host), longestGap: every.map { $0 + $0 })
            reader.read(answers)
            found.claims += reader.claims
            found.latent = found.latent || reader.latent
        }
        found.claims.sort { ($0.began.high, $0.host) < ($1.began.high, $1.host) }
        return found
    }

    package func holders(at instant: RunInstant) -> Set<HostName> {
        Set(claims.filter { $0.isHeld(at: instant) }.map(\.host))
    }

    /// The one host that holds the role; nil where none or several do.
    package func holder(at instant: RunInstant) -> HostName? {
        let holders = holders(at: instant)
        return holders.count == 1 ? holders.first : nil
    }
}

/// One look at a host's role, from either source.
struct RoleAnswer: Hashable, Sendable {
    var interval: InstantInterval
    var primary: Bool
    var epoch: String?
    var bootID: String?
    var term: Int64?

    init(_ interval: InstantInterval, _ observation: HistoryEvent.RoleObservation) {
        self.interval = InstantInterval(
            low: observation.asked ?? interval.low, high: observation.answered ?? interval.high)
        primary = observation.primary
        epoch = observation.epoch
        bootID = observation.bootID
        term = observation.term
    }

    /// Whether nothing can have happened to the role between two primary answers. Where neither names an epoch or a
    /// boot there is nothing to doubt it by.
    func continues(_ earlier: RoleAnswer) -> Bool {
        if let epoch, let before = earlier.epoch { return epoch == before }
        if let bootID, let before = earlier.bootID { return bootID == before }
        return epoch == nil && bootID == nil && earlier.epoch == nil && earlier.bootID == nil
    }
}

/// Address events: each one says that the role came or went, stamped [the listener's previous wake, this wake].
private struct AddressClaims {
    let host: HostName
    let exclusions: [RoleExclusion]
    /// When nobody listened: what the host held before is sure again only by evidence from then on.
    let deaf: [InstantInterval]
    let recordEnd: RunInstant
    var claims: [RoleClaim] = []
    /// The claim that such a time left open; the next evidence bounds how long it may have gone on.
    private var doubtful: Int?
    var latent = false
    private var open:
        (beginning: RoleClaim.Beginning, began: InstantInterval, possible: RunInstant)?
    /// What the host itself believes, able to act or not.
    private var holds = false

    init(
        host: HostName, exclusions: [RoleExclusion], deaf: [InstantInterval], recordEnd: RunInstant
    ) {
        self.host = host
        self.exclusions = exclusions
        self.deaf = deaf.sorted { $0.low < $1.low }
        self.recordEnd = recordEnd
    }

    mutating func read(_ answers: [RoleAnswer]) {
        let answers = answers.sorted {
            ($0.interval.high, $0.interval.low) < ($1.interval.high, $1.interval.low)
        }
        var next = 0
        var nextDeaf = 0
        for answer in answers {
            while next < exclusions.count, exclusions[next].from.low < answer.interval.high {
                doubt(before: exclusions[next].from.low, &nextDeaf)
                exclude(exclusions[next])
                next += 1
            }
            doubt(before: answer.interval.high, &nextDeaf)
            take(answer)
        }
        for exclusion in exclusions[next...] {
            doubt(before: exclusion.from.low, &nextDeaf)
            exclude(exclusion)
        }
        doubt(before: recordEnd, &nextDeaf)
        if let open {
            close(open, .open(lastSeen: nil), sureEnd: recordEnd, possibleEnd: recordEnd)
        }
        open = nil
    }

    /// Ends the sure part of a claim where a deaf time began. The host still holds the role as far as is known.
    private mutating func doubt(before instant: RunInstant, _ next: inout Int) {
        while next < deaf.count, deaf[next].low < instant {
            if let open {
                close(
                    open, .unwatched(until: nil, gaveUp: false), sureEnd: deaf[next].low,
                    possibleEnd: recordEnd)
                doubtful = claims.count - 1
            }
            open = nil
            next += 1
        }
    }

    private mutating func settle(at instant: RunInstant, gaveUp: Bool) {
        guard let index = doubtful else { return }
        claims[index].ending = .unwatched(until: instant, gaveUp: gaveUp)
        claims[index].possible.high = max(claims[index].possible.low, instant)
        doubtful = nil
    }

    private mutating func exclude(_ exclusion: RoleExclusion) {
        settle(at: exclusion.from.high, gaveUp: true)
        if let open {
            close(
                open, .cut(exclusion.from), sureEnd: exclusion.from.low,
                possibleEnd: exclusion.from.high)
        }
        open = nil
        switch exclusion.state {
        case .dead: holds = false
        case .silent, .frozen, .isolated: if holds { latent = true }
        }
    }

    private mutating func take(_ answer: RoleAnswer) {
        settle(at: answer.interval.high, gaveUp: !answer.primary)
        if let exclusion = exclusions.last(where: { $0.contains(answer.interval.high) }) {
            switch exclusion.state {
            case .dead: break
            case .silent, .frozen, .isolated:
                holds = answer.primary
                if answer.primary { latent = true }
            }
            return
        }
        guard answer.primary else {
            if let open {
                close(
                    open, .gaveUp(answer.interval), sureEnd: answer.interval.low,
                    possibleEnd: answer.interval.high)
            }
            open = nil
            holds = false
            return
        }
        guard open == nil else { return }
        // The heal bounds when a host that was cut off could act again.
        let healed = exclusions.last { $0.until.map { $0 <= answer.interval.high } ?? false }?.until
        let resumed = holds
        let earliest = healed.map { resumed ? $0 : max($0, answer.interval.low) }
        open = (
            resumed ? .resumed : .acquired, answer.interval,
            min(answer.interval.high, earliest ?? answer.interval.low)
        )
        holds = true
    }

    private mutating func close(
        _ open: (beginning: RoleClaim.Beginning, began: InstantInterval, possible: RunInstant),
        _ ending: RoleClaim.Ending, sureEnd: RunInstant, possibleEnd: RunInstant
    ) {
        claims.append(
            RoleClaim(
                host: host, beginning: open.beginning, began: open.began, ending: ending,
                sure: open.began.high < sureEnd
                    ? InstantInterval(low: open.began.high, high: sureEnd) : nil,
                possible: InstantInterval(low: open.possible, high: max(open.possible, possibleEnd))
            ))
    }
}

/// Polls: each answer says who held the role at some instant between question and answer; a claim holds only
/// between two consecutive primary answers that belong together.
private struct PolledClaims {
    let host: HostName
    let exclusions: [RoleExclusion]
    /// When nobody asked: no claim holds across it.
    let deaf: [InstantInterval]
    let longestGap: Duration?
    var claims: [RoleClaim] = []
    var latent = false

    init(
        host: HostName, exclusions: [RoleExclusion], deaf: [InstantInterval],
        longestGap: Duration?
    ) {
        self.host = host
        self.exclusions = exclusions
        self.deaf = deaf
        self.longestGap = longestGap
    }

    mutating func read(_ unordered: [RoleAnswer]) {
        let answers = unordered.sorted {
            ($0.interval.low, $0.interval.high) < ($1.interval.low, $1.interval.high)
        }
        var run: [RoleAnswer] = []
        var before: RoleAnswer?
        var heldBefore = false
        for answer in answers {
            if let exclusion = exclusions.last(where: { $0.contains(answer.interval.high) }) {
                if !run.isEmpty { finish(run, after: before, heldBefore, .cut(exclusion.from)) }
                heldBefore =
                    (heldBefore || !run.isEmpty || answer.primary) && exclusion.state != .dead
                if answer.primary, exclusion.state != .dead { latent = true }
                run = []
                before = nil
                continue
            }
            if let last = run.last, let cut = cut(between: last, answer) {
                finish(run, after: before, heldBefore, .cut(cut.from))
                heldBefore = cut.state != .dead
                if heldBefore { latent = true }
                run = []
                before = nil
            }
            if let last = run.last, wasUnwatched(between: last, answer) {
                let until = answer.interval.high
                finish(
                    run, after: before, heldBefore,
                    .unwatched(until: until, gaveUp: !answer.primary))
                heldBefore = true
                run = []
                before = nil
            }
            if answer.primary {
                if let last = run.last, !answer.continues(last) {
                    let changed = InstantInterval(
                        low: last.interval.low, high: answer.interval.high)
                    finish(run, after: before, heldBefore, .gaveUp(changed))
                    before = last
                    heldBefore = false
                    run = []
                }
                run.append(answer)
            } else {
                if let last = run.last {
                    finish(
                        run, after: before, heldBefore,
                        .gaveUp(InstantInterval(low: last.interval.low, high: answer.interval.high))
                    )
                }
                run = []
                heldBefore = false
                before = answer
            }
        }
        guard let last = run.last else { return }
        if let cut = exclusions.first(where: { $0.from.low >= last.interval.high }) {
            if cut.state != .dead { latent = true }
            finish(run, after: before, heldBefore, .cut(cut.from))
        } else {
            finish(run, after: before, heldBefore, .open(lastSeen: last.interval.high))
        }
    }

    private func wasUnwatched(between earlier: RoleAnswer, _ later: RoleAnswer) -> Bool {
        if let longestGap, later.interval.high - earlier.interval.high > longestGap { return true }
        return deaf.contains {
            $0.low < later.interval.low && $0.high > earlier.interval.high
        }
    }

    private func cut(between earlier: RoleAnswer, _ later: RoleAnswer) -> RoleExclusion? {
        exclusions.first { exclusion in
            exclusion.from.low >= earlier.interval.low && exclusion.from.low < later.interval.high
        }
    }

    private mutating func finish(
        _ run: [RoleAnswer], after before: RoleAnswer?, _ resumed: Bool,
        _ ending: RoleClaim.Ending
    ) {
        guard let first = run.first, let last = run.last else { return }
        let began = InstantInterval(
            low: before?.interval.low ?? first.interval.low, high: first.interval.high)
        let possibleEnd: RunInstant
        switch ending {
        case .gaveUp(let interval), .cut(let interval): possibleEnd = interval.high
        case .unwatched(let until, _): possibleEnd = until ?? last.interval.high
        case .open: possibleEnd = last.interval.high
        }
        claims.append(
            RoleClaim(
                host: host, beginning: resumed ? .resumed : .acquired, began: began,
                ending: ending,
                sure: first.interval.high < last.interval.low
                    ? InstantInterval(low: first.interval.high, high: last.interval.low) : nil,
                possible: InstantInterval(low: began.low, high: max(began.low, possibleEnd))))
    }
}
