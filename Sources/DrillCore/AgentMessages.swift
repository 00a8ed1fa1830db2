/// What the controller asks of the agent on a host that is not a lab's: JSON lines on its standard input, answered by
/// `LabMessage`s.
package struct AgentRequest: Hashable, Sendable, Codable {
    /// Echoed in the reply; counts up from 1.
    package var id: Int
    package var command: AgentCommand

    package init(id: Int, command: AgentCommand) {
        self.id = id
        self.command = command
    }
}

package enum AgentCommand: Hashable, Sendable, Codable {
    /// First message; `detail` has versions, the boot id, and `management`: the interfaces that carry the controller's
    /// own connection.
    case hello(version: String)
    /// Makes the run's folder and journal and starts the watchdog; changes may stay for `lease` (CLOCK_BOOTTIME).
    case begin(RunID, lease: Duration)
    /// One change, recorded before it is made and read back after it.
    case perform(MachineChange)
    /// Takes an open change that is equal to this back; the reply carries the verdict.
    case undo(MachineChange)
    /// The controller lives: what it asked for may stay for another lease.
    case renew
    /// Takes everything back and ends; `left_behind` in detail.
    case finish
}

/// What an agent changes on its host, in the network namespace that it runs in. Each has one way back.
package enum MachineChange: Hashable, Sendable, Codable {
    /// The traffic vanishes, without a sign to its sender.
    case cut(PeerTraffic)
    /// Only of leaving traffic: what has arrived cannot be delayed any more.
    case impair(PeerTraffic, Impairment)
    /// The interface is set down. Its addresses stay; static routes that go with it are given back with it.
    case lower(interface: String)
    /// A program of the user's, and the one that takes its effect back.
    case command([String], undo: [String])
}

/// What a host exchanges with others through one of its interfaces: IPv4, by address. ARP and IPv6 pass.
package struct PeerTraffic: Hashable, Sendable, Codable, CustomStringConvertible {
    package enum Direction: String, Hashable, Sendable, Codable {
        /// Told by its source: multicast and broadcast as well.
        case arriving
        /// Told by its destination.
        case leaving
    }

    package var interface: String
    package var direction: Direction
    /// IPv4 addresses of the other hosts.
    package var peers: [String]
    package var traffic: TrafficSelector

    package init(
        interface: String, direction: Direction, peers: [String], traffic: TrafficSelector = .all
    ) {
        self.interface = interface
        self.direction = direction
        self.peers = peers
        self.traffic = traffic
    }

    package var description: String {
        let what = traffic == .all ? "traffic" : "\(traffic)"
        let way = direction == .arriving ? "from" : "to"
        return "\(what) \(way) \(peers.joined(separator: ", ")) on \(interface)"
    }
}
