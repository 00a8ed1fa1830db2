import CNetlink
import Glibc

extension NetlinkSocket {
    /// IPv4 and IPv6, in the kernel's order.
    package func addresses() throws(NetlinkError) -> [InterfaceAddress] {
        try dump(Self.listAddresses()).compactMap(InterfaceAddress.init)
    }

    static func listAddresses() throws(NetlinkError) -> NetlinkRequest {
        var request = try RequestBuilder("list addresses", type: RTM_GETADDR)
        request.append(ifaddrmsg())
        return try request.finish()
    }

    /// Throws EEXIST when it is there, EINVAL when `address` is none.
    package func addAddress(
        _ index: InterfaceIndex, _ address: String, _ prefixLength: Int
    ) throws(NetlinkError) {
        try perform(
            Self.request(
                "add", RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, address, prefixLength))
    }

    /// Throws EADDRNOTAVAIL when it is not there.
    package func deleteAddress(
        _ index: InterfaceIndex, _ address: String, _ prefixLength: Int
    ) throws(NetlinkError) {
        try perform(Self.request("delete", RTM_DELADDR, 0, index, address, prefixLength))
    }

    private static func request(
        _ verb: String, _ type: some BinaryInteger, _ flags: Int32, _ index: InterfaceIndex,
        _ address: String, _ prefixLength: Int
    ) throws(NetlinkError) -> NetlinkRequest {
        let operation = "\(verb) address \(address)/\(prefixLength) on link \(index)"
        guard
            let bytes = InterfaceAddress.bytes(address),
            let family = InterfaceAddress.family(bytes),
            (0...(bytes.count * 8)).contains(prefixLength)
        else { throw NetlinkError(operation: operation, errno: EINVAL) }
        var request = try RequestBuilder(operation, type: type, flags: flags)
        var header = ifaddrmsg()
        header.ifa_family = UInt8(family)
        header.ifa_prefixlen = UInt8(prefixLength)
        header.ifa_index = UInt32(index.rawValue)
        // Duplicate address detection would keep a fresh IPv6 address unusable for a second.
        if family == AF_INET6 { header.ifa_flags = UInt8(IFA_F_NODAD) }
        request.append(header)
        request.put(IFA_LOCAL, bytes: bytes)
        request.put(IFA_ADDRESS, bytes: bytes)
        return try request.finish()
    }
}
