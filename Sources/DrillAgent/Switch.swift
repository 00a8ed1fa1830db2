import DrillCore
import DrillNetlink
import Glibc

/// The namespace that connects the hosts: a bridge for each network, a port for each host on it, and a sink.
///
/// It is the supervisor's own network namespace, so that its end, whatever the cause, is the end of all links.
@LabActor
final class Switch {
    private let netlink: NetlinkSocket
    private let alias: String
    private var names = PortNames()
    private var bridges: [NetworkName: InterfaceIndex] = [:]
    private var ports: [HostName: [SwitchPort]] = [:]
    private var portCount = 0
    /// Down: what is redirected to it vanishes without a sign to the sender.
    private let sink: InterfaceIndex
    private var silences: [HostName: [InstalledRedirect]] = [:]
    let links: LinkFaults

    /// In the calling thread's namespace, which is the switch from now on.
    init(
        run: RunID, networks: [Network], backend: LinkBackend?, cgroup: Cgroup
    ) throws(LabFailure) {
        alias = "firedrill:\(run)"
        let alias = alias
        netlink = try DrillAgent.netlink { () throws(NetlinkError) in try NetlinkSocket() }
        do throws(NetlinkError) {
            sink = try netlink.addIFB("sink", alias: alias)
            for (number, network) in networks.enumerated() {
                let bridge = try netlink.addBridge(names.bridge(network.name, number: number))
                try netlink.setAlias(bridge, alias)
                try netlink.disableIPv6Addresses(bridge)
                try netlink.setUp(bridge, true)
                bridges[network.name] = bridge
            }
        } catch {
            throw LabFailure(error)
        }
        links = try LinkFaults(alias: alias, sink: sink, backend: backend, cgroup: cgroup)
    }

    /// Plugs the host in: a port on each of its networks, and the other ends in its namespace as eth0, eth1, ….
    func connect(_ host: LabHost, to namespace: borrowing NetworkNamespace) throws(LabFailure) {
        for (number, wanted) in host.ports.enumerated() {
            guard let bridge = bridges[wanted.network] else {
                throw LabFailure(
                    kind: .failed,
                    message: "host \(host.name): there is no network \(wanted.network)")
            }
            portCount += 1
            let name = names.port(
                host.name, wanted.network, isFirst: number == 0, number: portCount)
            guard let inside = InterfaceName("eth\(number)") else { continue }
            let target = namespace.fileDescriptor
            let alias = alias
            let port = try DrillAgent.netlink { () throws(NetlinkError) in
                let index = try netlink.addVeth(name, peer: inside, peerNamespace: target)
                try netlink.setAlias(index, alias)
                try netlink.disableIPv6Addresses(index)
                // A packet fault must hit packets, not 64 kB super-frames.
                try netlink.setGSOMaxSegments(index, 1)
                try netlink.setMaster(index, of: bridge)
                // Here already, so that a silence is one system call.
                _ = try netlink.ensureClsact(index)
                try netlink.setUp(index, true)
                return SwitchPort(
                    network: wanted.network, name: name, index: index, inside: inside,
                    address: wanted.address, prefixLength: wanted.prefixLength)
            }
            ports[host.name, default: []].append(port)
        }
        try configure(host.name, in: namespace)
    }

    /// Loopback and interfaces up, with the static addresses; nothing else that a dead host had is given back.
    private func configure(
        _ host: HostName, in namespace: borrowing NetworkNamespace
    ) throws(LabFailure) {
        do throws(NetlinkError) {
            let inner = try NetlinkSocket(in: namespace)
            try inner.setUp(try inner.link(named: "lo").index, true)
            for port in ports[host] ?? [] {
                let index = try inner.link(named: port.inside).index
                try inner.setGSOMaxSegments(index, 1)
                try inner.setUp(index, true)
                try inner.addAddress(index, port.address, port.prefixLength)
            }
        } catch {
            throw LabFailure(error)
        }
    }

    /// Moves a dead host's interfaces, MAC kept, into its next boot's namespace. The ports stay, with all that is on them.
    func move(
        _ host: HostName, from old: borrowing NetworkNamespace, to new: borrowing NetworkNamespace
    ) throws(LabFailure) {
        do throws(NetlinkError) {
            let inner = try NetlinkSocket(in: old)
            for port in ports[host] ?? [] {
                try inner.move(
                    try inner.link(named: port.inside).index, toNamespace: new.fileDescriptor)
            }
        } catch {
            throw LabFailure(error)
        }
        try configure(host, in: new)
    }

