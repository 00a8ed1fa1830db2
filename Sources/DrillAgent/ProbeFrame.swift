package import DrillCore
import Glibc

/// The Ethernet frames of one path: the same but for a sequence number.
///
/// No kernel answers them and no program takes them in: their TCP and UDP checksums are wrong on purpose (and TCP carries
/// RST), and VRRP speaks of a virtual router that nobody has. Where they say whose they are is at the same place in all.
package struct ProbeFrame: Hashable, Sendable {
    /// Of `magic`, behind the longest header.
    package static let offset = 64
    package static let magic: [UInt8] = Array("fdrprobe".utf8)
    /// Magic, path, sequence, check.
    static let least = offset + 20
    static let most = 1514
    /// Of the UDP packets that stand for all traffic: discard (RFC 863).
    static let anyPort: UInt16 = 9

    /// Which path of the prober it is.
    package let path: UInt32
    private let template: [UInt8]
    /// Where its checksum lies, and the sum without a number, of the pseudo header too.
    private let transport: (checksum: Int, sum: UInt16)?

    /// - Parameters:
    ///   - sender: Ethernet addresses, six bytes each.
    ///   - receiver: ignored for multicast.
    /// - Returns: nil where an address of the path is none.
    package init?(_ path: ProbePath, number: UInt32, sender: [UInt8], receiver: [UInt8]) {
        guard let source = Self.address(path.source), let target = Self.address(path.target) else {
            return nil
        }
        self.path = number
        var destination = target
        var hardware = receiver
        if case .multicast(let text) = path.cast {
            guard let group = Self.address(text) else { return nil }
            destination = group
            hardware = [0x01, 0x00, 0x5e, group[1] & 0x7f, group[2], group[3]]
        }
        let size = min(Self.most, max(Self.least, path.size))
        let length = size - 14
        let number16 = { (value: UInt16) in [UInt8(value >> 8), UInt8(value & 0xff)] }
        var protocolNumber: UInt8
        var checksum: Int?
        var header: [UInt8]
        switch path.traffic {
        case .all, .udp:
            var port = Self.anyPort
            if case .udp(let wanted) = path.traffic { port = wanted }
            protocolNumber = 17
            header = number16(0xfd1e) + number16(port) + number16(UInt16(length - 20)) + [0, 0]
            checksum = 14 + 20 + 6
        case .tcp(let port):
            protocolNumber = 6
            // Five words, RST.
            header =
                number16(0xfd1e) + number16(port) + [0, 0, 0, 0, 0, 0, 0, 0]
                + [0x50, 0x04, 0, 0, 0, 0, 0, 0]
            checksum = 14 + 20 + 16
        case .vrrp:
            protocolNumber = 112
            // Version 3, advertisement, router 255, priority 1, no address, one second.
            header = [0x31, 255, 1, 0, 0, 100, 0, 0]
        }
        var ip: [UInt8] = [0x45, 0xc0] + number16(UInt16(length)) + [0, 0, 0x40, 0]
        ip += [255, protocolNumber, 0, 0] + source + destination
        let sum = ~Self.sum(ip[...])
        ip.replaceSubrange(10..<12, with: number16(sum))
        var frame = hardware + sender + [0x08, 0x00] + ip + header
        frame += [UInt8](repeating: 0, count: Self.offset - frame.count) + Self.magic
        frame += [UInt8](repeating: 0, count: 12)
        // A known pattern, in which no byte is like its neighbours.
        while frame.count < size {
            frame.append(UInt8(truncatingIfNeeded: frame.count &* 167 &+ 13))
        }
        template = frame
        transport = checksum.map { place in
            let pseudo = source + destination + [0, protocolNumber] + number16(UInt16(length - 20))
            return (place, Self.sum(frame[34...], Self.sum(pseudo[...])))
        }
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.path == right.path && left.template == right.template
    }
    package func hash(into hasher: inout Hasher) { hasher.combine(template) }

    package var size: Int { template.count }

    /// The whole frame with this number.
    package func bytes(_ sequence: UInt32) -> [UInt8] {
        var frame = template
        frame.withUnsafeMutableBufferPointer { frame in
            let check = Self.check(path, sequence)
            for (index, value) in [path, sequence, check].enumerated() {
                let place = Self.offset + 8 + 4 * index
                for byte in 0..<4 {
                    frame[place + byte] = UInt8(truncatingIfNeeded: value >> (24 - 8 * byte))
                }
            }
        }
        if let transport {
            // One that is wrong, and never 0, which would mean none. Only the number differs from the template.
            let number = Self.offset + 8
            let right = ~Self.sum(frame[number..<number + 12], transport.sum)
            let wrong = right ^ 0x5555 == 0 ? right ^ 0x3333 : right ^ 0x5555
            frame[transport.checksum] = UInt8(wrong >> 8)
            frame[transport.checksum + 1] = UInt8(wrong & 0xff)
        }
        return frame
    }

    /// Whose frame it is, where it can still be told.
    package static func identify(
        _ frame: some RandomAccessCollection<UInt8>
    ) -> (path: UInt32, sequence: UInt32)? {
        guard frame.count >= least else { return nil }
        let start = frame.index(frame.startIndex, offsetBy: offset)
        let block = frame[start..<frame.index(start, offsetBy: 20)]
        guard block.prefix(8).elementsEqual(magic) else { return nil }
        let numbers = block.dropFirst(8)
        func number(_ index: Int) -> UInt32 {
            numbers.dropFirst(4 * index).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        }
        let (path, sequence) = (number(0), number(1))
        return number(2) == check(path, sequence) ? (path, sequence) : nil
    }

    /// One changed bit of either, or of the check itself, shows.
    private static func check(_ path: UInt32, _ sequence: UInt32) -> UInt32 {
        var mixer = SeededGenerator(seed: UInt64(path) << 32 | UInt64(sequence))
        return UInt32(truncatingIfNeeded: mixer.next())
    }

    /// The one's complement sum of RFC 1071.
    private static func sum(_ bytes: ArraySlice<UInt8>, _ start: UInt16 = 0) -> UInt16 {
        var sum = UInt32(start)
        bytes.withUnsafeBufferPointer { bytes in
            var index = 0
            while index + 1 < bytes.count {
                sum += UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
                index += 2
            }
            if index < bytes.count { sum += UInt32(bytes[index]) << 8 }
        }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        return UInt16(sum)
    }

    private static func address(_ text: String) -> [UInt8]? {
        var address: UInt32 = 0
        guard inet_pton(AF_INET, text, &address) == 1 else { return nil }
        return withUnsafeBytes(of: address) { Array($0) }
    }
}
