import CNetlink

/// What a class of an htb tree is granted. Rates are in bytes a second.
package struct HTBClass: Hashable, Sendable {
    package var rate: UInt64
    /// What it may borrow up to.
    package var ceiling: UInt64
    /// In bytes, at `rate`.
    package var burst: UInt32
    /// In bytes, at `ceiling`.
    package var ceilingBurst: UInt32

    package init(rate: UInt64, ceiling: UInt64, burst: UInt32, ceilingBurst: UInt32) {
        self.rate = rate
        self.ceiling = ceiling
        self.burst = burst
        self.ceilingBurst = ceilingBurst
    }

    /// struct tc_htb_opt: two tc_ratespec of 12 bytes with the rate last, buffer, cbuffer, …
    init?(_ options: Attributes) {
        guard let parameters = options[TCA_HTB_PARMS], parameters.count >= 32 else { return nil }
        rate = options.value(TCA_HTB_RATE64) ?? UInt64(parameters.load(UInt32.self, at: 8))
        ceiling = options.value(TCA_HTB_CEIL64) ?? UInt64(parameters.load(UInt32.self, at: 20))
        burst = Ticks.bytes(parameters.load(UInt32.self, at: 24), at: rate)
        ceilingBurst = Ticks.bytes(parameters.load(UInt32.self, at: 28), at: ceiling)
    }

    func isMet(by found: HTBClass) -> Bool {
        rate == found.rate && ceiling == found.ceiling
            && Ticks.agree(burst, found.burst, at: rate)
            && Ticks.agree(ceilingBurst, found.ceilingBurst, at: ceiling)
    }
}
