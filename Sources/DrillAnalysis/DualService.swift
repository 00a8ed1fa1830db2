package import DrillCore

/// Acknowledged writes that interleave between two hosts, a1 < b1 < a2 < b2, without a role change between b1 and a2:
/// both served at once (docs/MEASUREMENT.md, "Who is primary, and split brain").
///
/// `<` means: completed before the next one was sent, by more than the clocks' error.
package struct DualService: Hashable, Sendable {
    /// Nil: writes do not name the hosts that answered, or the order is undecided.
    package var seen: Bool?
    /// From b1's completion to a2's sending, less the clock error: then both surely served.
    package var sure: [InstantInterval]
    /// From b1's sending to a2's completion.
    package var possible: [InstantInterval]
    package var reason: String?
    /// Writes interleave, and what is not known would decide whether both served.
    package var isUndecided = false

    /// No acknowledged write names the host that answered.
    package static let unnamed = DualService(
        seen: nil, sure: [], possible: [],
        reason: "no acknowledged write names the host that answered")

    private struct Write {
        var sent: RunInstant
        var completed: RunInstant
    }

    /// - Parameter from: the end of the steady state where the history says it.
    static func find(_ context: TrialContext, from: RunInstant?) -> DualService {
        // Different clients write to different stores, whose primaries may well be two hosts.
        let byClient = Dictionary(
            grouping: context.traces.filter { $0.name.rawValue.hasSuffix("/write") },
            by: \.workload.client)
        let parts = byClient.sorted { $0.key < $1.key }.map { find($0.value, context, from: from) }
        guard var found = parts.first else { return .unnamed }
        for part in parts.dropFirst() { found.add(part) }
        return found
    }

    private mutating func add(_ other: DualService) {
        sure += other.sure
        possible += other.possible
        isUndecided = isUndecided || other.isUndecided
        switch (seen, other.seen) {
        case (true?, _), (false?, false?): break
        case (_, true?):
            seen = true
            reason = nil
        case (nil, _): break
        case (false?, nil):
            seen = nil
            reason = other.reason
        }
    }

    private static func find(
        _ traces: [StreamTrace], _ context: TrialContext, from: RunInstant?
    ) -> DualService {
        var byHost: [HostName: [Write]] = [:]
        var nameless = false
        for trace in traces {
            for operation in trace.operations where operation.outcome == .ok {
                guard let host = operation.host else {
                    nameless = true
                    continue
                }
                let sent = operation.sent ?? operation.dispatched
                let completed = operation.completed ?? sent
                if let from, completed < from { continue }
                byHost[host, default: []].append(Write(sent: sent, completed: completed))
            }
        }
        guard !byHost.isEmpty else { return .unnamed }
        let changes = changes(context)
        let blind = unobserved(context)
        var found = DualService(seen: false, sure: [], possible: [], reason: nil)
        var undecided = false
        for (host, writes) in byHost {
            for (other, others) in byHost where other != host {
                let quiet = Segments(changes + (blind[host] ?? []) + (blind[other] ?? []))
                let pair = interleaved(writes, others, quiet, error: context.clockError)
                found.sure += pair.sure
                found.possible += pair.possible
                guard pair.sure.isEmpty else { continue }
                let within = blind.isEmpty ? quiet : Segments(changes)
                if context.clockError > .zero || !blind.isEmpty,
                    !interleaved(writes, others, within, error: .zero).sure.isEmpty
                {
                    undecided = true
                }
            }
        }
        if !found.sure.isEmpty {
            found.seen = true
        } else if undecided {
            found.seen = nil
            found.isUndecided = true
            found.reason =
                "acknowledged writes may interleave between hosts: their order is not decided"
        } else if nameless {
            found.seen = nil
            found.reason = "not every acknowledged write names the host that answered"
        }
        return found
    }

    /// The longest such times, one for each stretch without a role change: the first write of `others` that follows one
    /// of `writes`, and the last of `writes` that precedes one of `others`.
    private static func interleaved(
        _ writes: [Write], _ others: [Write], _ quiet: Segments, error: Duration
    ) -> (sure: [InstantInterval], possible: [InstantInterval]) {
        guard let firstEnd = writes.map(\.completed).min(),
            let lastBegin = others.map(\.sent).max()
        else { return ([], []) }
        var begins: [Int: Write] = [:]
        for write in others where write.sent > firstEnd + error {
            guard let segment = quiet.index(of: write.completed) else { continue }
            if begins[segment].map({ write.completed < $0.completed }) ?? true {
                begins[segment] = write
            }
        }
        var ends: [Int: Write] = [:]
        for write in writes where write.completed + error < lastBegin {
            guard let segment = quiet.index(of: write.sent) else { continue }
            if ends[segment].map({ write.sent > $0.sent }) ?? true { ends[segment] = write }
        }
        var sure: [InstantInterval] = []
        var possible: [InstantInterval] = []
        for (segment, begin) in begins {
            guard let end = ends[segment], begin.completed + error < end.sent else { continue }
            sure.append(InstantInterval(low: begin.completed + error, high: end.sent))
            possible.append(
                InstantInterval(low: begin.sent - error, high: end.completed + error))
        }
        return (sure, possible)
    }

    /// What may have moved the role: acquisitions by another host, and switchovers that were asked for.
    private static func changes(_ context: TrialContext) -> [InstantInterval] {
        var changes = context.claims.claims.filter { $0.beginning == .acquired }.map(\.began)
        for event in context.events {
            if case .switchover = event.kind { changes.append(event.interval) }
        }
        return changes
    }

    /// When a host may have acquired the role and nobody saw it: its role was not watched, or it held the role before
    /// and after a time without a look.
    private static func unobserved(_ context: TrialContext) -> [HostName: [InstantInterval]] {
        var times: [HostName: [InstantInterval]] = [:]
        for event in context.events {
            if case .unobserved(let host) = event.kind {
                times[host, default: []].append(event.interval)
            }
        }
        var last: [HostName: RoleClaim] = [:]
        for claim in context.claims.claims {
            if claim.beginning == .resumed, let before = last[claim.host],
                case .unwatched = before.ending
            {
                let seen = before.sure?.high ?? before.began.high
                times[claim.host, default: []].append(
                    InstantInterval(low: min(seen, claim.began.high), high: claim.began.high))
            }
            last[claim.host] = claim
        }
        return times
    }
}

/// Time, cut at what may have moved the role. An instant within such a cut belongs to no segment.
private struct Segments {
    private var cuts: [InstantInterval] = []

    init(_ intervals: [InstantInterval]) {
        for interval in intervals.sorted(by: { ($0.low, $0.high) < ($1.low, $1.high) }) {
            if let last = cuts.last, interval.low <= last.high {
                cuts[cuts.count - 1].high = max(last.high, interval.high)
            } else {
                cuts.append(interval)
            }
        }
    }

    /// How many cuts lie before an instant; nil within one.
    func index(of instant: RunInstant) -> Int? {
        var low = 0
        var high = cuts.count
        while low < high {
            let middle = (low + high) / 2
            if cuts[middle].high <= instant { low = middle + 1 } else { high = middle }
        }
        if low < cuts.count, cuts[low].low < instant { return nil }
        return low
    }
}
