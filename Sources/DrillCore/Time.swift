import CLinux

/// A point on the run's clock: CLOCK_MONOTONIC of the load host, in nanoseconds.
///
/// Never made from `ContinuousClock`, which is CLOCK_BOOTTIME on Linux.
package struct RunInstant: Hashable, Comparable, Sendable, Codable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static var now: RunInstant { RunInstant(nanoseconds: clinux_monotonic_ns()) }

    package init(from decoder: any Decoder) throws {
        nanoseconds = try decoder.singleValueContainer().decode(Int64.self)
    }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanoseconds)
    }

    package static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }
    package static func + (left: Self, right: Duration) -> Self {
        Self(nanoseconds: left.nanoseconds + right.nanoseconds)
    }
    package static func - (left: Self, right: Duration) -> Self {
        Self(nanoseconds: left.nanoseconds - right.nanoseconds)
    }
    package static func - (left: Self, right: Self) -> Duration {
        .nanoseconds(left.nanoseconds - right.nanoseconds)
    }
}

/// An instant that is known to lie between two readings of the run's clock, both ends included.
package struct InstantInterval: Hashable, Sendable, Codable {
    package var low: RunInstant
    package var high: RunInstant

    package init(low: RunInstant, high: RunInstant) {
        self.low = low
        self.high = high
    }
    package init(_ instant: RunInstant) { self.init(low: instant, high: instant) }
}

extension Duration {
    /// The whole nanoseconds of the duration; a run is far shorter than the 292 years this holds.
    package var nanoseconds: Int64 {
        let whole = attoseconds
        // Below 18 seconds they fit a register, and dividing 128 bits takes ten times as long.
        if whole >> 64 == 0 {
            return Int64(UInt64(truncatingIfNeeded: whole) / 1_000_000_000)
        }
        return Int64(whole / 1_000_000_000)
    }

    /// Milliseconds as reports count them.
    package var milliseconds: Double { Double(nanoseconds) / 1e6 }

    /// 400 days: no drill is longer, and sums of them stay far from the end of `nanoseconds`.
    private static let longestSpelled = 400.0 * 86400e9

    /// `250ms`, `1.5s`, `10us`, `2m`, `1h`; nil for anything else, a bare number and more than 400 days included.
    package init?(spelled text: String) {
        let units: [(suffix: String, nanoseconds: Double)] = [
            ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9),
            ("h", 3600e9),
        ]
        for (suffix, nanoseconds) in units where text.hasSuffix(suffix) {
            let number = text.dropLast(suffix.count)
            guard number.first?.isNumber == true, number.last?.isNumber == true,
                number.allSatisfy({ ("0"..."9").contains($0) || $0 == "." }),
                let value = Double(number), value * nanoseconds <= Self.longestSpelled
            else { continue }
            self = .nanoseconds(Int64((value * nanoseconds).rounded()))
            return
        }
        return nil
    }

    /// As files and reports spell it: the largest unit that leaves a whole number, else milliseconds with decimals.
    package var spelled: String {
        let ns = nanoseconds
        if ns == 0 { return "0s" }
        if ns % 60_000_000_000 == 0 { return "\(ns / 60_000_000_000)m" }
        if ns % 1_000_000_000 == 0 { return "\(ns / 1_000_000_000)s" }
        if ns % 1_000_000 == 0 { return "\(ns / 1_000_000)ms" }
        if ns % 1_000 == 0 { return "\(ns / 1_000)us" }
        return "\(ns)ns"
    }
}
