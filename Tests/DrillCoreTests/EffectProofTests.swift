import DrillCore
import Testing

/// A request, how many times the packets that it needs are sent, and what to call it.
struct ProofCase: Sendable, CustomTestStringConvertible {
    var name: String
    var own: LinkEffect
    /// What other faults do all the time.
    var others: LinkEffect?
    /// Half of what was asked; nil where there is no such thing, or half of it is within what is accepted.
    var half: LinkEffect?
    var testDescription: String { name }

    init(_ name: String, _ own: Impairment, others: Impairment? = nil, half: Impairment? = nil) {
        self.name = name
        self.own = .impair(own)
        self.others = others.map { .impair($0) }
        self.half = half.map { .impair($0) }
    }

    static let all = [
        ProofCase(
            "10 % loss", Impairment(loss: .random(.init(0.1))),
            half: Impairment(loss: .random(.init(0.05)))),
        ProofCase("1 % loss", Impairment(loss: .random(.init(0.01)))),
        ProofCase(
            "20 % loss beside 10 %", Impairment(loss: .random(.init(0.2))),
            others: Impairment(loss: .random(.init(0.1))),
            half: Impairment(loss: .random(.init(0.1)))),
        ProofCase(
            "20 % loss, correlated", Impairment(loss: .random(.init(0.2, correlation: 0.5))),
            half: Impairment(loss: .random(.init(0.1)))),
        ProofCase(
            "bursts of losses",
            Impairment(loss: .gilbertElliott(p: 0.03, r: 0.25, h: 0, k: 1)),
            half: Impairment(loss: .random(.init(0.03 / 0.28)))),
        ProofCase(
            "bursts of a leaky chain",
            Impairment(loss: .gilbertElliott(p: 0.05, r: 0.2, h: 0.3, k: 0.99)),
            half: Impairment(loss: .random(.init(0.05)))),
        ProofCase(
            "5 % copied", Impairment(duplicate: .init(0.05)),
            others: Impairment(delay: .milliseconds(20), loss: .random(.init(0.05))),
            half: Impairment(duplicate: .init(0.025))),
        ProofCase(
            "5 % damaged", Impairment(corrupt: .init(0.05)), half: Impairment(corrupt: .init(0.025))
        ),
        ProofCase(
            "25 % reordered",
            Impairment(delay: .milliseconds(30), reorder: Reordering(.init(0.25))),
            half: Impairment(delay: .milliseconds(30), reorder: Reordering(.init(0.12)))),
        ProofCase(
            "reordered with a gap",
            Impairment(delay: .milliseconds(30), reorder: Reordering(.init(0.5), gap: 5)),
            half: Impairment(delay: .milliseconds(30), reorder: Reordering(.init(0.25), gap: 20))),
        ProofCase(
            "50 ms", Impairment(delay: .milliseconds(50)),
            others: Impairment(delay: .milliseconds(30)),
            half: Impairment(delay: .milliseconds(25))),
        ProofCase(
            "1 ms", Impairment(delay: .milliseconds(1)), others: Impairment(corrupt: .init(0.1))),
        ProofCase(
            "50 ms and a normal jitter",
            Impairment(delay: .milliseconds(50), jitter: .milliseconds(10), distribution: .normal),
            half: Impairment(
                delay: .milliseconds(50), jitter: .milliseconds(4), distribution: .normal)),
        ProofCase(
            "a Pareto jitter",
            Impairment(delay: .milliseconds(50), jitter: .milliseconds(10), distribution: .pareto),
            half: Impairment(delay: .milliseconds(50))),
        ProofCase(
            "a uniform jitter on another's delay", Impairment(jitter: .milliseconds(8)),
            others: Impairment(delay: .milliseconds(20)), half: Impairment(jitter: .milliseconds(2))
        ),
        ProofCase(
            "8 Mbit/s", Impairment(rate: RateLimit(bitsPerSecond: 8_000_000)),
            half: Impairment(rate: RateLimit(bitsPerSecond: 3_000_000))),
        ProofCase(
            "1 Mbit/s with a burst",
            Impairment(rate: RateLimit(bitsPerSecond: 1_000_000, burst: 3000)),
            half: Impairment(rate: RateLimit(bitsPerSecond: 16_000_000))),
        ProofCase(
            "8 Mbit/s behind a jitter",
            Impairment(
                delay: .milliseconds(25), jitter: .milliseconds(5), distribution: .normal,
                rate: RateLimit(bitsPerSecond: 8_000_000)),
            half: Impairment(
                delay: .milliseconds(25), rate: RateLimit(bitsPerSecond: 8_000_000))),
        ProofCase(
            "a WAN",
            Impairment(
                delay: .milliseconds(25), jitter: .milliseconds(5),
                rate: RateLimit(bitsPerSecond: 100_000_000)),
            half: Impairment(
                delay: .milliseconds(12), jitter: .milliseconds(5),
                rate: RateLimit(bitsPerSecond: 100_000_000))),
        ProofCase(
            "30 ms beside another's limit", Impairment(delay: .milliseconds(30)),
            others: Impairment(rate: RateLimit(bitsPerSecond: 10_000_000)),
            half: Impairment(delay: .milliseconds(15))),
        ProofCase(
            "8 Mbit/s beside another's jitter",
            Impairment(rate: RateLimit(bitsPerSecond: 8_000_000)),
            others: Impairment(delay: .milliseconds(50), jitter: .milliseconds(10))),
        ProofCase(
            "16 kbit/s", Impairment(rate: RateLimit(bitsPerSecond: 16_000)),
            half: Impairment(rate: RateLimit(bitsPerSecond: 6_000))),
    ]
}

