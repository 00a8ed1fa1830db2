/// One reversible change that a fault asks for. A fault emits these and performs nothing.
package enum FaultOperation: Hashable, Sendable, Codable {
    case lab(LabOperation)
    case host(HostName, HostOperation)
}

/// What the lab does to a host from outside: its power, its cable.
package enum LabOperation: Hashable, Sendable, Codable {
    /// Both directions of all the host's switch ports go to a sink; the host itself sees nothing of it.
    case silence(HostName)
    case unsilence(HostName)
    /// All processes of the host end at once, the kernel's state with them. Silence it first.
    case kill(HostName)
    case freeze(HostName)
    case thaw(HostName)
    /// A fresh kernel state, its static addresses, its services in order. Ends the silence.
    case boot(HostName)
    /// The carrier of the host's switch port on a network, lowered from the switch's side.
    case carrier(HostName, NetworkName, up: Bool)
    /// Traffic of one link and direction is treated so, at the egress of the receiver's switch port.
    case attach(LinkDirection, LinkTreatment)
    case detach(LinkDirection)
}

package struct LinkDirection: Hashable, Sendable, Codable, CustomStringConvertible {
    package var network: NetworkName
    package var from: HostName
    package var to: HostName

    package init(network: NetworkName, from: HostName, to: HostName) {
        self.network = network
        self.from = from
        self.to = to
    }

    package var description: String { "\(from)->\(to) on \(network)" }
}

package enum LinkTreatment: Hashable, Sendable, Codable {
    /// All packets vanish.
    case sink
}

/// What an agent does on its host.
package enum HostOperation: Hashable, Sendable, Codable {
    /// SIGKILL to all of the service's processes; acknowledged when they are gone.
    case killService(ServiceName)
    /// SIGTERM, and SIGKILL after five seconds; the interval is that of sending the signal.
    case stopService(ServiceName)
    case startService(ServiceName)
    /// Acknowledged when all of its processes have stopped.
    case pauseService(ServiceName)
    case continueService(ServiceName)
    /// To the service's main process; the interval is that of sending.
    case signalService(ServiceName, Int32)
    /// Runs a program to its end; the interval is that of its start.
    case run([String])
}
