extension Impairment {
    /// A full Ethernet frame, in bytes.
    static let frame = 1514

    /// For how long the last packet of a full queue waits for the rate limit.
    var queueing: Duration {
        guard let rate else { return .zero }
        let bits = Double(queueLimit * Self.frame * 8)
        return .nanoseconds(Int64(min(3600, bits / Double(max(1, rate.bitsPerSecond))) * 1e9))
    }

    /// How long a packet may be on its way where the link is not crowded.
    package var flight: Duration {
        delay + jitter * 4 + (rate == nil ? .zero : .milliseconds(250)) + .milliseconds(5)
    }

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
