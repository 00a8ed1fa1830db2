/// What a link and direction does to its packets, in netem's terms (tc-netem(8)); both backends take this.
///
/// All zero and nil: nothing. Ratios are 0...1.
package struct Impairment: Hashable, Sendable, Codable {
    package var delay: Duration
    /// Half the width of a uniform spread around `delay`, or the standard deviation of `distribution`.
    package var jitter: Duration
    /// Of successive delays.
    package var jitterCorrelation: Double
    package var distribution: DelayDistribution?
    package var loss: LossModel?
    package var duplicate: CorrelatedRatio
    /// One bit of the packet is flipped.
    package var corrupt: CorrelatedRatio
    package var reorder: Reordering?
    package var rate: RateLimit?

    package init(
        delay: Duration = .zero, jitter: Duration = .zero, jitterCorrelation: Double = 0,
        distribution: DelayDistribution? = nil, loss: LossModel? = nil,
        duplicate: CorrelatedRatio = .none, corrupt: CorrelatedRatio = .none,
        reorder: Reordering? = nil, rate: RateLimit? = nil
    ) {
        self.delay = delay
        self.jitter = jitter
        self.jitterCorrelation = jitterCorrelation
        self.distribution = distribution
        self.loss = loss
        self.duplicate = duplicate
        self.corrupt = corrupt
        self.reorder = reorder
        self.rate = rate
    }

    package static let none = Impairment()
}

/// Of the delays; nil in an `Impairment` is uniform.
package enum DelayDistribution: String, Hashable, Sendable, Codable, CaseIterable {
    case normal, pareto
}

package struct CorrelatedRatio: Hashable, Sendable, Codable {
    package var ratio: Double
    /// netem's: each draw is mixed with the one before, which also makes rare events rarer than `ratio`.
    package var correlation: Double

    package init(_ ratio: Double, correlation: Double = 0) {
        self.ratio = ratio
        self.correlation = correlation
    }

    package static let none = CorrelatedRatio(0)
}

package enum LossModel: Hashable, Sendable, Codable {
    case random(CorrelatedRatio)
    /// Two states (Gilbert 1960, Elliott 1963): `p` is the chance to go from good to bad, `r` back, `h` that a packet
    /// passes in the bad state, `k` in the good one. netem's order: the packet is judged by the state before the move.
    case gilbertElliott(p: Double, r: Double, h: Double, k: Double)
}

/// A packet that is picked goes at once and overtakes those that are being delayed.
package struct Reordering: Hashable, Sendable, Codable {
    package var ratio: CorrelatedRatio
    /// Only every `gap`th packet may be picked; at least 1.
    package var gap: Int

    package init(_ ratio: CorrelatedRatio, gap: Int = 1) {
        self.ratio = ratio
        self.gap = gap
    }
}

package struct RateLimit: Hashable, Sendable, Codable {
    package var bitsPerSecond: UInt64
    /// What may pass at once, in bytes; 0: a packet's own length, as netem's rate does.
    package var burst: Int

    package init(bitsPerSecond: UInt64, burst: Int = 0) {
        self.bitsPerSecond = bitsPerSecond
        self.burst = burst
    }
}

// MARK: merging

/// Two impairments of one link and direction that have no sum.
package struct MergeConflict: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}

extension Impairment {
    /// What several faults on one link and direction do together: delays add, independent ratios are
    /// 1 − ∏(1 − p), the smallest rate holds. Of jitter, loss with a memory and reordering there is at most one.
    package static func merged(_ parts: [Impairment]) throws(MergeConflict) -> Impairment {
        var sum = Impairment.none
        for part in parts { try sum.add(part) }
        return sum
    }

    private mutating func add(_ other: Impairment) throws(MergeConflict) {
        delay += other.delay
        if other.jitter > .zero {
            guard jitter == .zero else { throw MergeConflict("two jitters have no sum") }
            jitter = other.jitter
            jitterCorrelation = other.jitterCorrelation
            distribution = other.distribution
        }
        if let theirs = other.loss {
            loss = try loss.map { (ours) throws(MergeConflict) in try ours.with(theirs) } ?? theirs
        }
        duplicate = try duplicate.with(other.duplicate, "duplication")
        corrupt = try corrupt.with(other.corrupt, "corruption")
        if let theirs = other.reorder {
            guard reorder == nil else { throw MergeConflict("two reorderings have no sum") }
            reorder = theirs
        }
        if let theirs = other.rate, theirs.bitsPerSecond < rate?.bitsPerSecond ?? .max {
            rate = theirs
        }
    }
}

extension CorrelatedRatio {
    func with(_ other: CorrelatedRatio, _ what: String) throws(MergeConflict) -> CorrelatedRatio {
        if other.ratio == 0 { return self }
        if ratio == 0 { return other }
        guard correlation == 0, other.correlation == 0 else {
            throw MergeConflict("\(what) with a correlation cannot be combined with another one")
        }
        return CorrelatedRatio(1 - (1 - ratio) * (1 - other.ratio))
    }
}

extension LossModel {
    func with(_ other: LossModel) throws(MergeConflict) -> LossModel {
        guard case .random(let a) = self, case .random(let b) = other else {
            throw MergeConflict("a Gilbert-Elliott loss cannot be combined with another loss")
        }
        return .random(try a.with(b, "loss"))
    }
}
