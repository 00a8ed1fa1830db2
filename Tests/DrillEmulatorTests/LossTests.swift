import DrillCore
import DrillEmulator
import Testing

@Suite struct LossTests {
    @Test(arguments: [0.001, 0.01, 0.1, 0.2, 0.5, 0.99])
    func `a ratio of packets is lost, each on its own`(_ ratio: Double) {
        let passage = Passage(Impairment(loss: .random(CorrelatedRatio(ratio))))
        #expect(Bounds.binomial(100_000, ratio).contains(Double(passage.counters.lost)))
        #expect(passage.counters.lost == passage.passed.filter { !$0 }.count)
        #expect(Bounds.isGeometric(passage.bursts, end: 1 - ratio))
    }

    @Test func `no loss loses none, and all of it loses all`() {
        #expect(Passage(.none).counters.lost == 0)
        #expect(Passage(Impairment(loss: .random(.none))).counters.lost == 0)
        #expect(Passage(Impairment(loss: .random(CorrelatedRatio(1)))).counters.lost == 100_000)
    }

    @Test(arguments: [(0.01, 0.25), (0.05, 0.5), (0.1, 0.9)])
    func `Gilbert's bursts are as many and as long as the chain says`(_ p: Double, _ r: Double) {
        let passage = Passage(Impairment(loss: .gilbertElliott(p: p, r: r, h: 0, k: 1)))
        // Everything in the bad state is lost, so a run of losses is a stay there.
        #expect(Bounds.isGeometric(passage.bursts, end: r))
        // A cycle of both states takes 1/p + 1/r packets; renewal theory gives the spread of their number.
        let cycle = 1 / p + 1 / r
        let variance = (1 - p) / (p * p) + (1 - r) / (r * r)
        let expected = 100_000 / cycle
        let spread = Bounds.z * (100_000 * variance / (cycle * cycle * cycle)).squareRoot() + 1
        #expect(abs(Double(passage.bursts.count) - expected) <= spread)
    }

    @Test func `in Elliott's model a bad state passes some and a good one loses some`() {
        let (p, r, h, k) = (0.05, 0.2, 0.3, 0.99)
        let passage = Passage(Impairment(loss: .gilbertElliott(p: p, r: r, h: h, k: k)))
        let bad = p / (p + r)
        let loss = bad * (1 - h) + (1 - bad) * (1 - k)
        // The state is correlated by 1 − p − r a packet, which widens the binomial's spread.
        let widening = (1 + (1 - p - r)) / (p + r)
        let spread = Bounds.z * (100_000 * loss * (1 - loss) * widening).squareRoot()
        #expect(abs(Double(passage.counters.lost) - 100_000 * loss) <= spread)
    }

    @Test func `the packet that meets the good state passes before the state turns bad`() {
        // p = 1: the state is bad after each packet in the good one, and r = 1 turns it back.
        let passage = Passage(
            Impairment(loss: .gilbertElliott(p: 1, r: 1, h: 0, k: 1)), packets: 6)
        #expect(passage.passed == [true, false, true, false, true, false])
    }

    @Test
    func `a loss with a memory goes on when something else changes, and another one begins anew`() {
        var core = EmulatorCore(seed: 1)
        var impairment = Impairment(loss: .gilbertElliott(p: 1, r: 0, h: 0, k: 1))
        core.set(impairment)
        let now = RunInstant(nanoseconds: 0)
        #expect(core.receive(length: 100, held: 0, now: now).packet != nil)
        #expect(core.receive(length: 100, held: 0, now: now).packet == nil)
        impairment.delay = .milliseconds(1)
        core.set(impairment)
        #expect(core.receive(length: 100, held: 0, now: now).packet == nil)
        impairment.loss = .gilbertElliott(p: 0.5, r: 0, h: 0, k: 1)
        core.set(impairment)
        #expect(core.receive(length: 100, held: 0, now: now).packet != nil)
    }
}
