import CNetlink

/// What a queueing discipline does. A new kind is a case here, its encoding in
/// `NetlinkSocket+Qdiscs` and its reader below.
package enum QdiscConfiguration: Hashable, Sendable {
    /// A queue of so many packets.
    case pfifo(limit: UInt32)
    case tbf(TokenBucket)
    case netem(Netem)
    /// A tree of classes; what no filter claims goes to `<handle>:defaultClass`, and with 0 past all
    /// classes.
    case htb(defaultClass: UInt16)
    /// Any other kind, with its TCA_OPTIONS as they are.
    case other(kind: String, options: [UInt8])

    package var kind: String {
        switch self {
        case .pfifo: "pfifo"
        case .tbf: "tbf"
        case .netem: "netem"
        case .htb: "htb"
        case .other(let kind, _): kind
        }
    }

    init(kind: String, options: [UInt8]) {
        let attributes = Attributes(options)
        switch kind {
        case "pfifo" where options.count >= 4:
            self = .pfifo(limit: options.load(UInt32.self, at: 0))
        case "tbf":
            guard let bucket = TokenBucket(attributes) else { fallthrough }
            self = .tbf(bucket)
        case "netem":
            guard let netem = Netem(options: options) else { fallthrough }
            self = .netem(netem)
        case "htb":
            // struct tc_htb_glob: version, rate2quantum, defcls, …
            guard let global = attributes[TCA_HTB_INIT], global.count >= 12 else { fallthrough }
            self = .htb(
                defaultClass: UInt16(truncatingIfNeeded: global.load(UInt32.self, at: 8)))
        case _:
            self = .other(kind: kind, options: options)
        }
    }

    /// Whether the kernel's account of it is what was asked for.
    func isMet(by found: QdiscConfiguration) -> Bool {
        switch (self, found) {
        case (.tbf(let asked), .tbf(let found)): asked.isMet(by: found)
        case (.netem(let asked), .netem(let found)): asked.isMet(by: found)
        case (.other(let asked, _), .other(let found, _)): asked == found
        case (.pfifo, _), (.tbf, _), (.netem, _), (.htb, _), (.other, _): self == found
        }
    }
}
