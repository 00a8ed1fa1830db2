import DrillCore
import Glibc

/// Packets through an impairment in netem's order, drawn from a seed: the truth that a judgement is held against.
struct SimulatedPath {
    var generator: SeededGenerator
    var baseline = Duration.microseconds(60)
    /// A machine that is never late.
    var isExact = false
    private var mixed: [String: Double] = [:]
    private var isBad = false
    private var waited = 0
    private var lineFreeAt: Int64 = 0

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    /// As `demand` asks, `factor` times as many, over one stretch of time; `effect` says what a packet meets. The trains of
    /// another cast go in between, as in a lab, and are not told of.
    mutating func samples(
        _ demand: ProbeDemand, times factor: Int = 1, from start: Int64 = 0,
        effect: (Double) -> LinkEffect?
    ) -> [ProbeSample] {
        let trains = max(1, (demand.count * factor + demand.train - 1) / demand.train)
        let rate = min(demand.mostRate, max(demand.leastRate, 200 / Double(demand.train)))
        var samples: [ProbeSample] = []
        for train in 0..<trains {
            for packet in 0..<demand.train {
                let instant = start + Int64(Double(train) / rate * 1e9) + Int64(packet * 5000)
                let share = Double(train) / Double(trains)
                var sample = one(effect(share), at: instant, size: demand.size)
                sample.continuesTrain = packet > 0
                samples.append(sample)
            }
            guard demand.train > 1 else { continue }
            for packet in 0..<demand.train {
                let instant =
                    start + Int64((Double(train) + 0.5) / rate * 1e9) + Int64(packet * 5000)
                let share = (Double(train) + 0.5) / Double(trains)
                _ = one(effect(share), at: instant, size: demand.size)
            }
        }
        return samples
    }

    private mutating func one(_ effect: LinkEffect?, at instant: Int64, size: Int) -> ProbeSample {
        let sent = RunInstant(nanoseconds: instant)
        guard let effect else { return ProbeSample(sent: sent, delay: base) }
        guard case .impair(let impairment) = effect else {
            return ProbeSample(sent: sent, delay: nil)
        }
        let isCopied = draw("copy", impairment.duplicate)
        let isLost = lose(impairment.loss)
        var copies = isLost ? 0 : 1
        if isCopied { copies += isLost ? 1 : lose(impairment.loss) ? 0 : 1 }
        guard copies > 0 else { return ProbeSample(sent: sent, delay: nil) }
        let isDamaged = draw("damage", impairment.corrupt)
        var leaves = instant
        if !goesAtOnce(impairment.reorder) {
            waited += 1
            leaves += max(0, impairment.delay.nanoseconds + spread(impairment))
            if let rate = impairment.rate {
                leaves = max(leaves, lineFreeAt)
                leaves += Int64(Double(size * 8) / Double(rate.bitsPerSecond) * 1e9)
                lineFreeAt = leaves
            }
        }
        return ProbeSample(
            sent: sent, delay: .nanoseconds(leaves - instant) + base, copies: copies,
            isDamaged: isDamaged)
    }

    /// Of a machine that is seldom late.
    private var base: Duration {
        mutating get {
            isExact
                ? baseline : baseline + .nanoseconds(Int64(-log2(1 - generator.unit()) * 20_000))
        }
    }

    private mutating func uniform(_ name: String, _ correlation: Double) -> Double {
        let last = mixed[name] ?? generator.unit()
        let value = (1 - correlation) * generator.unit() + correlation * last
        mixed[name] = value
        return value
    }

    private mutating func draw(_ name: String, _ ratio: CorrelatedRatio) -> Bool {
        ratio.ratio > 0 && uniform(name, ratio.correlation) <= ratio.ratio
    }

    private mutating func lose(_ model: LossModel?) -> Bool {
        switch model {
        case nil: return false
        case .random(let ratio): return draw("loss", ratio)
        case .gilbertElliott(let p, let r, let h, let k):
            let isLost = generator.unit() < (isBad ? 1 - h : 1 - k)
            isBad = isBad ? generator.unit() >= r : generator.unit() < p
            return isLost
        }
    }

    private mutating func goesAtOnce(_ reorder: Reordering?) -> Bool {
        guard let reorder, waited >= reorder.gap - 1, draw("reorder", reorder.ratio) else {
            return false
        }
        waited = 0
        return true
    }

    private mutating func spread(_ impairment: Impairment) -> Int64 {
        guard impairment.jitter > .zero else { return 0 }
        let jitter = Double(impairment.jitter.nanoseconds)
        switch impairment.distribution {
        case nil:
            return Int64((2 * uniform("jitter", impairment.jitterCorrelation) - 1) * jitter)
        case .normal:
            // Twelve uniform draws: close enough in the middle half.
            let sum = (0..<12).reduce(-6.0) { total, _ in total + generator.unit() }
            return Int64(sum * jitter)
        case .pareto:
            let value = 1 / cbrt(1 - generator.unit())
            return Int64(min(4, (value - 1.5) * 4 / 3) * jitter)
        }
    }
}
