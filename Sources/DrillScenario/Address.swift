import DrillCore

/// An IPv4 address as a number.
struct Address: Hashable, Sendable {
    var bits: UInt32

    /// Four decimal numbers, without leading zeros (some readers take those for octal).
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard part.count <= 3, let value = Quantity.count(String(part)), value <= 255,
                part.count == 1 || part.first != "0"
            else { return nil }
            bits = bits << 8 | UInt32(value)
        }
        self.bits = bits
    }

    var isLoopback: Bool { bits >> 24 == 127 }
}

/// `10.77.0.0/24`
struct Subnet: Hashable, Sendable {
    var base: UInt32
    var prefix: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = Address(String(parts[0])),
            let prefix = Quantity.count(String(parts[1])), (8...30).contains(prefix)
        else { return nil }
        base = address.bits
        self.prefix = prefix
    }

    var mask: UInt32 { ~0 << UInt32(32 - prefix) }
    /// The base has no bits beyond the prefix.
    var isAligned: Bool { base & ~mask == 0 }
    func contains(_ address: Address) -> Bool { address.bits & mask == base & mask }
    /// The network's own address and its broadcast address belong to no host.
    func isUsable(_ address: Address) -> Bool {
        let rest = address.bits & ~mask
        return rest != 0 && rest != ~mask
    }

    static func text(_ bits: UInt32) -> String {
        "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
    }
}
