import CNetlink

/// A queueing discipline as the kernel describes it.
package struct Qdisc: Hashable, Sendable {
    package let index: InterfaceIndex
    package let handle: TrafficHandle
    package let parent: TrafficHandle
    package let kind: String
    /// TCA_OPTIONS byte for byte. Some kinds put a structure in front of attributes (netem), others
    /// are nothing but the structure (pfifo): each kind's own reader knows.
    package let options: [UInt8]
    package private(set) var counters: TrafficCounters?

    init?(_ reply: NetlinkReply) {
        guard Int32(reply.type) == RTM_NEWQDISC, let header = reply.header(tcmsg.self) else {
            return nil
        }
        let attributes = reply.attributes(after: tcmsg.self)
        index = InterfaceIndex(rawValue: header.tcm_ifindex)
        handle = TrafficHandle(rawValue: header.tcm_handle)
        parent = TrafficHandle(rawValue: header.tcm_parent)
        kind = attributes.string(TCA_KIND) ?? ""
        options = attributes[TCA_OPTIONS] ?? []
        counters = attributes.nested(TCA_STATS2).map(TrafficCounters.init)
    }

    package var configuration: QdiscConfiguration {
        QdiscConfiguration(kind: kind, options: options)
    }

    package var withoutCounters: Qdisc {
        var copy = self
        copy.counters = nil
        return copy
    }
}