struct EffectProofTests {
    private static let trials: UInt64 = 25

    private func together(_ one: LinkEffect?, _ other: LinkEffect?) throws -> LinkEffect? {
        let parts: [Impairment] = [one, other].compactMap { effect in
            if case .impair(let impairment) = effect { impairment } else { nil }
        }
        return .impair(try Impairment.merged(parts))
    }

    /// How many of the trials are judged to be in effect.
    private func judged(
        _ proof: ProofCase, times factor: Int, effect: (Double) -> LinkEffect?
    ) -> (inEffect: Int, undecided: Int, sentence: String) {
        var (inEffect, undecided, sentence) = (0, 0, "")
        for seed in 1...Self.trials {
            var path = SimulatedPath(seed: seed)
            let samples = path.samples(
                EffectProof.demand(proof.own, beside: proof.others), times: factor, effect: effect)
            let finding = EffectProof.judge(
                proof.own, samples: samples.map { ($0, proof.others) },
                baseline: path.baseline + .microseconds(20))
            if finding.inEffect { inEffect += 1 } else { sentence = finding.sentence }
            if !finding.isDecided { undecided += 1 }
        }
        return (inEffect, undecided, sentence)
    }

    @Test(arguments: ProofCase.all)
    func `what is there is judged to be in effect`(_ proof: ProofCase) throws {
        let effect = try together(proof.own, proof.others)
        let needed = judged(proof, times: 1) { _ in effect }
        #expect(needed.inEffect >= 24, "\(needed.sentence)")
        let plenty = judged(proof, times: 4) { _ in effect }
        #expect(plenty.inEffect >= 24, "\(plenty.sentence)")
    }

    @Test(arguments: ProofCase.all)
    func `what is not there is never judged to be in effect`(_ proof: ProofCase) {
        let result = judged(proof, times: 1) { _ in proof.others }
        #expect(result.inEffect == 0)
    }

    @Test(arguments: ProofCase.all)
    func `what vanished half-way is not in effect`(_ proof: ProofCase) throws {
        let effect = try together(proof.own, proof.others)
        let result = judged(proof, times: 4) { $0 < 0.5 ? effect : proof.others }
        #expect(result.inEffect <= 1, "\(result.sentence)")
    }

    @Test(arguments: [
        "1 % loss", "10 % loss", "20 % loss beside 10 %", "5 % copied", "5 % damaged",
    ])
    func `what vanished for the last quarter is not in effect`(_ name: String) throws {
        let proof = try #require(ProofCase.all.first { $0.name == name })
        let effect = try together(proof.own, proof.others)
        let result = judged(proof, times: 5) { $0 < 0.74 ? effect : proof.others }
        #expect(result.inEffect <= 1, "\(result.sentence)")
    }

    @Test func `more lost than asked behind a limit of others is nobody's for sure`() {
        let asked = LinkEffect.impair(Impairment(loss: .random(.init(0.01))))
        let limit = LinkEffect.impair(Impairment(rate: RateLimit(bitsPerSecond: 128_000)))
        let crowded = LinkEffect.impair(Impairment(loss: .random(.init(0.3))))
        var path = SimulatedPath(seed: 1)
        let samples = path.samples(EffectProof.demand(asked), times: 4) { _ in crowded }
        let finding = EffectProof.judge(
            asked, samples: samples.map { ($0, limit) }, baseline: path.baseline)
        #expect(!finding.inEffect && !finding.isDecided, "\(finding.sentence)")
    }

