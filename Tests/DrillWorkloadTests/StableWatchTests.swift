import DrillCore
import DrillWorkload
import Testing

@Suite struct StableWatchTests {
    private struct Decided {
        var intended: Int64
        var isSent: Bool
        var isGood: Bool
    }

    /// Every start, every stretch, from the definition.
    private static func naive(
        _ operations: [Decided], stable: Int64, k: Int, leastSent: Int, decidedBefore: Int64
    ) -> Int64? {
        operations.last { start in
            guard start.isGood, start.intended + stable <= decidedBefore else { return false }
            let stretch = operations.filter {
                $0.intended >= start.intended && $0.intended < start.intended + stable
            }
            let sent = stretch.count { $0.isSent }
            return sent - stretch.count { $0.isGood } < k && sent >= leastSent
        }?.intended
    }

    @Test(arguments: 1...300)
    func `it finds what the definition finds, at every instant, and never goes back`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let stable = Int64.random(in: 1...40, using: &random)
        let k = Int.random(in: 1...4, using: &random)
        let leastSent = Int.random(in: 0...8, using: &random)
        let badness = Double.random(in: 0...0.5, using: &random)
        var watch = StableWatch(stable: .nanoseconds(stable), k: k, leastSent: leastSent)
        var operations: [Decided] = []
        var instant: Int64 = 0
        var before: RunInstant?
        for _ in 0..<120 {
            instant += Int64.random(in: 0...5, using: &random)
            let isSent = Double.random(in: 0..<1, using: &random) > 0.1
            let isGood = isSent && Double.random(in: 0..<1, using: &random) >= badness
            operations.append(Decided(intended: instant, isSent: isSent, isGood: isGood))
            watch.add(
                intended: RunInstant(nanoseconds: instant), isSent: isSent, isGood: isGood)
            guard Bool.random(using: &random) else { continue }
            // Operations at this very instant may still come: before it, all are decided.
            let decided = instant
            watch.advance(decidedBefore: RunInstant(nanoseconds: decided))
            let expected = Self.naive(
                operations, stable: stable, k: k, leastSent: leastSent, decidedBefore: decided)
            #expect(watch.stableFrom?.nanoseconds == expected)
            if let before, let now = watch.stableFrom { #expect(now >= before) }
            before = watch.stableFrom
        }
    }

    @Test func `a stretch may begin right after the last bad operation, and ends stable later`() {
        var watch = StableWatch(stable: .nanoseconds(100), k: 1, leastSent: 5)
        for index in 0..<40 as Range<Int64> {
            watch.add(
                intended: RunInstant(nanoseconds: index * 10), isSent: true,
                isGood: !(10...19).contains(index))
        }
        watch.advance(decidedBefore: RunInstant(nanoseconds: 299))
        #expect(watch.stableFrom?.nanoseconds == 0)
        watch.advance(decidedBefore: RunInstant(nanoseconds: 300))
        #expect(watch.stableFrom?.nanoseconds == 200)
    }
}
