/// Which packets of a link a fault is done to; the rest flows.
package enum TrafficSelector: Hashable, Sendable, CustomStringConvertible {
    /// Everything: unicast, multicast, ARP, IPv6.
    case all
    /// From or to the port; IPv4 without options, and IPv6 without extension headers.
    case tcp(UInt16)
    case udp(UInt16)
    /// IP protocol 112 (RFC 5798, section 5.1.1.4).
    case vrrp

    /// `tcp/5432`, `udp/53`, `vrrp`; nil for anything else.
    package init?(spelled text: String) {
        if text == "vrrp" {
            self = .vrrp
            return
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].allSatisfy({ $0.isASCII && $0.isNumber }),
            let port = UInt16(parts[1]), port > 0
        else { return nil }
        switch parts[0] {
        case "tcp": self = .tcp(port)
        case "udp": self = .udp(port)
        default: return nil
        }
    }

    package var description: String {
        switch self {
        case .all: "all"
        case .tcp(let port): "tcp/\(port)"
        case .udp(let port): "udp/\(port)"
        case .vrrp: "vrrp"
        }
    }
}

extension TrafficSelector: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = text == "all" ? .all : TrafficSelector(spelled: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(text)' is no traffic")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
