import Glibc
import Synchronization

/// How often one thing happens to the packets of a link, and what one packet tells of the next.
struct Share: Hashable, Sendable {
    var mean: Double
    /// Of a packet whose predecessor was hit.
    var again: Double
    /// The variance of a count, as a multiple of a binomial count's: n packets tell as much as n / inflation independent ones.
    var inflation: Double

    init(_ mean: Double, again: Double? = nil, inflation: Double = 1) {
        self.mean = mean
        self.again = again ?? mean
        self.inflation = inflation
    }

    var hasMemory: Bool { abs(again - mean) > 0.02 }

    /// How many in a row are hit, on average.
    var run: Double { 1 / max(1e-9, 1 - again) }
    /// The same without a memory.
    var independentRun: Double { 1 / max(1e-9, 1 - mean) }
}

/// What an impairment does to packets, in netem's order: a packet that is copied and lost arrives once, and its copy
/// is judged anew.
struct PacketLaw: Hashable, Sendable {
    /// No copy arrives.
    var lost: Share
    /// More than one does.
    var copied: Share
    /// Of what arrives.
    var damaged: Share
    /// Of what arrives: not delayed, though the others are.
    var atOnce: Share

    init(_ impairment: Impairment) {
        let loss = Self.share(impairment.loss)
        let duplicate = Self.share(impairment.duplicate)
        lost = loss
        lost.mean *= 1 - duplicate.mean
        if duplicate.mean > 0 { lost.again *= 1 - duplicate.mean }
        copied = duplicate
        let bothPass = (1 - loss.mean) * (1 - loss.mean)
        copied.mean *= bothPass
        copied.again *= bothPass
        damaged = Self.share(impairment.corrupt)
        atOnce = impairment.reorder.map(Self.share) ?? Share(0)
    }

    private static func share(_ loss: LossModel?) -> Share {
        switch loss {
        case nil: Share(0)
        case .random(let ratio): share(ratio)
        case .gilbertElliott(let p, let r, let h, let k):
            gilbertElliott(p, r, bad: 1 - h, good: 1 - k)
        }
    }

    /// Closed forms of the stationary chain: with λ = 1 − p − r, losses j packets apart have the covariance
    /// π_good π_bad (bad − good)² λʲ.
    private static func gilbertElliott(
        _ p: Double, _ r: Double, bad: Double, good: Double
    ) -> Share {
        guard p + r > 0 else { return Share(good) }
        let isBad = p / (p + r)
        let mean = isBad * bad + (1 - isBad) * good
        guard mean > 0, mean < 1 else { return Share(mean) }
        let shared = isBad * (1 - isBad) * (bad - good) * (bad - good)
        let memory = 1 - p - r
        let inflation = 1 + 2 * shared / (mean * (1 - mean)) * memory / max(1e-12, 1 - memory)
        return Share(
            mean, again: (mean * mean + shared * memory) / mean, inflation: max(1, inflation))
    }

    /// netem mixes each uniform draw with the last result: x = (1 − ρ) u + ρ x', which narrows it around a half. The
    /// share below a ratio has no closed form; the process itself is asked, always with the same seed.
    private static func share(_ ratio: CorrelatedRatio) -> Share {
        guard ratio.correlation > 0, ratio.ratio > 0, ratio.ratio < 1 else {
            return Share(ratio.ratio)
        }
        if let share = known.withLock({ $0[ratio] }) { return share }
        let share = simulated(ratio)
        known.withLock { $0[ratio] = share }
        return share
    }

    /// A scenario has a few.
    private static let known = Mutex<[CorrelatedRatio: Share]>([:])

