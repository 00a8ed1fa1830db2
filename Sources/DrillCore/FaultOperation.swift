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
    /// The carrier goes and comes: down for `duty` (0...1) of every period, down first.
    case flap(HostName, NetworkName, period: Duration, duty: Double)
    case unflap(HostName, NetworkName)
    /// Traffic of one link and direction is treated so as well, at the egress of the receiver's switch port. Several
    /// treatments of one link are merged (`Impairment.merged`); a cut wins.
    case attach(LinkDirection, LinkTreatment)
    /// Takes one treatment that is equal to this away again, and leaves the others.
    case detach(LinkDirection, LinkTreatment)
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

package struct LinkTreatment: Hashable, Sendable, Codable {
    package var traffic: TrafficSelector
    package var effect: LinkEffect

    package init(_ effect: LinkEffect, traffic: TrafficSelector = .all) {
        self.traffic = traffic
        self.effect = effect
    }
}

package enum LinkEffect: Hashable, Sendable, Codable {
    /// All packets vanish.
    case sink
    case impair(Impairment)
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
    /// What takes a `command` back.
    case undo([String])
    /// The same, and what takes its effect back.
    case command([String], undo: [String])
    /// A bounded helper that ends by itself when its starter does.
    case beginStress(Stress)
    case endStress(Stress)
    /// A file of the host is filled with zeros, and removed again.
    case fillDisk(DiskFill)
    case emptyDisk(DiskFill)
    /// The service's clock runs ahead by `offset` (behind where it is negative); it was prepared at its start.
    case skewClock(ServiceName, offset: Duration)
    case resetClock(ServiceName)
    /// Bytes a second that the host's services may read and write; needs a blkio or io controller.
    case throttleDisk(bytesPerSecond: UInt64)
    case unthrottleDisk
}

package enum Stress: Hashable, Sendable, Codable {
    /// `load` of each worker's time is spent, 0...1.
    case cpu(workers: Int, load: Double)
    /// Held and touched again and again.
    case memory(bytes: Int64)
}

package struct DiskFill: Hashable, Sendable, Codable {
    package enum Amount: Hashable, Sendable, Codable {
        case bytes(Int64)
        /// Until this share of the file system is in use, 0...1.
        case used(Double)
    }
    /// A folder on the file system that is filled, as the host sees it.
    package var folder: String
    package var amount: Amount

    package init(folder: String, amount: Amount) {
        self.folder = folder
        self.amount = amount
    }
}

extension FaultOperation {
    /// What takes it back; nil for what changes nothing that stays, and for what is itself an undoing.
    package var inverse: FaultOperation? {
        switch self {
        case .lab(let operation): operation.inverse.map { .lab($0) }
        case .host(let host, let operation): operation.inverse.map { .host(host, $0) }
        }
    }
}

extension LabOperation {
    var inverse: LabOperation? {
        switch self {
        case .silence(let host): .unsilence(host)
        case .kill(let host): .boot(host)
        case .freeze(let host): .thaw(host)
        case .carrier(let host, let network, up: false): .carrier(host, network, up: true)
        case .flap(let host, let network, _, _): .unflap(host, network)
        case .attach(let link, let treatment): .detach(link, treatment)
        case .unsilence, .thaw, .boot, .carrier(_, _, up: true), .unflap, .detach: nil
        }
    }
}

extension HostOperation {
    var inverse: HostOperation? {
        switch self {
        case .killService(let name): .startService(name)
        case .pauseService(let name): .continueService(name)
        case .command(_, let undo): .undo(undo)
        case .beginStress(let stress): .endStress(stress)
        case .fillDisk(let fill): .emptyDisk(fill)
        case .skewClock(let name, _): .resetClock(name)
        case .throttleDisk: .unthrottleDisk
        case .stopService, .startService, .continueService, .signalService, .run, .undo, .endStress,
            .emptyDisk, .resetClock, .unthrottleDisk:
            nil
        }
    }
}
