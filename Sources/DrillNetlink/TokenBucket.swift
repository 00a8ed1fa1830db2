import CNetlink

/// A rate with the burst that may go past it. Rates are in bytes a second.
package struct TokenBucket: Hashable, Sendable {
    package var rate: UInt64
    /// In bytes; at least the MTU, or nothing ever passes.
    package var burst: UInt32
    /// Bytes that may wait.
    package var limit: UInt32

    package init(rate: UInt64, burst: UInt32, limit: UInt32) {
        self.rate = rate
        self.burst = burst
        self.limit = limit
    }

    /// struct tc_tbf_qopt: two tc_ratespec of 12 bytes with the rate last, limit, buffer, mtu.
    init?(_ options: Attributes) {
        guard let parameters = options[TCA_TBF_PARMS], parameters.count >= 36 else { return nil }
        rate =
            options.value(TCA_TBF_RATE64)
            ?? UInt64(parameters.load(UInt32.self, at: 8))
        limit = parameters.load(UInt32.self, at: 24)
        burst = Ticks.bytes(parameters.load(UInt32.self, at: 28), at: rate)
    }

    func isMet(by found: TokenBucket) -> Bool {
        rate == found.rate && limit == found.limit
            && Ticks.agree(burst, found.burst, at: rate)
    }
}

/// The kernel keeps a burst as the time that it takes at the rate, in its scheduler's ticks.
enum Ticks {
    static func bytes(_ ticks: UInt32, at rate: UInt64) -> UInt32 {
        let seconds = Double(nl_ticks2us(1_000_000)) * 1e-12 * Double(ticks)
        return UInt32(clamping: Int64((seconds * Double(rate)).rounded()))
    }

    /// A tick is 64 ns here and libnl counts in whole microseconds: two of those at the rate, and a
    /// byte, are lost on the way there and back.
    static func agree(_ left: UInt32, _ right: UInt32, at rate: UInt64) -> Bool {
        let lost = 2e-6 * Double(rate) + 1
        return abs(Double(left) - Double(right)) <= lost
    }
}
