internal import DrillCore

/// The netlink messages that a lab sends for an operation, in rtnetlink's own words, for `firedrill plan`.
///
/// The numbers are DrillNetlink's: preference 0xfd1e at egress, 0xfd1f at ingress, since u32 shares its tables
/// between both hooks of a clsact.
enum NetlinkMessages {
    static func of(_ operation: FaultOperation) -> [String] {
        switch operation {
        case .lab(let operation): of(operation)
        case .host: []
        }
    }

    private static func of(_ operation: LabOperation) -> [String] {
        switch operation {
        case .silence(let host):
            [
                "RTM_NEWTFILTER \(port(host)) clsact/egress pref 0xfd1e u32 match 0/0 mirred redirect sink",
                "RTM_NEWTFILTER \(port(host)) clsact/ingress pref 0xfd1f u32 match 0/0 mirred redirect sink",
            ]
        case .unsilence(let host):
            [
                "RTM_DELTFILTER \(port(host)) clsact/egress pref 0xfd1e",
                "RTM_DELTFILTER \(port(host)) clsact/ingress pref 0xfd1f",
            ]
        case .boot(let host):
            ["RTM_NEWLINK eth0 of \(host) IFLA_NET_NS_FD, IFF_UP", "RTM_NEWADDR eth0 of \(host)"]
                + of(.unsilence(host))
        case .carrier(let host, let network, let isUp):
            ["RTM_NEWLINK \(port(host, network)) \(isUp ? "IFF_UP" : "~IFF_UP")"]
        case .attach(let link, _):
            [
                "RTM_NEWTFILTER \(port(link.to, link.network)) clsact/egress pref 0xfd1e u32 match 0/0 indev \(port(link.from, link.network)) mirred redirect sink"
            ]
        case .detach(let link, _):
            ["RTM_DELTFILTER \(port(link.to, link.network)) clsact/egress pref 0xfd1e"]
        case .kill, .freeze, .thaw, .flap, .unflap: []
        }
    }

    private static func port(_ host: HostName, _ network: NetworkName? = nil) -> String {
        network.map { "port(\(host), \($0))" } ?? "port(\(host))"
    }
}
