/// Who is connected to whom: what a fault compiles against.
package struct Topology: Hashable, Sendable {
    package var hosts: [HostName]
    package var networks: [NetworkName]
    /// By host, its address on each network.
    package var addresses: [HostName: [NetworkName: String]]
    /// By host, its services in the order in which they start.
    package var services: [HostName: [ServiceName]]
    /// Where roles are played; empty: active-active.
    package var among: [HostName]

    package init(
        hosts: [HostName], networks: [NetworkName],
        addresses: [HostName: [NetworkName: String]], services: [HostName: [ServiceName]] = [:],
        among: [HostName] = []
    ) {
        self.hosts = hosts
        self.networks = networks
        self.addresses = addresses
        self.services = services
        self.among = among
    }

    package init(_ system: System) {
        self.init(
            hosts: system.hosts.map(\.name), networks: system.networks.map(\.name),
            addresses: Dictionary(
                uniqueKeysWithValues: system.hosts.map { host in
                    (
                        host.name,
                        Dictionary(
                            uniqueKeysWithValues: host.addresses.map { ($0.network, $0.address) })
                    )
                }),
            services: Dictionary(
                uniqueKeysWithValues: system.hosts.map { host in
                    (host.name, system.services.filter { $0.hosts.contains(host.name) }.map(\.name))
                }),
            among: system.roles?.among ?? [])
    }

    /// The other host of the pair that plays roles, or of the hosts that run services.
    package func peer(of host: HostName) -> HostName? {
        let pair =
            among.isEmpty ? hosts.filter { $0 != client && !(services[$0] ?? []).isEmpty } : among
        return pair.first { $0 != host }
    }

    /// Where load runs by default: the host named `client`, else the last one.
    package var client: HostName? { hosts.contains("client") ? "client" : hosts.last }

    package func address(of host: HostName, on network: NetworkName? = nil) -> String? {
        guard let network = network ?? networks.first else { return nil }
        return addresses[host]?[network]
    }
}
