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

    package var description: String { rawValue }
}
