extension Impairment {
    /// Packets that may be held at once, in both backends; one more is dropped, and counted.
    ///
    /// What is under way at 100,000 packets a second, or at the rate limit with small packets, must fit: a fault that delays
    /// must not lose. A rate limit also has a queue in front of it, and there netem's own 1,000 packets stay: a longer
    /// one would turn a slow link into seconds of delay.
    package var queueLimit: Int {
        let underWay = Double((delay + jitter * 4).nanoseconds) / 1e9
        let most = 200_000.0
        guard let rate else { return Int(min(most, max(10_000, underWay * 100_000))) }
        let smallPackets = Double(rate.bitsPerSecond) / 8 / 100
        return Int(min(most, 1_000 + underWay * min(100_000, smallPackets)))
    }
}
