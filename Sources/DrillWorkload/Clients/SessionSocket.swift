import CLinux
import DrillCore
import Glibc

/// A TCP connection for a thread that may block: each call has a deadline.
final class SessionSocket {
    private var descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    init(_ endpoint: Endpoint, until deadline: RunInstant) throws(SessionError) {
        var address = endpoint.address
        var made: Int32 = -1
        let error = clinux_tcp_open(&address, &made)
        guard error == 0 || error == EINPROGRESS else { throw Self.failure("connect", error) }
        descriptor = made
        try wait(for: POLLOUT, until: deadline, "connect")
        let outcome = clinux_tcp_error(made)
        guard outcome == 0 else { throw Self.failure("connect", outcome) }
    }

    deinit { close() }

    func close() {
        if descriptor >= 0 { clinux_tcp_reset(descriptor) }
        descriptor = -1
    }

    func send(_ bytes: [UInt8], until deadline: RunInstant) throws(SessionError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(for: POLLOUT, until: deadline, "send")
            } else if errno != EINTR {
                throw Self.failure("send", errno)
            }
        }
    }

    /// What has come, at least one byte.
    func receive(until deadline: RunInstant) throws(SessionError) -> ArraySlice<UInt8> {
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 { return buffer[..<count] }
            if count == 0 {
                throw SessionError("the server has closed the connection", isRefusal: true)
            }
            if errno == EAGAIN {
                try wait(for: POLLIN, until: deadline, "receive")
            } else if errno != EINTR {
                throw Self.failure("receive", errno)
            }
        }
    }

    private func wait(
        for events: Int32, until deadline: RunInstant, _ what: String
    ) throws(SessionError) {
        while true {
            let left = (deadline - .now).nanoseconds
            guard left > 0 else { throw SessionError("\(what): no answer in time") }
            var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            // Rounded up: a wait of 0 ms would spin.
            let count = poll(&entry, 1, Int32(min(left / 1_000_000 + 1, 60_000)))
            if count > 0 { return }
            if count < 0, errno != EINTR { throw Self.failure("poll", errno) }
        }
    }

    private static func failure(_ call: String, _ error: Int32) -> SessionError {
        SessionError(
            "\(call): \(String(cString: strerror(error)))",
            isRefusal: error == ECONNREFUSED || error == ECONNRESET)
    }
}
