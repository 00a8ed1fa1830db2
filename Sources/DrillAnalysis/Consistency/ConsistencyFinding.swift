/// What the register history of a trial, or of a file, shows.
package struct ConsistencyFinding: Hashable, Sendable {
    package var operations: Int
    package var keys: Int
    /// Nil: a limit ended the search of at least one key, and no key was found to be violated.
    package var linearizable: Bool?
    /// Why it is not known.
    package var reason: String?
    /// Reads of a value that had been overwritten before the read began.
    package var staleReads: Int
    /// Successful compare-and-sets of a value that another one had replaced.
    package var lostUpdates: Int
    /// The shortest stretch, of the first key that was found to be violated, that no register could show; nil where the
    /// search found none.
    package var window: OffendingWindow?

    package static func find(
        _ history: RegisterHistory,
        limits: LinearizabilityChecker.Limits = LinearizabilityChecker.Limits()
    ) -> ConsistencyFinding {
        let parts = history.byKey
        let stale = parts.map { StaleReads.count($0, from: history.initial) }
        let lost = parts.map { LostUpdates.count($0, from: history.initial) }
        var finding = ConsistencyFinding(
            operations: history.operations.count, keys: history.keys.count, linearizable: true,
            reason: nil, staleReads: stale.reduce(0, +), lostUpdates: lost.reduce(0, +), window: nil
        )
        var spent = 0
        var open = Array(parts.indices)
        // A hard key must not take everything from the others: each has a little first.
        let little = parts.count > 1 ? [limits.steps / (4 * parts.count)] : []
        var ended: [Int: LinearizabilityChecker.Limit] = [:]
        for share in little + [limits.steps] {
            var undecided: [Int] = []
            for index in open {
                var left = limits
                left.steps = min(share, limits.steps - spent)
                let answer = LinearizabilityChecker.check(
                    parts[index], from: .value(history.initial), limits: left, spent: &spent)
                switch answer {
                case .linearizable: ended[index] = nil
                case .violated:
                    finding.linearizable = false
                    finding.window = OffendingWindow.shortest(
                        parts[index], from: history.initial, limits: limits, spent: &spent)
                    return finding
                case .unknown(let limit):
                    // With more steps it would remember no less.
                    if limit == .steps { undecided.append(index) }
                    ended[index] = limit
                }
            }
            open = undecided
        }
        // Each of these is proof enough, without the search.
        if ended.keys.contains(where: { stale[$0] + lost[$0] > 0 }) {
            finding.linearizable = false
        } else if let limit = ended.min(by: { $0.key < $1.key })?.value {
            finding.linearizable = nil
            finding.reason = "the search ended after \(limits.spelled(limit))"
        }
        return finding
    }
}

/// Reads of what had been overwritten. It needs values that are written once; a value that was written twice is
/// passed over, so that no read is called stale that is not.
package enum StaleReads {
    /// - Parameters:
    ///   - operations: of one key.
    ///   - initial: what the register held before them.
    package static func count(
        _ operations: [RegisterOperation], from initial: Int32 = RegisterHistory.absent
    ) -> Int {
        // The first value was "written" before everything.
        var completions: [Int32: Int64] = [initial: .min]
        var repeated: Set<Int32> = []
        var writes: [(invoked: Int64, completed: Int64)] = []
        for operation in operations {
            guard let value = operation.written else { continue }
            // One that nobody knows the end of overwrote nothing for certain, but its value was written.
            if completions.updateValue(operation.completed ?? .max, forKey: value) != nil {
                repeated.insert(value)
            }
            if let completed = operation.completed { writes.append((operation.invoked, completed)) }
        }
        // The latest call among the writes that had ended by an instant.
        writes.sort { $0.completed < $1.completed }
        var latest: [Int64] = []
        for write in writes { latest.append(max(write.invoked, latest.last ?? .min)) }
        return operations.count { operation in
            guard case .read(let value) = operation.action, !repeated.contains(value) else {
                return false
            }
            let written = completions[value] ?? .max
            let before = writes.partitioningIndex { $0.completed >= operation.invoked }
            return before > 0 && latest[before - 1] > written
        }
    }
}

/// Updates that another one overwrote unseen: of several successful compare-and-sets of one value only one can
/// have been right.
package enum LostUpdates {
    /// - Parameters:
    ///   - operations: of one key; a value that is written more than once is passed over.
    ///   - initial: what the register held before them.
    package static func count(
        _ operations: [RegisterOperation], from initial: Int32 = RegisterHistory.absent
    ) -> Int {
        var made: [Int32: Int] = [initial: 1]
        var replaced: [Int32: Int] = [:]
        for operation in operations {
            if let value = operation.written { made[value, default: 0] += 1 }
            guard case .compareAndSet(let old, _) = operation.action, operation.completed != nil
            else { continue }
            replaced[old, default: 0] += 1
        }
        return replaced.reduce(0) { sum, entry in
            made[entry.key, default: 1] > 1 ? sum : sum + entry.value - 1
        }
    }
}

extension RegisterOperation {
    /// The value that it sets; nil for a read.
    var written: Int32? {
        switch action {
        case .read: nil
        case .write(let value), .compareAndSet(_, let value): value
        }
    }
}

extension RandomAccessCollection {
    /// The first index whose element belongs to the second part; `endIndex` without one.
    fileprivate func partitioningIndex(_ belongs: (Element) -> Bool) -> Index {
        var low = startIndex
        var count = count
        while count > 0 {
            let half = count / 2
            let middle = index(low, offsetBy: half)
            if belongs(self[middle]) {
                count = half
            } else {
                low = index(after: middle)
                count -= half + 1
            }
        }
        return low
    }
}
