/// The kernel's name of a qdisc, a class or a place to hang one: `1:10`.
package struct TrafficHandle: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package init(_ major: UInt16, _ minor: UInt16 = 0) {
        rawValue = UInt32(major) << 16 | UInt32(minor)
    }

    /// The kernel picks one, or there is none.
    package static let none = TrafficHandle(rawValue: 0)
    /// Where a link's one root qdisc hangs.
    package static let root = TrafficHandle(rawValue: 0xffff_ffff)
    /// Where clsact (or ingress) hangs, beside the root.
    package static let clsact = TrafficHandle(rawValue: 0xffff_fff1)

    package var major: UInt16 { UInt16(rawValue >> 16) }
    package var minor: UInt16 { UInt16(truncatingIfNeeded: rawValue) }

    package var description: String {
        self == .root
            ? "root" : "\(String(major, radix: 16)):\(String(minor, radix: 16))"
    }
}
