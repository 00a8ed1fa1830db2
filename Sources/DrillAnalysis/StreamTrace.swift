package import DrillCore

/// One stream's operations in the order in which they were intended, with the sums that every measure asks for.
///
/// Building it is n log n, each question is logarithmic. Operations may come in any order.
package struct StreamTrace: Sendable {
    package enum Class: UInt8, Hashable, Sendable { case good, bad, unsent }

    package let name: StreamName
    package let workload: Workload
    package let stable: Duration
    let stableNanoseconds: Int64
    /// Between two intended instants, on average.
    package let period: Duration
    private let periodNanoseconds: Int64
    /// Operations a second, as the history has them.
    package let rate: Double
    /// Operations intended in `stable`.
    package let n: Int
    /// This many bad ones in a stretch are an outage and no noise.
    package let k: Int
    package let operations: [ClientOperation]
    package let classes: [Class]
    private let badBefore: [Int32]
    private let sentBefore: [Int32]
    private let goodBefore: [Int32]
    /// For each operation, the first one intended at or after its own instant plus `stable`.
    private let stretchEnds: [Int32]

    package init(
        name: StreamName, workload: Workload, successRate: Double, stable: Duration,
        operations unordered: [ClientOperation]
    ) {
        self.name = name
        self.workload = workload
        self.stable = stable
        stableNanoseconds = stable.nanoseconds
        let operations = Self.ordered(unordered)
        let slow = workload.slow.nanoseconds
        var classes: [Class] = []
        classes.reserveCapacity(operations.count)
        var bad: [Int32] = [0]
        var sent: [Int32] = [0]
        var good: [Int32] = [0]
        for operation in operations {
            let kind = Self.classify(operation, slow: slow)
            classes.append(kind)
            bad.append(bad[bad.count - 1] + (kind == .bad ? 1 : 0))
            good.append(good[good.count - 1] + (kind == .good ? 1 : 0))
            sent.append(sent[sent.count - 1] + (kind == .unsent ? 0 : 1))
        }
        var ends: [Int32] = []
        ends.reserveCapacity(operations.count)
        let length = stable.nanoseconds
        var end = 0
        for operation in operations {
            let limit = operation.intended.nanoseconds + length
            while end < operations.count, operations[end].intended.nanoseconds < limit { end += 1 }
            ends.append(Int32(end))
        }
        let thinned = Self.thinnedRate(
            operations, stretchEnds: ends, planned: workload.rate, stable: stable)
        rate = thinned ?? workload.rate
        period = thinned.map { .nanoseconds(Int64((1e9 / $0).rounded())) } ?? workload.period
        periodNanoseconds = period.nanoseconds
        n = Noise.operations(rate: rate, in: stable)
        k = Noise.threshold(operations: n, successRate: successRate)
        self.operations = operations
        self.classes = classes
        badBefore = bad
        sentBefore = sent
        goodBefore = good
        stretchEnds = ends
    }

    /// The rate of a history that holds clearly fewer operations than its workload's rate says, in its densest
    /// stretch; nil for others.
    ///
    /// Somebody thinned it: judged by the plan's N, no stretch of it would hold enough sent operations, and
    /// every outage would stay open.
    private static func thinnedRate(
        _ operations: [ClientOperation], stretchEnds: [Int32], planned: Double, stable: Duration
    ) -> Double? {
        guard let first = operations.first, let last = operations.last,
            last.intended - first.intended >= stable
        else { return nil }
        let densest = stretchEnds.enumerated().map { Int($1) - $0 }.max() ?? 0
        let most = Noise.operations(rate: planned, in: stable)
        return densest * 5 < most * 4 ? Double(densest) * 1e9 / Double(stable.nanoseconds) : nil
    }

    private static func ordered(_ operations: [ClientOperation]) -> [ClientOperation] {
        func precedes(_ left: ClientOperation, _ right: ClientOperation) -> Bool {
            if left.intended != right.intended { return left.intended < right.intended }
            let ends = (left.completed?.nanoseconds ?? .max, right.completed?.nanoseconds ?? .max)
            if ends.0 != ends.1 { return ends.0 < ends.1 }
            return left.outcome.rawValue < right.outcome.rawValue
        }
        for index in operations.indices.dropFirst()
        where precedes(operations[index], operations[index - 1]) {
            return operations.sorted(by: precedes)
        }
        return operations
    }

    private static func classify(_ operation: ClientOperation, slow: Int64) -> Class {
        switch operation.outcome {
        case .ok:
            guard let completed = operation.completed else { return .bad }
            let late = completed.nanoseconds - operation.intended.nanoseconds > slow
            return late ? .bad : .good
        case .failed, .indeterminate: return .bad
        case .unsentConnection, .unsentGenerator: return .unsent
        }
    }

    package var count: Int { operations.count }
    package var leastSent: Int { Noise.leastSent(operations: n) }

    package func intended(_ index: Int) -> RunInstant { operations[index].intended }

    /// Where the schedule stops: one period after the last intended operation; nil without operations.
    package var observedUntil: RunInstant? {
        operations.last.map { RunInstant(nanoseconds: $0.intended.nanoseconds + periodNanoseconds) }
    }

    /// The first operation that is intended at or after an instant.
    package func index(atOrAfter instant: RunInstant) -> Int {
        var low = 0
        var high = operations.count
        while low < high {
            let middle = (low + high) / 2
            if operations[middle].intended < instant { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The operations intended in [from, to); without `to`, to the end.
    package func indices(from: RunInstant, to: RunInstant?) -> Range<Int> {
        let first = index(atOrAfter: from)
        return first..<max(first, to.map(index(atOrAfter:)) ?? operations.count)
    }

    /// The operations of the stretch of `stable` that starts with one.
    package func stretch(_ index: Int) -> Range<Int> { index..<Int(stretchEnds[index]) }

    package func bad(_ range: Range<Int>) -> Int {
        Int(badBefore[range.upperBound] - badBefore[range.lowerBound])
    }
    package func good(_ range: Range<Int>) -> Int {
        Int(goodBefore[range.upperBound] - goodBefore[range.lowerBound])
    }
    package func sent(_ range: Range<Int>) -> Int {
        Int(sentBefore[range.upperBound] - sentBefore[range.lowerBound])
    }

    /// Decided no later than an instant: what came after it may have come because of it.
    package func isDecided(_ index: Int, by instant: RunInstant) -> Bool {
        guard let completed = operations[index].completed else { return false }
        return completed <= instant
    }

    /// The largest gap between the intended instants of neighbouring sent operations that touches [from, to];
    /// the ends count as neighbours where nothing was sent beyond them.
    package func largestSentGap(from: RunInstant, to: RunInstant) -> Duration {
        let range = indices(from: from, to: to)
        var previous = from
        var before = range.lowerBound - 1
        while before >= 0, classes[before] == .unsent { before -= 1 }
        if before >= 0 { previous = intended(before) }
        var largest = Int64(0)
        for index in range where classes[index] != .unsent {
            largest = max(largest, intended(index).nanoseconds - previous.nanoseconds)
            previous = intended(index)
        }
        var after = range.upperBound
        while after < count, classes[after] == .unsent { after += 1 }
        let next = after < count ? intended(after) : to
        return .nanoseconds(max(largest, next.nanoseconds - previous.nanoseconds))
    }
}
