package import DrillCore
package import DrillNetlink

/// Where a host's interface is plugged in.
struct SwitchPort {
    let network: NetworkName
    let name: InterfaceName
    let index: InterfaceIndex
    /// eth0, eth1, …
    let inside: InterfaceName
    let address: String
    let prefixLength: Int
}

/// The names of a switch's devices: what a person who looks into the namespace wants to read, where it fits.
package struct PortNames {
    private var taken: Set<String> = ["lo", "sink"]

    package init() {}

    package mutating func bridge(_ network: NetworkName, number: Int) -> InterfaceName {
        name("br-\(network)", else: "br\(number)")
    }

    /// `a` on a host's first network, `a-heartbeat` on others; `port7` where that is taken or does not fit.
    package mutating func port(
        _ host: HostName, _ network: NetworkName, isFirst: Bool, number: Int
    ) -> InterfaceName {
        name(isFirst ? host.rawValue : "\(host)-\(network)", else: "port\(number)")
    }

    private mutating func name(_ wanted: String, else fallback: String) -> InterfaceName {
        if let name = InterfaceName(wanted), taken.insert(wanted).inserted { return name }
        taken.insert(fallback)
        guard let name = InterfaceName(fallback) else { fatalError("\(fallback) is a name") }
        return name
    }
}
