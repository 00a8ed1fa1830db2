import DrillCore
import DrillEmulator
import Testing

@Suite struct CopyTests {
    @Test(arguments: [0.01, 0.05, 0.5])
    func `a ratio of packets comes twice, the copy first and never three times`(_ ratio: Double) {
        let passage = Passage(
            Impairment(delay: .milliseconds(5), duplicate: CorrelatedRatio(ratio)))
        #expect(Bounds.binomial(100_000, ratio).contains(Double(passage.counters.duplicated)))
        #expect(
            passage.decisions.filter { $0.duplicate != nil }.count == passage.counters.duplicated)
        #expect(passage.passed.allSatisfy { $0 })
        #expect(passage.order.count == 100_000 + passage.counters.duplicated)
    }

    @Test func `a packet that is doubled and lost comes once, and a copy can be lost too`() {
        let both = Impairment(
            loss: .random(CorrelatedRatio(0.5)), duplicate: CorrelatedRatio(1))
        let passage = Passage(both)
        // Lost: one copy is left, and nothing more is drawn for it. Not lost: a second draw for the copy.
        let single = passage.decisions.filter { $0.packet != nil && $0.duplicate == nil }.count
        let double = passage.decisions.filter { $0.duplicate != nil }.count
        #expect(single + double == 100_000)
        #expect(Bounds.binomial(100_000, 0.25).contains(Double(double)))
        #expect(passage.counters.lost == single)
    }

    @Test(arguments: [0.001, 0.05, 0.5])
    func `one bit of a ratio of packets is flipped, and every bit may be`(_ ratio: Double) {
        let passage = Passage(Impairment(corrupt: CorrelatedRatio(ratio)), length: 10)
        let bits = passage.decisions.compactMap { $0.packet?.flippedBit }
        #expect(Bounds.binomial(100_000, ratio).contains(Double(bits.count)))
        #expect(bits.count == passage.counters.corrupted)
        var counts = [Int](repeating: 0, count: 80)
        for bit in bits { counts[bit] += 1 }
        #expect(Bounds.isLike(counts, [Double](repeating: Double(bits.count) / 80, count: 80)))
    }

    @Test func `the copy of a corrupted packet is what came`() {
        var core = EmulatorCore(seed: 1)
        core.set(
            Impairment(
                duplicate: CorrelatedRatio(1), corrupt: CorrelatedRatio(0.5)))
        let now = RunInstant(nanoseconds: 0)
        let fates = (0..<10_000).map { _ -> (Bool, Bool) in
            let decision = core.receive(length: 100, held: 0, now: now)
            return (decision.packet?.flippedBit != nil, decision.duplicate?.flippedBit != nil)
        }
        // Each is drawn on its own.
        for wanted in [(true, true), (true, false), (false, true), (false, false)] {
            let count = fates.filter { $0 == wanted }.count
            #expect(Bounds.binomial(10_000, 0.25).contains(Double(count)))
        }
    }

    @Test func `a picked packet goes at once and overtakes`() {
        let passage = Passage(
            Impairment(
                delay: .milliseconds(10), reorder: Reordering(CorrelatedRatio(0.25))))
        let early = passage.delays.filter { $0 == .zero }.count
        #expect(Bounds.binomial(100_000, 0.25).contains(Double(early)))
        #expect(passage.counters.reordered == early)
        #expect(passage.delays.allSatisfy { $0 == .zero || $0 == .milliseconds(10) })
        // After a run of delayed ones of less than ten, the picked one leaves before them.
        let place = Dictionary(
            uniqueKeysWithValues: passage.order.enumerated().map { ($0.element, $0.offset) })
        for number in 1..<1000 where passage.delays[number] == .zero {
            if passage.delays[number - 1] != .zero {
                #expect((place[number] ?? 0) < (place[number - 1] ?? 0))
            }
        }
    }

    @Test func `with a gap only every so manieth may be picked`() {
        let all = Passage(
            Impairment(delay: .milliseconds(10), reorder: Reordering(CorrelatedRatio(1), gap: 5)),
            packets: 1000)
        #expect(
            all.delays.enumerated().allSatisfy {
                ($0.element == .zero) == ($0.offset % 5 == 4)
            })
        // One that is not picked at its turn may be at the next: runs of delayed ones are 4 and a geometric rest.
        let some = Passage(
            Impairment(delay: .milliseconds(10), reorder: Reordering(CorrelatedRatio(0.5), gap: 5)))
        var run = 0
        var rests: [Int] = []
        for delay in some.delays {
            if delay == .zero {
                #expect(run >= 4)
                rests.append(run - 4 + 1)
                run = 0
            } else {
                run += 1
            }
        }
        #expect(Bounds.isGeometric(rests, end: 0.5))
    }

    @Test func `the same seed has the same fate, another has another`() {
        let everything = Impairment(
            delay: .milliseconds(20), jitter: .milliseconds(5), jitterCorrelation: 0.25,
            distribution: .normal, loss: .gilbertElliott(p: 0.02, r: 0.3, h: 0.1, k: 0.999),
            duplicate: CorrelatedRatio(0.05, correlation: 0.1), corrupt: CorrelatedRatio(0.02),
            reorder: Reordering(CorrelatedRatio(0.1), gap: 3),
            rate: RateLimit(bitsPerSecond: 10_000_000, burst: 3000))
        let first = Passage(everything, packets: 20_000, seed: 11)
        let second = Passage(everything, packets: 20_000, seed: 11)
        let other = Passage(everything, packets: 20_000, seed: 12)
        #expect(first.decisions == second.decisions)
        #expect(first.order == second.order)
        #expect(first.decisions != other.decisions)
    }
}
