import CNetlink
import Glibc

extension NetlinkSocket {
    package func links() throws(NetlinkError) -> [Link] {
        var request = try RequestBuilder("list links", type: RTM_GETLINK)
        request.append(ifinfomsg())
        return try dump(request.finish()).compactMap(Link.init)
    }

    /// Throws ENODEV when there is none.
    package func link(named name: InterfaceName) throws(NetlinkError) -> Link {
        try link("find link \(name)", index: 0, name: name)
    }

    /// Throws ENODEV when there is none.
    package func link(_ index: InterfaceIndex) throws(NetlinkError) -> Link {
        try link("find link \(index)", index: index.rawValue, name: nil)
    }

    private func link(
        _ operation: String, index: Int32, name: InterfaceName?
    ) throws(NetlinkError) -> Link {
        var request = try RequestBuilder(operation, type: RTM_GETLINK)
        request.append(Self.header(index))
        if let name { request.put(IFLA_IFNAME, string: name.rawValue) }
        guard let link = try perform(request.finish()).compactMap(Link.init).first else {
            throw NetlinkError(operation: operation, errno: ENODEV)
        }
        return link
    }

    // MARK: making and removing

    /// A cable: `name` here, `peer` here too or in another namespace (a descriptor of it). Both ends
    /// are down. The answer is the index of the end that is here.
    package func addVeth(
        _ name: InterfaceName, peer: InterfaceName, peerNamespace: Int32? = nil
    ) throws(NetlinkError) -> InterfaceIndex {
        try add(name, kind: "veth") { request in
            request.nest(IFLA_INFO_DATA) { request in
                request.nest(VETH_INFO_PEER) { request in
                    request.append(ifinfomsg())
                    request.put(IFLA_IFNAME, string: peer.rawValue)
                    if let peerNamespace { request.put(IFLA_NET_NS_FD, peerNamespace) }
                }
            }
        }
    }

    /// A switch whose ports forward as soon as they are up: no spanning tree, no forward delay, and
    /// multicast floods (VRRP's group is joined by nobody whom snooping would have seen).
    package func addBridge(_ name: InterfaceName) throws(NetlinkError) -> InterfaceIndex {
        try add(name, kind: "bridge") { request in
            request.nest(IFLA_INFO_DATA) { request in
                request.put(IFLA_BR_STP_STATE, UInt32(0))
                request.put(IFLA_BR_FORWARD_DELAY, UInt32(0))
                request.put(IFLA_BR_MCAST_SNOOPING, UInt8(0))
            }
        }
    }

    /// A device to redirect to: a sink while it is down, a shaper with a root qdisc while it is up.
    package func addIFB(
        _ name: InterfaceName, alias: String? = nil
    ) throws(NetlinkError) -> InterfaceIndex {
        let index = try add(name, kind: "ifb") { _ in }
        if let alias { try setAlias(index, alias) }
        return index
    }

    private func add(
        _ name: InterfaceName, kind: String, _ details: (inout RequestBuilder) -> Void
    ) throws(NetlinkError) -> InterfaceIndex {
        var request = try RequestBuilder(
            "add \(kind) \(name)", type: RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL)
        request.append(ifinfomsg())
        request.put(IFLA_IFNAME, string: name.rawValue)
        request.nest(IFLA_LINKINFO) { request in
            request.put(IFLA_INFO_KIND, string: kind)
            details(&request)
        }
        try perform(request.finish())
        return try link(named: name).index
    }

    /// A veth takes its peer along, wherever that is.
    package func delete(_ index: InterfaceIndex) throws(NetlinkError) {
        var request = try RequestBuilder("delete link \(index)", type: RTM_DELLINK)
        request.append(Self.header(index.rawValue))
        try perform(request.finish())
    }

    // MARK: changing

    /// A veth's other end loses its carrier while this one is down.
    package func setUp(_ index: InterfaceIndex, _ isUp: Bool) throws(NetlinkError) {
        var request = try RequestBuilder(
            "set link \(index) \(isUp ? "up" : "down")", type: RTM_NEWLINK)
        var header = Self.header(index.rawValue)
        header.ifi_flags = isUp ? 1 : 0
        header.ifi_change = 1
        request.append(header)
        try perform(request.finish())
    }