    // MARK: faults

    func isSilent(_ host: HostName) -> Bool { silences[host] != nil }

    /// Whether all of what silences the host is in the kernel still.
    func isSilenceInPlace(_ host: HostName) throws(LabFailure) -> Bool {
        guard let installed = silences[host] else { return false }
        return try DrillAgent.netlink { () throws(NetlinkError) in
            for one in installed where try !netlink.isInstalled(one) { return false }
            return true
        }
    }

    func isPortUp(_ host: HostName, _ network: NetworkName) throws(LabFailure) -> Bool {
        let port = try port(of: host, on: network)
        return try DrillAgent.netlink { () throws(NetlinkError) in
            try netlink.link(port.index).isUp
        }
    }

    /// Both directions of all of its ports, with one system call; read back.
    func silence(_ host: HostName) throws(LabFailure) -> InstantInterval {
        guard silences[host] == nil else {
            throw LabFailure(kind: .failed, message: "host \(host) is silent already")
        }
        let redirects = try ports(of: host).flatMap { port in
            TrafficHook.allCases.map { Redirect(port: port.index, hook: $0, sink: sink, slot: 1) }
        }
        let low = RunInstant.now
        silences[host] = try DrillAgent.netlink { () throws(NetlinkError) in
            try netlink.redirect(redirects)
        }
        return InstantInterval(low: low, high: .now)
    }

    func unsilence(_ host: HostName) throws(LabFailure) -> InstantInterval {
        guard let installed = silences[host] else {
            throw LabFailure(kind: .failed, message: "host \(host) is not silent")
        }
        let low = RunInstant.now
        try DrillAgent.netlink { () throws(NetlinkError) in try netlink.removeRedirects(installed) }
        silences[host] = nil
        return InstantInterval(low: low, high: .now)
    }

    func setCarrier(
        _ host: HostName, _ network: NetworkName, _ isUp: Bool
    ) throws(LabFailure) -> InstantInterval {
        let port = try port(of: host, on: network)
        let low = RunInstant.now
        try DrillAgent.netlink { () throws(NetlinkError) in try netlink.setUp(port.index, isUp) }
        let high = RunInstant.now
        let link = try DrillAgent.netlink { () throws(NetlinkError) in try netlink.link(port.index)
        }
        guard link.isUp == isUp else {
            throw LabFailure(
                kind: .failed,
                message:
                    "port \(port.name) is \(link.isUp ? "up" : "down") after it was set \(isUp ? "up" : "down")"
            )
        }
        return InstantInterval(low: low, high: high)
    }

    /// Where packets of a direction are caught: at the egress of the receiver's port, by the port they arrived at.
    func place(of link: LinkDirection) throws(LabFailure) -> LinkFaults.Place {
        let to = try port(of: link.to, on: link.network)
        let from = try port(of: link.from, on: link.network)
        return LinkFaults.Place(port: to.index, name: to.name, arrival: from.name)
    }

    // MARK: the end

    /// All devices, at once and not when the kernel gets round to it; returns what is still there.
    func tearDown() throws(LabFailure) -> [String] {
        do throws(NetlinkError) {
            for port in ports.values.joined() { try remove(port.index) }
            for bridge in bridges.values { try remove(bridge) }
            try remove(sink)
            return try netlink.links().filter { $0.alias == alias }.map { "link \($0.name)" }
        } catch {
            throw LabFailure(error)
        }
    }

    /// A port may have gone with the namespace of its other end.
    private func remove(_ index: InterfaceIndex) throws(NetlinkError) {
        do {
            try netlink.delete(index)
        } catch {
            if error.errno != ENODEV { throw error }
        }
    }

    func ports(of host: HostName) throws(LabFailure) -> [SwitchPort] {
        guard let ports = ports[host] else {
            throw LabFailure(kind: .failed, message: "there is no host \(host) in this lab")
        }
        return ports
    }

    private func port(
        of host: HostName, on network: NetworkName
    ) throws(LabFailure) -> SwitchPort {
        guard let port = try ports(of: host).first(where: { $0.network == network }) else {
            throw LabFailure(
                kind: .failed, message: "host \(host) is not on network \(network)")
        }
        return port
    }
}
