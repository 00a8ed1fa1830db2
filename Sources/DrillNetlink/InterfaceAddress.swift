import CNetlink
import Glibc

/// An IPv4 or IPv6 address on a link.
package struct InterfaceAddress: Hashable, Sendable, CustomStringConvertible {
    package let index: InterfaceIndex
    /// `10.77.0.100`, `fe80::1`: as inet_ntop writes it.
    package let address: String
    package let prefixLength: Int
    /// IPv4 only.
    package let label: String?

    package var description: String { "\(address)/\(prefixLength) on link \(index)" }

    init?(_ reply: NetlinkReply) {
        guard let header = reply.header(ifaddrmsg.self) else { return nil }
        let attributes = reply.attributes(after: ifaddrmsg.self)
        // IFA_LOCAL is the own address; IFA_ADDRESS is the peer's on a point-to-point link, and the
        // only one that IPv6 has.
        guard
            let bytes = attributes[IFA_LOCAL] ?? attributes[IFA_ADDRESS],
            let text = Self.text(bytes)
        else { return nil }
        index = InterfaceIndex(rawValue: Int32(header.ifa_index))
        address = text
        prefixLength = Int(header.ifa_prefixlen)
        label = attributes.string(IFA_LABEL)
    }

    private static func text(_ bytes: [UInt8]) -> String? {
        guard let family = family(bytes) else { return nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 46) { text in
            inet_ntop(family, bytes, text.baseAddress, 46).map { String(cString: $0) }
        }
    }

    /// AF_INET or AF_INET6 by length.
    static func family(_ bytes: [UInt8]) -> Int32? {
        switch bytes.count {
        case 4: AF_INET
        case 16: AF_INET6
        default: nil
        }
    }

    /// The address in network order; nil when it is no address.
    static func bytes(_ text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes[..<4]) }
        return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
    }
}