    /// Gigabits a second at which packets are sent here: 2.2.
    @Test(arguments: [1_600_000_000, 2_000_000_000, 4_000_000_000] as [UInt64])
    func `a limit above what the packets are sent at is not shown by them`(_ rate: UInt64) {
        let limit = RateLimit(bitsPerSecond: rate)
        let asked = LinkEffect.impair(Impairment(rate: limit))
        for effect in [nil, asked] {
            var path = SimulatedPath(seed: 1)
            path.isExact = true
            let samples = path.samples(EffectProof.demand(asked), times: 4) { _ in effect }
            let finding = EffectProof.judge(
                asked, samples: samples.map { ($0, nil) }, baseline: path.baseline)
            #expect(!finding.inEffect && !finding.isDecided, "\(finding.sentence)")
            #expect(finding.sentence.hasPrefix("packets were sent at 2240"), "\(finding.sentence)")
        }
    }

    /// A queue that real traffic keeps full for most of the time, and another one's jitter that it shifts.
    @Test func `what waits for another fault's limit is no delay for sure`() {
        let asked = LinkEffect.impair(Impairment(delay: .milliseconds(20)))
        let limit = Impairment(rate: RateLimit(bitsPerSecond: 10_000_000))
        let full = LinkEffect.impair(Impairment(delay: .milliseconds(400), rate: limit.rate))
        var path = SimulatedPath(seed: 1)
        let waiting = path.samples(EffectProof.demand(asked), times: 5) { _ in full }
        let finding = EffectProof.judge(
            asked, samples: waiting.map { ($0, .impair(limit)) }, baseline: path.baseline)
        #expect(!finding.inEffect && !finding.isDecided, "\(finding.sentence)")

        let few = LinkEffect.impair(Impairment(delay: .milliseconds(5)))
        let wan = Impairment(
            delay: .milliseconds(25), jitter: .milliseconds(5),
            rate: RateLimit(bitsPerSecond: 100_000_000))
        let shifted = LinkEffect.impair(
            Impairment(delay: .milliseconds(28), jitter: .milliseconds(2), rate: wan.rate))
        let late = path.samples(EffectProof.demand(few), times: 5) { _ in shifted }
        let second = EffectProof.judge(
            few, samples: late.map { ($0, .impair(wan)) }, baseline: path.baseline)
        #expect(!second.inEffect && !second.isDecided, "\(second.sentence)")
    }

