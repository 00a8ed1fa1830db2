/// The part of a history that no register could show.
package struct OffendingWindow: Hashable, Sendable {
    /// Of one key, by the instants of their calls.
    package var operations: [RegisterOperation]
    /// No register could show it, whatever it held before; else none that starts as this one did.
    package var isForAnyStart: Bool
    /// The instant of the answer that contradicts the others.
    package var end: Int64

    package init(operations: [RegisterOperation], isForAnyStart: Bool, end: Int64) {
        self.operations = operations
        self.isForAnyStart = isForAnyStart
        self.end = end
    }

    package static func shortest(
        _ operations: [RegisterOperation], from initial: Int32 = RegisterHistory.absent,
        limits: LinearizabilityChecker.Limits = LinearizabilityChecker.Limits()
    ) -> OffendingWindow {
        var spent = 0
        return shortest(operations, from: initial, limits: limits, spent: &spent)
    }

    /// As short as the limits allow: where they end, it is what was shown last.
    ///
    /// - Parameters:
    ///   - operations: of one key, violated as a whole.
    ///   - spent: counts the operations that were tried.
    package static func shortest(
        _ operations: [RegisterOperation], from initial: Int32,
        limits: LinearizabilityChecker.Limits, spent: inout Int
    ) -> OffendingWindow {
        let ends = operations.compactMap(\.completed).sorted()
        guard let last = ends.last else {
            return OffendingWindow(operations: operations, isForAnyStart: false, end: .max)
        }
        /// Nil: a limit ended the search.
        func isViolated(
            _ part: [RegisterOperation], _ start: LinearizabilityChecker.Start
        ) -> Bool? {
            var left = limits
            left.steps -= spent
            switch LinearizabilityChecker.check(part, from: start, limits: left, spent: &spent) {
            case .violated: return true
            case .linearizable: return false
            case .unknown: return nil
            }
        }
        // The first answer by which it is violated: what came later is not known yet, or not asked yet.
        let first = firstIndex(of: ends.count) {
            isViolated(cut(operations, at: ends[$0]), .value(initial))
        }
        let end = ends.indices.contains(first) ? ends[first] : last
        var part = cut(operations, at: end)
        // The last beginning from which it is still violated, whatever was there before.
        let isForAnyStart = isViolated(part, .any) == true
        if isForAnyStart {
            let prefix = part
            let begins = prefix.map(\.invoked).sorted()
            func from(_ begin: Int64) -> [RegisterOperation] {
                prefix.filter { $0.completed.map { $0 >= begin } ?? true }
            }
            let skipped = firstIndex(of: begins.count) {
                isViolated(from(begins[begins.count - 1 - $0]), .any)
            }
            part = from(begins[begins.count - 1 - skipped])
        }
        // What nobody knows the end of is shown where somebody saw it.
        let shown = LinearizabilityChecker.relevant(part)
        return OffendingWindow(
            operations: answered(shown, operations, after: end)
                .sorted { ($0.invoked, $0.process) < ($1.invoked, $1.process) },
            isForAnyStart: isForAnyStart, end: end)
    }

    /// No more than so many of them, for a reader: the first few, the last, and the one that contradicts the others.
    package func listed(_ most: Int) -> [RegisterOperation] {
        guard operations.count > most else { return operations }
        let few = most / 4
        var indices = Array(0..<few) + Array((operations.count - most + few)..<operations.count)
        if let index = operations.firstIndex(where: { $0.completed == end }), few > 0,
            !indices.contains(index)
        {
            indices[few - 1] = index
        }
        return indices.map { operations[$0] }
    }

    /// What was known at an instant.
    private static func cut(_ operations: [RegisterOperation], at end: Int64) -> [RegisterOperation]
    {
        operations.compactMap { operation in
            guard operation.invoked <= end else { return nil }
            var operation = operation
            if let completed = operation.completed, completed > end { operation.completed = nil }
            if case .read = operation.action, operation.completed == nil { return nil }
            return operation
        }
    }

    /// With the answers that came after the cut: an operation that was answered late is not one that nobody answered.
    private static func answered(
        _ part: [RegisterOperation], _ operations: [RegisterOperation], after end: Int64
    ) -> [RegisterOperation] {
        var late: [RegisterOperation: [Int64]] = [:]
        for var operation in operations {
            guard let completed = operation.completed, completed > end else { continue }
            operation.completed = nil
            late[operation, default: []].append(completed)
        }
        return part.map { operation in
            var answered = operation
            if let completed = late[operation]?.popLast() { answered.completed = completed }
            return answered
        }
    }

    /// The first index from which on it holds, as far as the answers go. It is known to hold at the last.
    private static func firstIndex(of count: Int, _ holds: (Int) -> Bool?) -> Int {
        var low = 0
        var known = count - 1
        while low < known {
            let middle = (low + known) / 2
            switch holds(middle) {
            case true?: known = middle
            case false?: low = middle + 1
            case nil: return known
            }
        }
        return known
    }
}
