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
    /// The shortest stretch of the first violated key that no register could show; empty where none was found.
    package var window: [RegisterOperation]

    package static func find(
        _ history: RegisterHistory,
        limits: LinearizabilityChecker.Limits = LinearizabilityChecker.Limits()
    ) -> ConsistencyFinding {
        var finding = ConsistencyFinding(
            operations: history.operations.count, keys: history.keys.count, linearizable: true,
            reason: nil, staleReads: 0, lostUpdates: 0, window: [])
        var spent = 0
        for part in history.byKey {
            let stale = StaleReads.count(part, from: history.initial)
            let lost = LostUpdates.count(part, from: history.initial)
            finding.staleReads += stale
            finding.lostUpdates += lost
            var rest = limits
            rest.steps = limits.steps - spent
            let answer = LinearizabilityChecker.check(
                part, from: .value(RegisterHistory.absent), limits: rest, spent: &spent)
            switch answer {
            case .linearizable: break
            case .violated:
                if finding.linearizable != false {
                    finding.window = OffendingWindow.shortest(part, limits: limits)
                }
                finding.linearizable = false
                finding.reason = nil
            // Each of these is proof enough, without the search.
            case .unknown where stale + lost > 0:
                finding.linearizable = false
                finding.reason = nil
            case .unknown(let why):
                guard finding.linearizable == true else { continue }
                finding.linearizable = nil
                finding.reason = "the search ended after \(why)"
            }
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

/// Cuts a history that no register could show down to the part that no register could show.
package enum OffendingWindow {
    /// - Parameter operations: of one key, violated as a whole.
    package static func shortest(
        _ operations: [RegisterOperation], limits: LinearizabilityChecker.Limits
    ) -> [RegisterOperation] {
        let ends = operations.compactMap(\.completed).sorted()
        // The first answer by which it is violated: what came later is not known yet, or not asked yet.
        func until(_ end: Int64) -> [RegisterOperation] {
            operations.filter { $0.invoked <= end }.map { operation in
                var operation = operation
                if let completed = operation.completed, completed > end {
                    operation.completed = nil
                }
                return operation
            }.filter { operation in
                if case .read = operation.action { return operation.completed != nil }
                return true
            }
        }
        func isViolated(
            _ part: [RegisterOperation], _ start: LinearizabilityChecker.Start
        ) -> Bool {
            LinearizabilityChecker.check(part, from: start, limits: limits) == .violated
        }
        let first = ends.indices.partitioningIndex {
            isViolated(until(ends[$0]), .value(RegisterHistory.absent))
        }
        guard first < ends.endIndex else { return operations }
        let prefix = until(ends[first])
        // The last beginning from which it is still violated, whatever was there before.
        let begins = prefix.map(\.invoked).sorted()
        func from(_ begin: Int64) -> [RegisterOperation] {
            prefix.filter { $0.completed.map { $0 >= begin } ?? true }
        }
        guard isViolated(prefix, .any) else { return LinearizabilityChecker.relevant(prefix) }
        let after = begins.indices.partitioningIndex { !isViolated(from(begins[$0]), .any) }
        let part = after == 0 ? prefix : from(begins[after - 1])
        // What nobody knows the end of is shown where somebody saw it.
        return LinearizabilityChecker.relevant(part).sorted { $0.invoked < $1.invoked }
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
