import CLinux
import DrillCore
import Glibc

/// b in `bench-link`: answers datagrams, lets others fall on the floor, and reads a stream to its end.
enum LinkBenchPeer {
    static let echoPort: UInt16 = 5001
    static let floodPort: UInt16 = 5002
    static let streamPort: UInt16 = 5003

    /// Until the end of standard input.
    static func run() throws(LabFailure) {
        let echo = try socket(SOCK_DGRAM, echoPort)
        let flood = try socket(SOCK_DGRAM, floodPort)
        // Nobody reads these: they are counted at the interface, and this only keeps ICMP away.
        var room: Int32 = 1
        setsockopt(
            flood.number, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<Int32>.size))
        let listener = try socket(SOCK_STREAM, streamPort)
        if listen(listener.number, 1) < 0 { throw systemFailure("listen") }
        try Descriptor(dup(1)).write("ready\n")
        var stream: Descriptor?
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        defer { withExtendedLifetime(flood) {} }
        while true {
            var entries = [0, echo.number, listener.number, stream?.number ?? -1].map {
                clinux_poll(descriptor: $0, asked: Int16(POLLIN), seen: 0)
            }
            _ = clinux_ppoll(&entries, entries.count, -1)
            if entries[0].seen != 0 { return }
            if entries[1].seen != 0 { answer(echo, &buffer) }
            if entries[2].seen != 0 {
                stream = try Descriptor(result: clinux_accept(listener.number), "accept")
            }
            // The end of the stream is answered by ours, when all of it has been read.
            if let open = stream, entries[3].seen != 0,
                read(open.number, &buffer, buffer.count) <= 0
            {
                stream = nil
            }
        }
    }

    private static func answer(_ echo: Descriptor, _ buffer: inout [UInt8]) {
        var place = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let count = recvfrom(echo.number, &buffer, 2048, Int32(MSG_DONTWAIT), $0, &size)
                if count >= 0 { _ = sendto(echo.number, buffer, count, 0, $0, size) }
            }
        }
    }

    /// Bound to the port in the calling thread's namespace.
    static func socket(_ type: __socket_type, _ port: UInt16) throws(LabFailure) -> Descriptor {
        let number = Glibc.socket(AF_INET, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if number < 0 { throw systemFailure("make a socket") }
        let socket = Descriptor(number)
        let place = address("0.0.0.0", port)
        if withAddress(place, { bind(number, $0, $1) }) < 0 { throw systemFailure("bind \(port)") }
        return socket
    }

    static func address(_ text: String, _ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, text, &address.sin_addr)
        return address
    }

    static func withAddress<Value>(
        _ address: sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
