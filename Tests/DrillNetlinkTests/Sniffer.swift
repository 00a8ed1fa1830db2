import DrillNetlink
import Glibc

/// Every frame that a host's eth0 receives, whatever the protocol.
struct Sniffer: ~Copyable {
    let fileDescriptor: Int32

    init(_ host: TestHost) throws {
        fileDescriptor = try host.namespace.run {
            let everything: UInt16 = 3
            let fd = socket(
                AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue),
                Int32(everything.bigEndian))
            try check(fd)
            return fd
        }
    }

    deinit { close(fileDescriptor) }

    /// How many frames of each EtherType came from the host since the last call.
    func frames(from host: TestHost) -> [UInt16: Int] {
        var frames: [UInt16: Int] = [:]
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            let count = recv(
                fileDescriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count >= 14 else { return frames }
            guard Array(buffer[6..<12]) == host.mac else { continue }
            frames[UInt16(buffer[12]) << 8 | UInt16(buffer[13]), default: 0] += 1
        }
    }
}
