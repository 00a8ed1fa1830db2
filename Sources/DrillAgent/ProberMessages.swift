package import DrillCore

/// What is asked of the prober's process: JSON lines on its standard input, whose end is its own.
package struct ProberRequest: Hashable, Sendable, Codable {
    /// Echoed in the reply.
    package var id: Int
    package var command: ProberCommand

    package init(id: Int, command: ProberCommand) {
        self.id = id
        self.command = command
    }
}

package enum ProberCommand: Hashable, Sendable, Codable {
    /// A host's interface, in the network namespace of its first process.
    case join(ProberPort)
    /// All of the host's ports are let go at once: a socket would pin its namespace. Paths stay and wait for its return.
    case leave(HostName)
    case start([ProbePath])
    /// Answered when what is on its way is decided and told.
    case stop([String])
}

package struct ProberPort: Hashable, Sendable, Codable {
    package var host: HostName
    package var network: NetworkName
    package var process: Int32
    package var interface: String

    package init(host: HostName, network: NetworkName, process: Int32, interface: String) {
        self.host = host
        self.network = network
        self.process = process
        self.interface = interface
    }
}

/// A line on the prober's standard output.
package enum ProberMessage: Hashable, Sendable, Codable {
    case reply(id: Int, LabFailure?)
    case bucket(ProbeBucket)
}
