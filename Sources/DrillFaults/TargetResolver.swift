package import DrillCore

/// Turns hosts and roles of a scenario into hosts of the system, just before a step begins.
package struct TargetResolver: Sendable {
    package var topology: Topology
    package var primary: HostName?
    package var standby: HostName?

    package init(topology: Topology, primary: HostName?, standby: HostName?) {
        self.topology = topology
        self.primary = primary
        self.standby = standby
    }

    package func hosts(_ selector: HostSelector, except: Set<HostName> = []) throws(FaultError)
        -> [HostName]
    {
        switch selector {
        case .host(let name): return [name]
        case .role(.primary):
            guard let primary else { throw FaultError("no single host is primary") }
            return [primary]
        case .role(.standby):
            guard let standby else { throw FaultError("no single host is standby") }
            return [standby]
        case .every: return topology.hosts.filter { !except.contains($0) }
        }
    }

    package func targets(_ target: FaultTarget) throws(FaultError) -> FaultTargets {
        switch target {
        case .host(let selector):
            let found = try hosts(selector)
            guard found.count == 1, let host = found.first else {
                throw FaultError("'\(selector)' names more than one host")
            }
            return .host(host)
        case .link(let link):
            var named: Set<HostName> = []
            for selector in [link.from, link.to] where selector != .every {
                named.formUnion(try hosts(selector))
            }
            var pairs: [(from: HostName, to: HostName)] = []
            for from in try hosts(link.from, except: named) {
                for to in try hosts(link.to, except: named) where to != from {
                    pairs.append((from, to))
                    if link.bothWays { pairs.append((to, from)) }
                }
            }
            return .links(pairs)
        }
    }
}
