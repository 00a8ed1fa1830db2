import DrillNetlink
import Glibc

/// A namespace with eth0 and one address, plugged into a `TestSwitch`.
final class TestHost {
    let namespace: NetworkNamespace
    let socket: NetlinkSocket
    let name: InterfaceName
    /// On the switch.
    let port: InterfaceIndex
    /// Inside.
    let eth0: InterfaceIndex
    let address: String
    let mac: [UInt8]

    init(_ name: InterfaceName, _ address: String, on network: TestSwitch) throws {
        self.name = name
        self.address = address
        namespace = try NetworkNamespace.create()
        socket = try NetlinkSocket(in: namespace)
        port = try network.socket.addVeth(
            name, peer: "eth0", peerNamespace: namespace.fileDescriptor)
        try network.socket.disableIPv6Addresses(port)
        try network.socket.setMaster(port, of: network.bridge)
        try network.socket.setUp(port, true)
        let inside = try socket.link(named: "eth0")
        eth0 = inside.index
        mac = (inside.mac ?? "").split(separator: ":").compactMap { UInt8($0, radix: 16) }
        try socket.setUp(socket.link(named: "lo").index, true)
        try socket.addAddress(eth0, address, 24)
        try socket.setUp(eth0, true)
    }
}

/// A bridge in a namespace of its own, with a sink.
final class TestSwitch {
    let namespace: NetworkNamespace
    let socket: NetlinkSocket
    let bridge: InterfaceIndex
    let sink: InterfaceIndex

    init() throws {
        namespace = try NetworkNamespace.create()
        socket = try NetlinkSocket(in: namespace)
        bridge = try socket.addBridge("br-main")
        try socket.disableIPv6Addresses(bridge)
        try socket.setUp(bridge, true)
        sink = try socket.addIFB("sink", alias: "firedrill:test")
    }
}

/// a, b and c on one switch.
struct TestNetwork {
    let network: TestSwitch
    let a: TestHost
    let b: TestHost
    let c: TestHost

    init() throws {
        network = try TestSwitch()
        a = try TestHost("a", "10.77.0.11", on: network)
        b = try TestHost("b", "10.77.0.12", on: network)
        c = try TestHost("c", "10.77.0.13", on: network)
        for host in [a, b, c] { _ = try network.socket.ensureClsact(host.port) }
        for (from, to) in [(a, b), (b, a), (c, b), (b, c)] {
            try waitUntilReachable(Datagrams(to), to.address, from: from)
        }
    }
}
