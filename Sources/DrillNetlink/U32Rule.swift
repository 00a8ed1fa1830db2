import CNetlink

/// What a u32 rule selects and does.
package struct U32Rule: Hashable, Sendable {
    package struct Key: Hashable, Sendable {
        package let mask: UInt32
        package let value: UInt32
        package let offset: Int32
        package let offsetMask: Int32
    }

    /// All must match; one with mask 0 always does.
    package let keys: [Key]
    /// Only packets that arrived here.
    package let inputInterface: InterfaceName?
    package let actions: [Action]

    package enum Action: Hashable, Sendable {
        case mirred(Mirred)
        case other(kind: String)
    }

    package struct Mirred: Hashable, Sendable {
        package let sink: InterfaceIndex
        /// 1: redirect to the device's egress, the only one that we set; 2–4 as in tc_mirred.h.
        package let mode: Int32
        /// What becomes of the packet here: 4, TC_ACT_STOLEN, after a redirect.
        package let verdict: Int32
    }

    package var matchesEveryPacket: Bool { keys.allSatisfy { $0.mask == 0 } }

    /// nil for a hash table, which has no selector.
    init?(_ options: Attributes) {
        guard let selector = options[TCA_U32_SEL], selector.count >= 16 else { return nil }
        keys = (0..<Int(selector[2])).compactMap { number in
            let start = 16 + 16 * number
            guard start + 16 <= selector.count else { return nil }
            return Key(
                mask: selector.load(UInt32.self, at: start).bigEndian,
                value: selector.load(UInt32.self, at: start + 4).bigEndian,
                offset: selector.load(Int32.self, at: start + 8),
                offsetMask: selector.load(Int32.self, at: start + 12))
        }
        inputInterface = options.string(TCA_U32_INDEV).map(InterfaceName.init(fromKernel:))
        actions = (options.nested(TCA_U32_ACT)?.entries ?? []).map { entry in
            let action = Attributes(entry.value)
            let kind = action.string(TCA_ACT_KIND) ?? ""
            guard
                kind == "mirred",
                let parameters = action.nested(TCA_ACT_OPTIONS)?[TCA_MIRRED_PARMS],
                parameters.count >= 28
            else { return .other(kind: kind) }
            return .mirred(
                Mirred(
                    sink: InterfaceIndex(rawValue: parameters.load(Int32.self, at: 24)),
                    mode: parameters.load(Int32.self, at: 20),
                    verdict: parameters.load(Int32.self, at: 8)))
        }
    }
}
