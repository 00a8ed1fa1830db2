package import DrillCore

/// Finds, as operations are decided, the latest good operation whose stretch of `stable` is wholly decided and
/// holds fewer than `k` bad and at least `leastSent` sent ones: where the analysis would end an outage.
///
/// A stretch that began with an unsent or a bad operation would let a heal begin a period before the analysis
/// holds the recovery for complete.
package struct StableWatch: Sendable {
    private struct Decided {
        var intended: Int64
        var isSent: Bool
        var isGood: Bool
    }

    private let stable: Int64
    private let k: Int
    private let leastSent: Int
    private var operations: [Decided] = []
    /// The oldest operation that was not yet tried as a start; before it nothing is needed.
    private var start = 0
    /// The first operation after the stretch of `start`.
    private var end = 0
    private var bad = 0
    private var sent = 0

    /// The start of the latest such stretch; it never goes back.
    package private(set) var stableFrom: RunInstant?

    package init(stable: Duration, k: Int, leastSent: Int) {
        self.stable = stable.nanoseconds
        self.k = k
        self.leastSent = leastSent
    }

    /// Operations come in the order of their intended instants.
    package mutating func add(intended: RunInstant, isSent: Bool, isGood: Bool) {
        operations.append(
            Decided(intended: intended.nanoseconds, isSent: isSent, isGood: isGood))
    }

    /// All operations intended before `instant` have been added.
    package mutating func advance(decidedBefore instant: RunInstant) {
        let decided = instant.nanoseconds
        while start < operations.count, operations[start].intended + stable <= decided {
            let first = operations[start]
            let limit = first.intended + stable
            while end < operations.count, operations[end].intended < limit {
                sent += operations[end].isSent ? 1 : 0
                bad += operations[end].isSent && !operations[end].isGood ? 1 : 0
                end += 1
            }
            let isStable = bad < k && sent >= leastSent
            // Operations of one instant (two Poisson arrivals) are in or out of a stretch together.
            while start < end, operations[start].intended == first.intended {
                let operation = operations[start]
                if operation.isGood, isStable {
                    stableFrom = RunInstant(nanoseconds: first.intended)
                }
                sent -= operation.isSent ? 1 : 0
                bad -= operation.isSent && !operation.isGood ? 1 : 0
                start += 1
            }
        }
        // Now and then what is behind is dropped: a move of the rest, paid for by as many steps.
        if start > 4096, start > operations.count / 2 {
            operations.removeFirst(start)
            end -= start
            start = 0
        }
    }
}
