extension System {
    /// Where the data is: the hosts that share the role, else those that run services and no load.
    package func dataHosts(besides workloads: [Workload]) -> [HostName] {
        if let roles { return roles.among }
        let clients = workloads.compactMap { workload in
            if case .host(let host) = workload.from { host } else { nil }
        }
        return hosts.map(\.name).filter { host in
            !clients.contains(host) && services.contains { $0.hosts.contains(host) }
        }
    }
}
