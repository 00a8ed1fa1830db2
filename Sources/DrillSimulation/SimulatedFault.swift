import TwinCore

/// From when on a crash's steps count.
package enum CrashMoment: Hashable, Sendable {
    case atOnce
    /// The node does this next: most mistakes show where a crash follows on a certain deed.
    case persist, store, statement, promotion, acknowledgement

    func isMet(by action: TwinCore.Action) -> Bool {
        switch action {
        case .persist: self == .persist
        case .store: self == .store
        case .standby: self == .statement
        case .becamePrimary: self == .promotion
        case .committed: self == .acknowledgement
        case .send, .truncate, .steppedDown, .noticed, .following: false
        }
    }
}

/// What can happen to a simulated pair. Nodes: 0 and 1 hold data, 2 is the witness.
package enum SimulatedFault: Hashable, Sendable {
    /// Loses its memory, in the middle of what it does, so many steps after the moment. Its disk stays; with `power` gone,
    /// what of it was synced, and the clock starts anew.
    case crash(node: Int, power: Bool, when: CrashMoment, afterSteps: Int)
    /// Does nothing for a while, and then what came meanwhile.
    case pause(node: Int)
    /// Nothing gets from one to the other.
    case cut(from: Int, to: Int)
    /// Replication between the two, both ways; heartbeats flow.
    case cutReplication
    /// The replication link breaks; both ends notice.
    case breakLink
    /// Of each message, parts in 1,000.
    case loss(permille: Int)
    /// Of each datagram, parts in 1,000 arrive twice.
    case duplicate(permille: Int)
    /// Each message up to so much later, ns: datagrams overtake each other.
    case delay(most: Int64)
    /// The same, from one to the other.
    case delayLink(from: Int, to: Int, most: Int64)
    case switchover

    package var isInstant: Bool {
        switch self {
        case .switchover, .breakLink: true
        case .crash, .pause, .cut, .cutReplication, .loss, .duplicate, .delay, .delayLink: false
        }
    }
}

/// A fault of a drill: when it begins, and how long it lasts; ns.
package struct PlannedFault: Hashable, Sendable {
    package var fault: SimulatedFault
    package var at: Int64
    package var length: Int64

    package init(_ fault: SimulatedFault, at: Int64, for length: Int64) {
        self.fault = fault
        self.at = at
        self.length = length
    }

    /// The instant at which it is over.
    package var end: Int64 { fault.isInstant ? at : at + length }
}
