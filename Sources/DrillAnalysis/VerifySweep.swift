package import DrillCore

/// What reading all keys back once found, host by host (docs/MEASUREMENT.md, "Acknowledged writes").
package struct VerifySweep: Sendable {
    package enum Answer: UInt8, Hashable, Sendable {
        case unread, missing, present
        /// Hosts differ, and none of them speaks for the system.
        case undecided
    }

    /// 1: before the heal, from the new primary. 2: at the end.
    package var number: Int
    /// By host, and then by write.
    package var answers: [HostName: [Answer]]
    /// From the first question to the last answer.
    package var interval: InstantInterval
    package var facts: [VerifyFacts]

    /// The sweeps of which a history says anything. Of several lines about one key on one host the last one counts.
    package static func collect(
        _ events: [HistoryEvent], of writes: LedgerWrites
    ) -> [Int: VerifySweep] {
        var sweeps: [Int: VerifySweep] = [:]
        let unread = Array(repeating: Answer.unread, count: writes.writes.count)
        for event in events {
            switch event.kind {
            case .verify(let number, let host, let key, let present):
                var sweep =
                    sweeps.removeValue(forKey: number)
                    ?? VerifySweep(
                        number: number, answers: [:], interval: event.interval, facts: [])
                if sweep.answers.isEmpty { sweep.interval = event.interval }
                sweep.interval.low = min(sweep.interval.low, event.interval.low)
                sweep.interval.high = max(sweep.interval.high, event.interval.high)
                if let place = writes.places[key] {
                    sweep.answers[host, default: unread][place] = present ? .present : .missing
                } else if sweep.answers[host] == nil {
                    sweep.answers[host] = unread
                }
                sweeps[number] = sweep
            case .verified(let facts):
                sweeps[
                    facts.sweep,
                    default: VerifySweep(
                        number: facts.sweep, answers: [:], interval: event.interval, facts: [])
                ].facts.append(facts)
            case .trial, .steady, .injected, .healBegun, .healed, .role, .proven, .unobserved,
                .redundancy, .noticed, .switchover, .end, .identity, .visible, .step:
                break
            }
        }
        return sweeps
    }

    /// Who was asked and answered, by name.
    package var hosts: [HostName] { answers.keys.sorted() }

    /// The answers that speak for the system: the endpoint's; else those of the host that was primary; else what all
    /// hosts agree on.
    ///
    /// The endpoint's answers are told under the name of the host that asked it, which is none of `servers`.
    package func authority(servers: Set<HostName>, primary: HostName?) -> [Answer]? {
        let endpoints = hosts.filter { !servers.contains($0) }
        if !endpoints.isEmpty { return agreed(endpoints) }
        if let primary, let answers = answers[primary] { return answers }
        // One that was asked and told nothing may hold something else.
        if facts.contains(where: { $0.failure != nil && answers[$0.host] == nil }) { return nil }
        return hosts.isEmpty ? nil : agreed(hosts)
    }

    private func agreed(_ hosts: [HostName]) -> [Answer]? {
        let all = hosts.compactMap { answers[$0] }
        guard var agreed = all.first else { return nil }
        for other in all.dropFirst() {
            for (index, answer) in other.enumerated() where answer != agreed[index] {
                agreed[index] =
                    answer == .unread || agreed[index] == .unread ? .unread : .undecided
            }
        }
        return agreed
    }

    /// On how many writes the servers differ; nil where fewer than two answered, or none differs in what was read and not
    /// all was.
    package func differing(servers: Set<HostName>) -> Int? {
        let all = hosts.filter(servers.contains).compactMap { answers[$0] }
        guard all.count > 1, let count = all.first?.count else { return nil }
        let differing = (0..<count).count { index in
            all.contains { $0[index] == .present } && all.contains { $0[index] == .missing }
        }
        let isWhole =
            facts.allSatisfy { !servers.contains($0.host) || $0.failure == nil }
            && (0..<count).allSatisfy { index in
                all.allSatisfy { $0[index] == .unread } || all.allSatisfy { $0[index] != .unread }
            }
        return differing > 0 || isWhole ? differing : nil
    }

    /// The strongest read of those that were told, the endpoint's before the servers'.
    package func readLevel(servers: Set<HostName>) -> String? {
        (facts.first { !servers.contains($0.host) } ?? facts.first)?.readLevel
    }
}
