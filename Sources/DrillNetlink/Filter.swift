import CNetlink

/// A classifier as the kernel describes it.
package struct Filter: Hashable, Sendable {
    package let index: InterfaceIndex
    package let parent: TrafficHandle
    package let preference: UInt16
    /// An EtherType; 3 (ETH_P_ALL) is every packet.
    package let etherType: UInt16
    package let handle: UInt32
    package let kind: String
    /// Of a u32 that is a rule; nil for its hash tables and for other kinds.
    package let rule: U32Rule?
    /// Of its first action, where that keeps count.
    package private(set) var counters: TrafficCounters?

    init?(_ reply: NetlinkReply) {
        guard Int32(reply.type) == RTM_NEWTFILTER, let header = reply.header(tcmsg.self) else {
            return nil
        }
        let attributes = reply.attributes(after: tcmsg.self)
        index = InterfaceIndex(rawValue: header.tcm_ifindex)
        parent = TrafficHandle(rawValue: header.tcm_parent)
        preference = UInt16(header.tcm_info >> 16)
        etherType = UInt16(truncatingIfNeeded: header.tcm_info).byteSwapped
        handle = header.tcm_handle
        kind = attributes.string(TCA_KIND) ?? ""
        let options = attributes.nested(TCA_OPTIONS)
        rule = kind == "u32" ? options.flatMap(U32Rule.init) : nil
        counters = options?.nested(TCA_U32_ACT)?.entries.first.flatMap {
            Attributes($0.value).nested(TCA_ACT_STATS).map(TrafficCounters.init)
        }
    }

    package var withoutCounters: Filter {
        var copy = self
        copy.counters = nil
        return copy
    }
}
