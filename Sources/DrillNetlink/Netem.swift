package import DrillCore
import Glibc

/// sch_netem's parameters in the kernel's own units, as they are sent and as they are read back. Probabilities and
/// correlations are fractions of 2³² − 1.
///
/// Not in here: slots (never used), and the overheads of a rate, which are 0.
package struct Netem: Hashable, Sendable {
    /// In nanoseconds, and so is the jitter.
    package var latency: Int64 = 0
    package var jitter: Int64 = 0
    package var delayCorrelation: UInt32 = 0
    /// Packets that may be held.
    package var limit: UInt32 = 0
    package var loss: UInt32 = 0
    package var lossCorrelation: UInt32 = 0
    /// In place of `loss`.
    package var gilbertElliott: GilbertElliott?
    package var duplicate: UInt32 = 0
    package var duplicateCorrelation: UInt32 = 0
    package var corrupt: UInt32 = 0
    package var corruptCorrelation: UInt32 = 0
    /// 0: no reordering.
    package var gap: UInt32 = 0
    package var reorder: UInt32 = 0
    package var reorderCorrelation: UInt32 = 0
    /// Bytes a second; 0: no limit.
    package var rate: UInt64 = 0
    /// Mark instead of dropping; we never do.
    package var marksCongestion = false
    /// Of the kernel's random numbers. Kernels before 6.6 ignore it, and then it is nil when read back.
    package var seed: UInt64?
    /// The kernel never tells which table it draws from: nil when read back.
    package var distribution: DelayDistribution?

    /// struct tc_netem_gemodel. The last is the loss in the good state, 1 − k.
    package struct GilbertElliott: Hashable, Sendable {
        package var p: UInt32
        package var r: UInt32
        package var h: UInt32
        package var oneMinusK: UInt32
    }

    package init() {}

    /// Throws EINVAL, and says why, for what netem cannot do. A `burst` is none of netem's: see `impair`.
    package init(_ impairment: Impairment, seed: UInt64? = nil) throws(NetlinkError) {
        latency = impairment.delay.nanoseconds
        jitter = impairment.jitter.nanoseconds
        guard latency >= 0, (0...Int64(Int32.max)).contains(jitter) else {
            throw Self.invalid(
                "a delay is 0 or more, and a jitter at most 2.147 s: netem cuts it there")
        }
        delayCorrelation = try Self.scaled(impairment.jitterCorrelation)
        distribution = impairment.distribution
        limit = UInt32(impairment.queueLimit)
        switch impairment.loss {
        case nil: break
        case .random(let random):
            loss = try Self.scaled(random.ratio)
            lossCorrelation = try Self.scaled(random.correlation)
        case .gilbertElliott(let p, let r, let h, let k):
            gilbertElliott = GilbertElliott(
                p: try Self.scaled(p), r: try Self.scaled(r), h: try Self.scaled(h),
                oneMinusK: try Self.scaled(1 - k))
        }
        duplicate = try Self.scaled(impairment.duplicate.ratio)
        duplicateCorrelation = try Self.scaled(impairment.duplicate.correlation)
        corrupt = try Self.scaled(impairment.corrupt.ratio)
        corruptCorrelation = try Self.scaled(impairment.corrupt.correlation)
        if let asked = impairment.reorder {
            guard let gap = UInt32(exactly: asked.gap), gap >= 1 else {
                throw Self.invalid("a gap is 1 or more packets")
            }
            self.gap = gap
            reorder = try Self.scaled(asked.ratio.ratio)
            reorderCorrelation = try Self.scaled(asked.ratio.correlation)
        }
        if let asked = impairment.rate, asked.burst == 0 {
            rate = asked.bitsPerSecond / 8
            guard rate > 0 else { throw Self.invalid("a rate is at least 8 bit/s") }
        }
        self.seed = seed
    }

    /// A ratio as the kernel compares it with 32 random bits: 1 is all of them.
    static func scaled(_ ratio: Double) throws(NetlinkError) -> UInt32 {
        guard (0...1).contains(ratio) else { throw invalid("a ratio is between 0 and 1") }
        return UInt32((ratio * Double(UInt32.max)).rounded())
    }

    private static func invalid(_ why: String) -> NetlinkError {
        NetlinkError(operation: "describe the fault to netem", errno: EINVAL, extendedAck: why)
    }

    /// Whether the kernel has what was asked; what it does not tell is left out.
    func isMet(by found: Netem) -> Bool {
        var asked = self
        asked.distribution = nil
        if found.seed == nil { asked.seed = nil }
        var found = found
        if asked.seed == nil { found.seed = nil }
        return asked == found
    }
}
