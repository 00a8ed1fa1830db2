package import DrillCore

/// A stream of random 32-bit numbers of which each is mixed with the one before: sch_netem's get_crandom.
///
/// It is what netem does, so that both backends mean the same by a correlation; it is not an AR(1) process with uniform
/// values: the mixture is narrower than a single draw, and so a small ratio comes up less often than asked.
package struct CorrelatedDraws: Hashable, Sendable {
    /// Scaled to 2³² − 1; 0: each draw on its own.
    private var correlation: UInt32
    private var last: UInt32

    package init(correlation: Double, generator: inout SeededGenerator) {
        self.correlation = UInt32(ratio: correlation)
        last = generator.draw()
    }

    package mutating func next(_ generator: inout SeededGenerator) -> UInt32 {
        let value = generator.draw()
        if correlation == 0 { return value }
        let weight = UInt64(correlation) + 1
        let sum = UInt64(value) * (1 << 32 - weight) + UInt64(last) * weight
        last = UInt32(truncatingIfNeeded: sum >> 32)
        return last
    }

    /// What comes goes on from what came; nothing changes where the correlation is the same.
    package mutating func set(correlation: Double) {
        self.correlation = UInt32(ratio: correlation)
    }
}

extension SeededGenerator {
    /// The upper half, which is the better mixed one.
    mutating func draw() -> UInt32 { UInt32(truncatingIfNeeded: next() >> 32) }
}

extension UInt32 {
    /// A ratio as netem takes it: 1 is 2³² − 1, and what is out of 0...1 is at its end.
    package init(ratio: Double) {
        self = ratio > 0 ? UInt32((Swift.min(ratio, 1) * Double(UInt32.max)).rounded()) : 0
    }
}

/// Something that happens to a packet with a ratio.
struct CorrelatedEvent: Hashable, Sendable {
    private var ratio: UInt32 = 0
    private var draws: CorrelatedDraws

    init(generator: inout SeededGenerator) {
        draws = CorrelatedDraws(correlation: 0, generator: &generator)
    }

    mutating func set(_ ratio: CorrelatedRatio) {
        self.ratio = UInt32(ratio: ratio.ratio)
        draws.set(correlation: ratio.correlation)
    }

    /// netem draws nothing for what never happens.
    mutating func happens(_ generator: inout SeededGenerator) -> Bool {
        ratio != 0 && ratio >= draws.next(&generator)
    }
}