    @Test(arguments: [90_000_000, 100_000_000, 120_000_000] as [UInt64])
    func `a limit near another fault's is nobody's for sure`(_ rate: UInt64) {
        let own = Impairment(rate: RateLimit(bitsPerSecond: rate))
        let other = LinkEffect.impair(Impairment(rate: RateLimit(bitsPerSecond: 100_000_000)))
        var path = SimulatedPath(seed: 1)
        let samples = path.samples(EffectProof.demand(.impair(own)), times: 4) { _ in other }
        let finding = EffectProof.judge(
            .impair(own), samples: samples.map { ($0, other) }, baseline: path.baseline)
        #expect(!finding.inEffect && !finding.isDecided, "\(finding.sentence)")
        #expect(
            EffectProof.problem(.impair(own), beside: other, within: .seconds(60))
                == "the link is limited to 100.00 Mbit/s already: it cannot be proven")
    }

    @Test func `what no packet of ours could show is said before anything starts`() {
        func problem(_ impairment: Impairment, _ window: Duration = .seconds(10)) -> String? {
            EffectProof.problem(.impair(impairment), within: window)
        }
        let burst = RateLimit(bitsPerSecond: 8_000_000, burst: 1_000_000)
        #expect(
            problem(Impairment(rate: burst))
                == "a burst of 1000000 bytes lets all the packets pass that could show the limit: "
                + "it cannot be proven")
        // Their own packets would be half of what such a link lets pass.
        let slow = RateLimit(bitsPerSecond: 16_000)
        #expect(
            problem(Impairment(rate: slow))?.hasPrefix("its effect shows in 50 packets, which take")
                == true)
        #expect(problem(Impairment(rate: slow), .seconds(60)) == nil)
        // What is on its way when the window ends shows nothing.
        #expect(
            problem(Impairment(delay: .seconds(10)))
                == "its effect shows in 40 packets, which take 40.0 ms at 1000 a second, and each is on its "
                + "way for up to 10.0 s: it cannot be proven in 10.0 s")
        #expect(problem(Impairment(delay: .seconds(9))) == nil)
        // Rarer than any count of packets.
        let rare = Impairment(loss: .random(.init(0.000_002)))
        let half = LinkEffect.impair(Impairment(loss: .random(.init(0.5))))
        #expect(EffectProof.problem(.impair(rare), beside: half, within: .seconds(60)) != nil)
        let still = LossModel.gilbertElliott(p: 1e-18, r: 1e-18, h: 0, k: 1)
        #expect(problem(Impairment(loss: still)) != nil)
    }

    /// As few packets as a control has in a short window.
    @Test(arguments: [
        Impairment(delay: .milliseconds(50), jitter: .milliseconds(10), distribution: .normal),
        Impairment(delay: .milliseconds(20), jitter: .milliseconds(10), jitterCorrelation: 0.5),
        Impairment(loss: .gilbertElliott(p: 0.02, r: 0.1, h: 0, k: 1)),
        Impairment(loss: .random(.init(0.1, correlation: 0.7))),
    ])
    func `others' jitter and bursts are no excess`(_ others: Impairment) {
        let few = EffectProof.demand(.impair(Impairment(loss: .random(.init(0.07)))))
        #expect(few.count == 96)
        var clean = 0
        for seed in 1...100 as ClosedRange<UInt64> {
            var path = SimulatedPath(seed: seed)
            let samples = path.samples(few) { _ in .impair(others) }
            let finding = EffectProof.clean(
                samples: samples.map { ($0, .impair(others)) },
                baseline: path.baseline + .microseconds(20))
            if finding.inEffect { clean += 1 }
        }
        #expect(clean >= 98)
    }

    @Test(arguments: [0.3, 0.55, 0.75, 0.95])
    func `a link is clean beside a delay that holds for a part of the time`(_ share: Double) {
        let late = LinkEffect.impair(Impairment(delay: .milliseconds(50)))
        var path = SimulatedPath(seed: 1)
        let samples = path.samples(EffectProof.demand(late), times: 4) { $0 < share ? late : nil }
        let observed = samples.enumerated().map { index, sample in
            (sample, Double(index) / Double(samples.count) < share ? late : nil)
        }
        let baseline = path.baseline + .microseconds(20)
        let finding = EffectProof.clean(samples: observed, baseline: baseline)
        #expect(finding.inEffect, "\(finding.sentence)")
        // Unexplained it is late, once it holds for more than half.
        let alone = EffectProof.clean(samples: samples.map { ($0, nil) }, baseline: baseline)
        #expect(alone.inEffect == (share < 0.5), "\(alone.sentence)")
    }

    @Test(arguments: ProofCase.all)
    func `half of it is not it`(_ proof: ProofCase) throws {
        guard let half = proof.half else { return }
        let effect = try together(half, proof.others)
        let result = judged(proof, times: 20) { _ in effect }
        #expect(result.inEffect <= 1, "\(result.sentence)")
    }

    @Test(arguments: ProofCase.all)
    func `a link with others' faults alone is clean, and one with this fault is not`(
        _ proof: ProofCase
    ) throws {
        var clean = 0
        var dirty = 0
        let both = try together(proof.own, proof.others)
        for seed in 1...Self.trials {
            var path = SimulatedPath(seed: seed)
            let demand = EffectProof.demand(proof.own, beside: proof.others)
            let baseline = path.baseline + .microseconds(20)
            let flowing = path.samples(demand, times: 4) { _ in proof.others }
            if EffectProof.clean(samples: flowing.map { ($0, proof.others) }, baseline: baseline)
                .inEffect
            {
                clean += 1
            }
            let hit = path.samples(demand, times: 4) { _ in both }
            if EffectProof.clean(samples: hit.map { ($0, proof.others) }, baseline: baseline)
                .inEffect
            {
                dirty += 1
            }
        }
        #expect(clean >= 24)
        // A jitter and a correlated loss leave the means as they are; a rate limit shows in trains alone, and
        // what waits behind one is no excess.
        if !proof.name.contains("jitter"), !proof.name.contains("another's limit") {
            #expect(dirty <= 5)
        }
    }

    @Test func `packets needed are those of which not one hit would be a finding`() {
        func count(_ ratio: Double) -> Int {
            EffectProof.demand(.impair(Impairment(loss: .random(.init(ratio))))).count
        }
        #expect(count(0.01) == 688)
        #expect(count(0.001) == 6905)
        #expect(count(0.1) == 66)
        #expect(EffectProof.demand(.impair(Impairment(duplicate: .init(0.01)))).count == 688)
    }
}
