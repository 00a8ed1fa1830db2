import CNetlink
import Glibc

/// A route as the kernel describes it, in the kernel's own bytes, so that it can be put back as it was.
package struct Route: Hashable, Sendable {
    /// rtmsg and its attributes, without what the kernel only tells.
    package let bytes: [UInt8]
    package let link: InterfaceIndex?
    /// Set by a person or a script of theirs (RTPROT_BOOT, RTPROT_STATIC), and by no program that would set it again.
    package let isStatic: Bool
    private let identity: [UInt8]

    /// From what `bytes` held; nil where it is none.
    package init?(bytes: [UInt8]) {
        let length = MemoryLayout<rtmsg>.size
        guard bytes.count >= length else { return nil }
        var header = bytes.load(rtmsg.self, at: 0)
        let attributes = Attributes(bytes.dropFirst(length))
        link = attributes.value(RTA_OIF.rawValue, as: Int32.self).map(
            InterfaceIndex.init(rawValue:))
        isStatic =
            (Int32(header.rtm_protocol) == RTPROT_BOOT
                || Int32(header.rtm_protocol) == RTPROT_STATIC)
            && Int32(header.rtm_type) == RTN_UNICAST
        // Of the flags only "onlink" is set by users; others tell the state of the link.
        header.rtm_flags &= UInt32(RTNH_F_ONLINK)
        let told: Set<Int> = [Int(RTA_CACHEINFO.rawValue), Int(RTA_EXPIRES.rawValue)]
        var kept = withUnsafeBytes(of: header) { Array($0) }
        for entry in attributes.entries where !told.contains(entry.type) {
            kept += Self.encoded(entry)
        }
        self.bytes = kept
        let named: Set<Int> = [RTA_DST, RTA_PRIORITY, RTA_TABLE].reduce(into: []) {
            $0.insert(Int($1.rawValue))
        }
        var identity = [header.rtm_family, header.rtm_dst_len, header.rtm_tos]
        for entry in attributes.entries.sorted(by: { $0.type < $1.type })
        where named.contains(entry.type) {
            identity += Self.encoded(entry)
        }
        self.identity = identity
    }

    init?(_ reply: NetlinkReply) {
        guard Int32(reply.type) == RTM_NEWROUTE else { return nil }
        self.init(bytes: reply.payload)
    }

    /// The kernel has one route of this family, table, destination, TOS and priority.
    package func hasPlace(of other: Route) -> Bool { identity == other.identity }

    private static func encoded(_ entry: Attributes.Entry) -> [UInt8] {
        let length = UInt16(entry.value.count + 4)
        var bytes = withUnsafeBytes(of: (length, UInt16(entry.type))) { Array($0) } + entry.value
        while bytes.count % 4 != 0 { bytes.append(0) }
        return bytes
    }
}

extension NetlinkSocket {
    /// IPv4 and IPv6, of all tables.
    package func routes() throws(NetlinkError) -> [Route] {
        var routes: [Route] = []
        for family in [AF_INET, AF_INET6] {
            var request = try RequestBuilder("list routes", type: RTM_GETROUTE)
            var header = rtmsg()
            header.rtm_family = UInt8(family)
            request.append(header)
            routes += try dump(request.finish()).compactMap(Route.init)
        }
        return routes
    }

    /// Throws EEXIST where its place is taken.
    package func addRoute(_ route: Route) throws(NetlinkError) {
        var request = try RequestBuilder(
            "put a route back", type: RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_EXCL)
        request.append(route.bytes.load(rtmsg.self, at: 0))
        for entry in Attributes(route.bytes.dropFirst(MemoryLayout<rtmsg>.size)).entries {
            request.put(entry.type, bytes: entry.value)
        }
        try perform(request.finish())
    }

    /// The link through which packets to the address leave; nil where it cannot be reached or is no address.
    package func link(towards address: String) throws(NetlinkError) -> InterfaceIndex? {
        guard let bytes = InterfaceAddress.bytes(address),
            let family = InterfaceAddress.family(bytes)
        else { return nil }
        var request = try RequestBuilder("find the way to \(address)", type: RTM_GETROUTE)
        var header = rtmsg()
        header.rtm_family = UInt8(family)
        header.rtm_dst_len = UInt8(bytes.count * 8)
        request.append(header)
        request.put(RTA_DST.rawValue, bytes: bytes)
        do throws(NetlinkError) {
            return try perform(request.finish()).compactMap(Route.init).first?.link
        } catch {
            guard error.errno == ENETUNREACH || error.errno == EHOSTUNREACH else { throw error }
            return nil
        }
    }
}
