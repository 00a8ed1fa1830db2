import CNetlink

/// A link as the kernel describes it.
package struct Link: Hashable, Sendable {
    package let index: InterfaceIndex
    package let name: InterfaceName
    /// `veth`, `bridge`, `ifb`; nil for hardware and loopback.
    package let kind: String?
    /// Set up by its owner.
    package let isUp: Bool
    /// LOWER_UP: up, and the other end of the cable is up too.
    package let hasCarrier: Bool
    /// `02:00:0a:4d:00:0b`; nil where the kind has none.
    package let mac: String?
    /// The bridge of a port.
    package let master: InterfaceIndex?
    package let alias: String?
    package let mtu: UInt32
    package let gsoMaxSegments: UInt32?
    /// Packets that may wait where the device itself queues them: a TAP's unread ones.
    package let txQueueLength: UInt32

    init?(_ reply: NetlinkReply) {
        guard Int32(reply.type) == RTM_NEWLINK, let header = reply.header(ifinfomsg.self) else {
            return nil
        }
        let attributes = reply.attributes(after: ifinfomsg.self)
        guard let name = attributes.string(IFLA_IFNAME) else { return nil }
        index = InterfaceIndex(rawValue: header.ifi_index)
        self.name = InterfaceName(fromKernel: name)
        kind = attributes.nested(IFLA_LINKINFO)?.string(IFLA_INFO_KIND)
        isUp = header.ifi_flags & 0x1 != 0  // IFF_UP
        hasCarrier = header.ifi_flags & 0x1_0000 != 0  // IFF_LOWER_UP
        mac = attributes[IFLA_ADDRESS].map(Self.text)
        master = attributes.value(IFLA_MASTER, as: Int32.self).map(InterfaceIndex.init(rawValue:))
        alias = attributes.string(IFLA_IFALIAS)
        mtu = attributes.value(IFLA_MTU) ?? 0
        txQueueLength = attributes.value(IFLA_TXQLEN) ?? 0
        gsoMaxSegments = attributes.value(IFLA_GSO_MAX_SEGS)
    }

    private static func text(ofMAC bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}
