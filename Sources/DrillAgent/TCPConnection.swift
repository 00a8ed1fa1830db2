import CLinux
import DrillCore
import Glibc

/// A non-blocking connect and what came of it.
struct TCPConnection {
    enum State { case waiting, connected, refused, unreachable }

    let socket: Descriptor
    private let name: String

    init(_ address: String, _ port: UInt16) throws(LabFailure) {
        name = "\(address):\(port)"
        let number = Glibc.socket(
            AF_INET,
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
                | Int32(SOCK_NONBLOCK.rawValue), 0)
        if number < 0 { throw systemFailure("make a socket") }
        socket = Descriptor(number)
        // A probe leaves no TIME_WAIT behind.
        var reset = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = port.bigEndian
        guard inet_pton(AF_INET, address, &place.sin_addr) == 1 else {
            throw LabFailure(kind: .failed, message: "'\(address)' is no IPv4 address")
        }
        let result = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result < 0, errno != EINPROGRESS, errno != ECONNREFUSED, errno != EHOSTUNREACH,
            errno != ENETUNREACH
        {
            throw systemFailure("connect to \(name)")
        }
        immediate = result == 0 ? nil : errno == EINPROGRESS ? nil : errno
    }

    /// The refusal that came within the call, as loopback's does.
    private let immediate: Int32?

    /// Without waiting.
    var state: State {
        if let immediate { return Self.state(immediate) }
        var entry = clinux_poll(descriptor: socket.number, asked: Int16(POLLOUT), seen: 0)
        guard clinux_ppoll(&entry, 1, 0) > 0 else { return .waiting }
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket.number, SOL_SOCKET, SO_ERROR, &error, &size)
        return Self.state(error)
    }

    private static func state(_ error: Int32) -> State {
        switch error {
        case 0: .connected
        case ECONNREFUSED, ECONNRESET: .refused
        default: .unreachable
        }
    }

    func wait(until deadline: RunInstant) throws(LabFailure) -> State {
        if let immediate {
            if Self.state(immediate) == .refused {
                throw LabFailure(kind: .failed, message: "\(name) refuses connections")
            }
            return Self.state(immediate)
        }
        var entry = clinux_poll(descriptor: socket.number, asked: Int16(POLLOUT), seen: 0)
        _ = clinux_ppoll(&entry, 1, max(0, (deadline - .now).nanoseconds))
        let state = self.state
        if state == .refused {
            throw LabFailure(kind: .failed, message: "\(name) refuses connections")
        }
        return state
    }
}
