import DrillCore

extension Redirect {
    /// What the kernel is asked to match: a packet goes to the sink when all keys of any rule match.
    ///
    /// A preference holds filters of one protocol, and everything (ARP too) needs ETH_P_ALL: so IPv4 and IPv6 are told
    /// apart by the packet's first byte. u32 reads words from the network header on, and finds ports only where the
    /// header has its usual length and the packet is no later fragment; others pass.
    package var rules: [[U32Rule.Key]] {
        guard source == nil, destination == nil else {
            return Self.rulesV4(traffic).map { $0 + addressKeys }
        }
        return traffic == .all
            ? [[.word(0, mask: 0, 0)]] : Self.rulesV4(traffic) + Self.rulesV6(traffic)
    }

    private var addressKeys: [U32Rule.Key] {
        [(12, source), (16, destination)].compactMap { offset, address in
            address.map { .word(Int32(offset), mask: 0xffff_ffff, $0.rawValue) }
        }
    }

    private static func rulesV4(_ traffic: TrafficSelector) -> [[U32Rule.Key]] {
        let version = U32Rule.Key.word(0, mask: 0xf000_0000, 0x4000_0000)
        let plain = U32Rule.Key.word(0, mask: 0xff00_0000, 0x4500_0000)
        let unfragmented = U32Rule.Key.word(4, mask: 0x1fff, 0)
        func carries(_ number: UInt32) -> U32Rule.Key { .word(8, mask: 0xff_0000, number << 16) }
        switch traffic {
        case .all: return [[version]]
        case .vrrp: return [[version, carries(112)]]
        case .tcp(let port):
            return portKeys(20, port).map { [plain, unfragmented, carries(6), $0] }
        case .udp(let port):
            return portKeys(20, port).map { [plain, unfragmented, carries(17), $0] }
        }
    }

    private static func rulesV6(_ traffic: TrafficSelector) -> [[U32Rule.Key]] {
        let version = U32Rule.Key.word(0, mask: 0xf000_0000, 0x6000_0000)
        func carries(_ number: UInt32) -> U32Rule.Key { .word(4, mask: 0xff00, number << 8) }
        switch traffic {
        case .all: return [[version]]
        case .vrrp: return [[version, carries(112)]]
        case .tcp(let port): return portKeys(40, port).map { [version, carries(6), $0] }
        case .udp(let port): return portKeys(40, port).map { [version, carries(17), $0] }
        }
    }

    /// Source port, then destination port; a rule is a conjunction, so that each is one of its own.
    private static func portKeys(_ offset: Int32, _ port: UInt16) -> [U32Rule.Key] {
        [
            .word(offset, mask: 0xffff_0000, UInt32(port) << 16),
            .word(offset, mask: 0x0000_ffff, UInt32(port)),
        ]
    }
}

extension U32Rule.Key {
    /// Of the big-endian word at an offset from the network header.
    static func word(_ offset: Int32, mask: UInt32, _ value: UInt32) -> Self {
        Self(mask: mask, value: value, offset: offset, offsetMask: 0)
    }
}
