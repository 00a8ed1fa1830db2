import CLinux
import DrillNetlink
import Glibc

/// Whole Ethernet frames, each with a number by which the other side knows it.
enum Frame: UInt8, CaseIterable {
    case tcpTo5432 = 1
    case tcpFrom5432, tcpTo80, udpTo5432, udpFrom5432, vrrp
    case tcpTo5432v6, tcpFrom5432v6, udpTo5432v6, vrrpV6
    case arp
    /// Its ports are not where u32 looks.
    case tcpTo5432WithOptions
    /// Has no ports; what stands there looks like them.
    case laterFragment

    private static let etherTypes: (v4: [UInt8], v6: [UInt8], arp: [UInt8]) = (
        [0x08, 0x00], [0x86, 0xdd], [0x08, 0x06]
    )

    /// Without checksums of TCP and UDP: nobody looks at them on the way.
    func bytes(from source: [UInt8], to destination: [UInt8]) -> [UInt8] {
        let ports: [UInt8] =
            switch self {
            case .tcpTo5432, .udpTo5432, .tcpTo5432v6, .udpTo5432v6, .tcpTo5432WithOptions,
                .laterFragment:
                [0x30, 0x39, 0x15, 0x38]
            case .tcpFrom5432, .udpFrom5432, .tcpFrom5432v6: [0x15, 0x38, 0x30, 0x39]
            case .tcpTo80: [0x30, 0x39, 0, 80]
            case .vrrp, .vrrpV6, .arp: [0x31, 0xff, 100, 1]
            }
        let number: UInt8 =
            switch self {
            case .tcpTo5432, .tcpFrom5432, .tcpTo80, .tcpTo5432v6, .tcpFrom5432v6,
                .tcpTo5432WithOptions, .laterFragment:
                6
            case .udpTo5432, .udpFrom5432, .udpTo5432v6: 17
            case .vrrp, .vrrpV6, .arp: 112
            }
        let payload = ports + [UInt8](repeating: 0, count: 40) + Self.magic + [rawValue]
        let network: [UInt8]
        let etherType: [UInt8]
        switch self {
        case .tcpTo5432v6, .tcpFrom5432v6, .udpTo5432v6, .vrrpV6:
            etherType = Self.etherTypes.v6
            let address: [UInt8] = [0xfd] + [UInt8](repeating: 0, count: 15)
            network = [0x60, 0, 0, 0, 0, UInt8(payload.count), number, 64] + address + address
        case .arp:
            etherType = Self.etherTypes.arp
            network = [0, 1, 8, 0, 6, 4, 0, 1]
        case .tcpTo5432WithOptions:
            etherType = Self.etherTypes.v4
            network = Self.headerV4(0x46, number, payload.count + 24)
        case .laterFragment:
            etherType = Self.etherTypes.v4
            network = Self.headerV4(0x45, number, payload.count + 20, fragment: 185)
        case .tcpTo5432, .tcpFrom5432, .tcpTo80, .udpTo5432, .udpFrom5432, .vrrp:
            etherType = Self.etherTypes.v4
            network = Self.headerV4(0x45, number, payload.count + 20)
        }
        return destination + source + etherType + network + payload
    }

    static let magic: [UInt8] = Array("firedrill".utf8)

    private static func headerV4(
        _ first: UInt8, _ number: UInt8, _ length: Int, fragment: UInt8 = 0
    ) -> [UInt8] {
        var header: [UInt8] =
            [first, 0, 0, UInt8(length), 0, 1, 0, fragment, 64, number, 0, 0]
            + [10, 77, 0, 11, 10, 77, 0, 12]
        if first == 0x46 { header += [1, 1, 1, 0] }
        // A kernel with br_netfilter built in drops what a bridge should forward without it.
        let words = stride(from: 0, to: header.count, by: 2).map {
            UInt32(header[$0]) << 8 | UInt32(header[$0 + 1])
        }
        let sum = words.reduce(0, +)
        let checksum = ~UInt16(truncatingIfNeeded: sum & 0xffff + sum >> 16)
        header[10] = UInt8(checksum >> 8)
        header[11] = UInt8(checksum & 0xff)
        return header
    }
}

/// Sends frames from a host's eth0.
func send(_ frames: [[UInt8]], from host: TestHost) throws {
    try host.namespace.run {
        let fileDescriptor = clinux_packet_socket("eth0", 0)
        guard fileDescriptor >= 0 else { throw SystemError(errno: -fileDescriptor) }
        defer { close(fileDescriptor) }
        for frame in frames {
            let result = clinux_send_frame(fileDescriptor, frame, frame.count)
            guard result == 0 else { throw SystemError(errno: -result) }
        }
    }
}

extension Sniffer {
    /// Which of `Frame` came, until nothing comes for 200 ms.
    func numbered() -> Set<Frame> {
        var found: Set<Frame> = []
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            var entry = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 200) > 0 else { return found }
            let count = recv(fileDescriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 20, Array(buffer[..<count].dropLast().suffix(9)) == Frame.magic,
                let frame = Frame(rawValue: buffer[count - 1])
            else { continue }
            found.insert(frame)
        }
    }
}
