import DrillCore

/// What one host was over a trial: when it claimed the primary role, and when it was dead, frozen or cut off.
struct RoleLane {
    struct Span {
        /// Milliseconds from the trial's first intended operation.
        var start: Double
        var end: Double

        func overlap(_ other: Span) -> Span? {
            let start = max(start, other.start)
            let end = min(end, other.end)
            return start < end ? Span(start: start, end: end) : nil
        }
    }

    struct State {
        var kind: HistoryEvent.ProvenState
        var step: StepID
        var effect: String?
        var span: Span
    }

    var host: HostName
    var claims: [Span] = []
    /// Claims of a host that nobody can reach: it holds the role, but serves nobody.
    var latent: [Span] = []
    var states: [State] = []
    var unobserved: [Span] = []

    /// Lanes for the hosts that play roles, or, where none do, for those that something was proven about.
    static func lanes(
        _ history: History, among: [HostName], origin: RunInstant, end: Double
    ) -> [RoleLane] {
        var hosts = among
        for event in history.events {
            switch event.kind {
            case .role(let seen): if !hosts.contains(seen.host) { hosts.append(seen.host) }
            case .proven(let host, _, _, _): if !hosts.contains(host) { hosts.append(host) }
            case .trial, .steady, .injected, .healBegun, .healed, .unobserved, .redundancy,
                .noticed,
                .switchover, .verify, .end, .step, .identity, .visible, .verified:
                break
            }
        }
        return hosts.map { lane($0, history.events, origin, end) }
    }

    private static func lane(
        _ host: HostName, _ events: [HistoryEvent], _ origin: RunInstant, _ end: Double
    ) -> RoleLane {
        func at(_ instant: RunInstant) -> Double { (instant - origin).milliseconds }
        var lane = RoleLane(host: host)
        lane.states = states(host, events, origin, end)
        var since: Double?
        func close(at instant: Double) {
            guard let start = since else { return }
            lane.add(claim: Span(start: start, end: max(instant, start)))
            since = nil
        }
        for event in events {
            switch event.kind {
            case .role(let seen) where seen.host == host:
                if seen.primary {
                    // Fresh evidence after a state's end begins a new claim.
                    let start = at(event.interval.low)
                    if let old = since,
                        lane.states.contains(where: { old < $0.span.end && $0.span.end <= start })
                    {
                        close(at: start)
                    }
                    if since == nil { since = start }
                } else {
                    close(at: at(event.interval.high))
                }
            case .unobserved(let blind) where blind == host:
                lane.unobserved.append(
                    Span(start: at(event.interval.low), end: at(event.interval.high)))
            case .role, .unobserved, .proven, .trial, .steady, .injected, .healBegun, .healed,
                .redundancy, .noticed, .switchover, .verify, .end, .step, .identity, .visible,
                .verified:
                break
            }
        }
        close(at: end)
        return lane
    }

    private static func states(
        _ host: HostName, _ events: [HistoryEvent], _ origin: RunInstant, _ end: Double
    ) -> [State] {
        func at(_ instant: RunInstant) -> Double { (instant - origin).milliseconds }
        var states: [State] = []
        for event in events {
            guard case .proven(host, let step, let kind, let effect) = event.kind,
                !states.contains(where: { $0.step == step && $0.kind == kind })
            else { continue }
            var start = at(event.interval.low)
            var stop = end
            for other in events {
                switch other.kind {
                case .injected(step, _, let target, _) where target == nil || target == host:
                    start = min(start, at(other.interval.low))
                case .healed(step, _, _): stop = at(other.interval.high)
                case .injected, .healed, .role, .unobserved, .proven, .trial, .steady, .healBegun,
                    .redundancy, .noticed, .switchover, .verify, .end, .step, .identity, .visible,
                    .verified:
                    break
                }
            }
            states.append(
                State(
                    kind: kind, step: step, effect: effect,
                    span: Span(start: start, end: max(start, stop))))
        }
        return states
    }

    /// A claim ends where the host is proven out of reach; what is left of it there is latent unless the host is dead.
    private mutating func add(claim: Span) {
        guard
            let state = states.filter({ $0.span.overlap(claim) != nil }).min(by: {
                $0.span.start < $1.span.start
            })
        else {
            claims.append(claim)
            return
        }
        if claim.start < state.span.start {
            claims.append(Span(start: claim.start, end: state.span.start))
        }
        if state.kind != .dead, let held = state.span.overlap(claim) { latent.append(held) }
    }

    /// Where two hosts claimed the role at once.
    static func overlaps(_ lanes: [RoleLane]) -> [Span] {
        var overlaps: [Span] = []
        for (index, lane) in lanes.enumerated() {
            for other in lanes.dropFirst(index + 1) {
                for claim in lane.claims {
                    overlaps += other.claims.compactMap { claim.overlap($0) }
                }
            }
        }
        return overlaps
    }
}