    /// Makes the link a port of the bridge, or of none.
    package func setMaster(
        _ index: InterfaceIndex, of bridge: InterfaceIndex?
    ) throws(NetlinkError) {
        let place = bridge.map { "a port of \($0)" } ?? "no port"
        try change(index, "make link \(index) \(place)") {
            $0.put(IFLA_MASTER, bridge?.rawValue ?? 0)
        }
    }

    package func rename(_ index: InterfaceIndex, to name: InterfaceName) throws(NetlinkError) {
        try change(index, "rename link \(index) to \(name)") {
            $0.put(IFLA_IFNAME, string: name.rawValue)
        }
    }

    package func setAlias(_ index: InterfaceIndex, _ alias: String) throws(NetlinkError) {
        try change(index, "set the alias of link \(index)") {
            $0.put(IFLA_IFALIAS, string: alias)
        }
    }

    /// 1: every frame is a packet of its own, so that a packet fault hits packets. Read back.
    package func setGSOMaxSegments(
        _ index: InterfaceIndex, _ segments: UInt32
    ) throws(NetlinkError) {
        let operation = "set gso_max_segs of link \(index)"
        try change(index, operation) { $0.put(IFLA_GSO_MAX_SEGS, segments) }
        let found = try link(index).gsoMaxSegments
        guard found == segments else {
            throw .readBack(
                operation, set: "\(segments)", found: found.map { "\($0)" } ?? "no such attribute")
        }
    }

    /// How many packets may wait in a TAP until its program reads them; more are dropped. Read back.
    package func setTxQueueLength(
        _ index: InterfaceIndex, _ packets: UInt32
    ) throws(NetlinkError) {
        let operation = "set txqueuelen of link \(index)"
        try change(index, operation) { $0.put(IFLA_TXQLEN, packets) }
        let found = try link(index).txQueueLength
        guard found == packets else {
            throw .readBack(operation, set: "\(packets)", found: "\(found)")
        }
    }

    package func setMAC(_ index: InterfaceIndex, _ mac: [UInt8]) throws(NetlinkError) {
        try change(index, "set the MAC of link \(index)") { $0.put(IFLA_ADDRESS, bytes: mac) }
    }

    package func setMTU(_ index: InterfaceIndex, _ mtu: UInt32) throws(NetlinkError) {
        try change(index, "set the MTU of link \(index)") { $0.put(IFLA_MTU, mtu) }
    }

    /// Keeps the link from giving itself a link-local address, so that a switch port sends nothing
    /// of its own (no neighbour discovery, no MLD report) to the host behind it.
    package func disableIPv6Addresses(_ index: InterfaceIndex) throws(NetlinkError) {
        try change(index, "disable IPv6 addresses of link \(index)") { request in
            request.nest(IFLA_AF_SPEC) { request in
                request.nest(AF_INET6) { request in
                    request.put(IFLA_INET6_ADDR_GEN_MODE, UInt8(IN6_ADDR_GEN_MODE_NONE.rawValue))
                }
            }
        }
    }

    /// Moves the link to another namespace, under a new name when one is given. It keeps its MAC and
    /// its peer, and loses its addresses, routes and up state. Its index may differ there.
    package func move(
        _ index: InterfaceIndex, toNamespace namespace: Int32, as name: InterfaceName? = nil
    ) throws(NetlinkError) {
        try change(index, "move link \(index) to another namespace") {
            $0.put(IFLA_NET_NS_FD, namespace)
            if let name { $0.put(IFLA_IFNAME, string: name.rawValue) }
        }
    }

    private func change(
        _ index: InterfaceIndex, _ operation: String, _ attributes: (inout RequestBuilder) -> Void
    ) throws(NetlinkError) {
        var request = try RequestBuilder(operation, type: RTM_NEWLINK)
        request.append(Self.header(index.rawValue))
        attributes(&request)
        try perform(request.finish())
    }

    private static func header(_ index: Int32) -> ifinfomsg {
        var header = ifinfomsg()
        header.ifi_index = index
        return header
    }
}
