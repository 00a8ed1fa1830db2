/// The two places of clsact at which a filter sees every packet of a link.
package enum TrafficHook: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// What the link receives: at a switch port, what the host sends.
    case ingress
    /// What the link sends: at a switch port, what the host would receive.
    case egress

    package var parent: TrafficHandle {
        switch self {
        case .ingress: TrafficHandle(rawValue: 0xffff_fff2)
        case .egress: TrafficHandle(rawValue: 0xffff_fff3)
        }
    }

    /// That of Firedrill's filters. Each hook has its own: u32 keeps one set of hash tables for both
    /// hooks of a clsact, and with equal preferences the kernel shows, and finds, the rules of one
    /// hook at the other, so that a read-back would prove nothing.
    package var preference: UInt16 {
        switch self {
        case .ingress: 0xfd1f
        case .egress: 0xfd1e
        }
    }

    package var description: String { rawValue }
}
