import CLinux
import DrillCore

/// A point on this machine's CLOCK_BOOTTIME, in nanoseconds: it goes on while the machine sleeps, and so does a lease.
package struct BootInstant: Hashable, Comparable, Sendable, Codable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static var now: BootInstant { BootInstant(nanoseconds: clinux_boottime_ns()) }

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
    package static func - (left: Self, right: Self) -> Duration {
        .nanoseconds(left.nanoseconds - right.nanoseconds)
    }

    /// What the kernel calls this boot: another one has none of the state that was set in this one.
    static func bootID() throws(LabFailure) -> String {
        let text = try Files.read("/proc/sys/kernel/random/boot_id")
        return String(text.prefix { !$0.isWhitespace })
    }
}