    private static func simulated(_ ratio: CorrelatedRatio) -> Share {
        let draws = 1 << 18
        let batch = 1 << 10
        var generator = SeededGenerator(seed: 1)
        var mixed = 0.5
        var (hits, pairs, inBatch) = (0, 0, 0)
        var wasHit = false
        var batches: [Double] = []
        for index in 0..<(draws + 64) {
            mixed = (1 - ratio.correlation) * generator.unit() + ratio.correlation * mixed
            let isHit = mixed <= ratio.ratio
            // Long enough to forget where it began.
            if index >= 64 {
                if isHit { hits += 1 }
                if isHit, wasHit { pairs += 1 }
                inBatch += isHit ? 1 : 0
                if (index - 63).isMultiple(of: batch) {
                    batches.append(Double(inBatch))
                    inBatch = 0
                }
            }
            wasHit = isHit
        }
        let mean = Double(hits) / Double(draws)
        guard hits > 0, hits < draws else { return Share(mean) }
        let expected = mean * Double(batch)
        let variance =
            batches.reduce(0) { $0 + ($1 - expected) * ($1 - expected) }
            / Double(batches.count - 1)
        return Share(
            mean, again: Double(pairs) / Double(hits),
            inflation: max(1, variance / (expected * (1 - mean))))
    }

    /// After gap − 1 packets that wait, each next one may go at once until one does.
    private static func share(_ reordering: Reordering) -> Share {
        let each = share(reordering.ratio)
        guard each.mean > 0 else { return Share(0) }
        guard reordering.gap > 1 else { return each }
        return Share(1 / (Double(reordering.gap - 1) + 1 / each.mean))
    }
}

/// How long an impairment keeps packets that are not sent at once.
struct DelayLaw: Hashable, Sendable {
    let delay: Double
    let jitter: Double
    let distribution: DelayDistribution?

    /// Nanoseconds.
    init(_ impairment: Impairment) {
        delay = Double(impairment.delay.nanoseconds)
        jitter = Double(impairment.jitter.nanoseconds)
        distribution = impairment.distribution
    }

    var median: Double { at(0.5) }
    var lowerQuartile: Double { at(0.25) }
    var upperQuartile: Double { at(0.75) }

    /// Hardly a packet is kept longer than the median and this.
    var reach: Double { distribution == nil ? jitter : 4 * jitter }

    /// A packet cannot come before it was sent.
    private func at(_ level: Double) -> Double { max(0, delay + jitter * deviation(level)) }

    /// In units of the jitter.
    private func deviation(_ level: Double) -> Double {
        switch distribution {
        case nil: 2 * level - 1
        case .normal: level == 0.5 ? 0 : level < 0.5 ? -0.674490 : 0.674490
        // The table of tc: a Pareto law of shape 3, less its mean, times 4/3, at most 4.
        case .pareto: min(4, (pow(1 - level, -1.0 / 3) - 1.5) * 4 / 3)
        }
    }

    /// The chance that of `count` packets, sent at once, one comes sooner than `span` nanoseconds after the one that is
    /// `step` before it: in the middle half of them arrivals are a Poisson process.
    func share(nearerThan span: Double, step: Int, of count: Int) -> Double {
        let middle = upperQuartile - lowerQuartile
        guard middle > 0 else { return 1 }
        let mean = span * Double(count) / 2 / middle
        // Fewer than `step` come in the span.
        var term = exp(-mean)
        var fewer = 0.0
        for number in 0..<max(1, step) {
            fewer += term
            term *= mean / Double(number + 1)
        }
        return max(0, 1 - fewer)
    }

    /// The share that is kept shorter than so many nanoseconds.
    func share(below limit: Double) -> Double {
        guard jitter > 0 else { return delay < limit ? 1 : 0 }
        guard limit > 0 else { return 0 }
        let x = (limit - delay) / jitter
        switch distribution {
        case nil: return min(1, max(0, (x + 1) / 2))
        case .normal: return erfc(-x / 2.0.squareRoot()) / 2
        case .pareto:
            let value = x * 3 / 4 + 1.5
            return value <= 1 ? 0 : x >= 4 ? 1 : 1 - pow(value, -3)
        }
    }
}
