import CLinux
import Glibc
import TwinCore

/// How messages look on the wire: 44 bytes, little-endian.
extension Message {
    static let size = 44

    var bytes: [UInt8] {
        var bytes: [UInt8] = [kind.rawValue, from, to, flag ? 1 : 0]
        for field in [epoch, first, last, mark, stamp] { bytes.add(field) }
        return bytes
    }

    init?(_ bytes: [UInt8], at start: Int = 0) {
        guard bytes.count - start >= Self.size, let kind = Kind(rawValue: bytes[start]) else {
            return nil
        }
        self.init(
            kind, from: bytes[start + 1], to: bytes[start + 2],
            epoch: bytes.number(Int64.self, start + 4))
        flag = bytes[start + 3] != 0
        first = bytes.number(Int64.self, start + 12)
        last = bytes.number(Int64.self, start + 20)
        mark = bytes.number(Int64.self, start + 28)
        stamp = bytes.number(Int64.self, start + 36)
    }
}

/// Non-blocking sockets.
enum Sockets {
    static func endpoint(_ host: String, _ port: UInt16) throws -> clinux_endpoint {
        var endpoint = clinux_endpoint()
        guard clinux_endpoint_parse(host, port, &endpoint) == 0 else {
            throw RecordLog.Failure(text: "'\(host)' is no numeric address")
        }
        return endpoint
    }

    static func bound(_ host: String, _ port: UInt16, datagrams: Bool) throws -> Int32 {
        let kind = datagrams ? SOCK_DGRAM : SOCK_STREAM
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_INET, Int32(kind.rawValue) | flags, 0)
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var place = try endpoint(host, port)
        let result = withAddress(&place) { bind(descriptor, $0, $1) }
        guard result == 0, datagrams || listen(descriptor, 1024) == 0 else {
            throw RecordLog.Failure("listen on \(host):\(port)")
        }
        return descriptor
    }

    static func withAddress<R>(
        _ endpoint: inout clinux_endpoint, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
    ) -> R {
        let length = endpoint.length
        return withUnsafeBytes(of: &endpoint.bytes) {
            // The kernel takes the bytes for what their family says.
            body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), length)
        }
    }

    /// The address that a peer connected to, in network order.
    static func localAddress(_ descriptor: Int32) -> UInt32 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        return result == 0 ? address.sin_addr.s_addr : 0
    }
}

/// A TCP connection with what is half read and half written.
final class Connection {
    let descriptor: Int32
    let local: UInt32
    var input: [UInt8] = []
    private var output: [UInt8] = []
    /// A command waits for its answer, and those behind it for theirs.
    var isWaiting = false
    private(set) var isBroken = false

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var on: Int32 = 1
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        local = Sockets.localAddress(descriptor)
    }

    var hasOutput: Bool { !output.isEmpty }

    /// False at the end of the connection.
    func receive() -> Bool {
        var part = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(descriptor, &part, part.count, 0)
            if count > 0 { input += part[..<count] } else { return count < 0 && errno == EAGAIN }
            if count < part.count { return true }
        }
    }

    func send(_ bytes: [UInt8]) {
        output += bytes
        flush()
    }

    func flush() {
        var sent = 0
        while sent < output.count {
            let count = output.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress! + sent, $0.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            if count <= 0 {
                if errno != EAGAIN, errno != ENOTCONN { isBroken = true }
                break
            }
            sent += count
        }
        output.removeFirst(sent)
    }
}
