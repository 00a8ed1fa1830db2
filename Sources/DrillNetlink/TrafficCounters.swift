import CNetlink

/// What went through a qdisc, a class or an action.
package struct TrafficCounters: Hashable, Sendable {
    package var bytes: UInt64 = 0
    package var packets: UInt64 = 0
    package var drops: UInt32 = 0
    package var overlimits: UInt32 = 0
    /// Packets waiting now.
    package var queued: UInt32 = 0

    init() {}

    mutating func add(_ other: Self) {
        bytes += other.bytes
        packets += other.packets
        drops &+= other.drops
        overlimits &+= other.overlimits
        queued &+= other.queued
    }

    /// Of a TCA_STATS2 or TCA_ACT_STATS nest.
    init(_ statistics: Attributes) {
        let basic = statistics[TCA_STATS_BASIC] ?? []
        let queue = statistics[TCA_STATS_QUEUE] ?? []
        bytes = basic.count >= 12 ? basic.load(UInt64.self, at: 0) : 0
        // PKT64 is there only when the 32-bit count has an upper half.
        packets =
            statistics.value(TCA_STATS_PKT64)
            ?? (basic.count >= 12 ? UInt64(basic.load(UInt32.self, at: 8)) : 0)
        queued = queue.count >= 20 ? queue.load(UInt32.self, at: 0) : 0
        drops = queue.count >= 20 ? queue.load(UInt32.self, at: 8) : 0
        overlimits = queue.count >= 20 ? queue.load(UInt32.self, at: 16) : 0
    }
}
