import CNetlink

/// A class of an htb tree as the kernel describes it.
package struct TrafficClass: Hashable, Sendable {
    package let index: InterfaceIndex
    package let handle: TrafficHandle
    package let parent: TrafficHandle
    package let kind: String
    package let htb: HTBClass?
    package private(set) var counters: TrafficCounters?

    init?(_ reply: NetlinkReply) {
        guard Int(reply.type) == RTM_NEWTCLASS, let header = reply.header(tcmsg.self) else {
            return nil
        }
        let attributes = reply.attributes(after: tcmsg.self)
        index = InterfaceIndex(rawValue: header.tcm_ifindex)
        handle = TrafficHandle(rawValue: header.tcm_handle)
        parent = TrafficHandle(rawValue: header.tcm_parent)
        kind = attributes.string(TCA_KIND) ?? ""
        htb = attributes.nested(TCA_OPTIONS).flatMap(HTBClass.init)
        counters = attributes.nested(TCA_STATS2).map(TrafficCounters.init)
    }

    package var withoutCounters: TrafficClass {
        var copy = self
        copy.counters = nil
        return copy
    }
}
