extension History {
    /// Operations name the host that answered by what it says of itself (a run id, a server's start); where an
    /// `identity` event says whose that is, they get the host's name.
    ///
    /// An identity that nobody claims, or two hosts do, stays as it is: it is somebody, and nobody knows who.
    package func namingHosts() -> History {
        var hosts: [HostName: HostName?] = [:]
        for event in events {
            guard case .identity(let host, let id) = event.kind else { continue }
            let identity = HostName(id)
            if let known = hosts[identity], known != host {
                hosts.updateValue(nil, forKey: identity)
            } else {
                hosts.updateValue(host, forKey: identity)
            }
        }
        guard !hosts.isEmpty else { return self }
        var named = self
        for stream in named.streams.indices {
            for index in named.streams[stream].operations.indices {
                guard let identity = named.streams[stream].operations[index].host,
                    let host = hosts[identity] ?? nil
                else { continue }
                named.streams[stream].operations[index].host = host
            }
        }
        return named
    }
}
