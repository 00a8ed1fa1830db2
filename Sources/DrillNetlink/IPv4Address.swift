import Glibc

/// `10.77.0.11`
package struct IPv4Address: Hashable, Sendable, CustomStringConvertible {
    /// The first byte is the highest.
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// nil for anything but four decimal numbers.
    package init?(_ text: String) {
        var address = in_addr()
        guard inet_pton(AF_INET, text, &address) == 1 else { return nil }
        rawValue = UInt32(bigEndian: address.s_addr)
    }

    package var description: String {
        [24, 16, 8, 0].map { "\(rawValue >> $0 & 0xff)" }.joined(separator: ".")
    }
}
