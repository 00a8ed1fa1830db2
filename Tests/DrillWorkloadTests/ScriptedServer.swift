import CLinux
import DrillCore
import DrillWorkload
import Glibc
import Synchronization
import Testing

/// A connection that a scripted server has accepted.
struct ServerConnection: Sendable {
    let descriptor: Int32

    /// Reads up to the end of a request's head; false when the client has gone.
    func readRequest() -> Bool {
        var last: [UInt8] = []
        var byte: UInt8 = 0
        while read(descriptor, &byte, 1) == 1 {
            last = (last + [byte]).suffix(4)
            if last == Array("\r\n\r\n".utf8) { return true }
        }
        return false
    }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes {
            send(descriptor, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL))
        }
    }

    func end() { close(descriptor) }

    /// The bytes and the end in one segment, so that nothing can come in between.
    func writeAndEnd(_ text: String) {
        writeHeld(text)
        close(descriptor)
    }

    /// The same, and what the client still sends is read and forgotten: a socket that is closed over it is a reset.
    func writeAndDrain(_ text: String) {
        writeHeld(text)
        shutdown(descriptor, Int32(SHUT_WR))
        while readRequest() {}
        close(descriptor)
    }

    private func writeHeld(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes {
            send(descriptor, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_MORE))
        }
    }

    func reset() { clinux_tcp_reset(descriptor) }

    /// Until the client closes.
    func stayAnd(answer body: () -> Void) {
        while readRequest() { body() }
        end()
    }
}

/// A server of a few connections that does to each what a test says, on threads of its own.
final class ScriptedServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let accepted = Mutex(0)
    private let isStopped = Mutex(false)
    private let accepting = Mutex<JoinableThread?>(nil)

    var url: String { "http://127.0.0.1:\(port)/" }
    var address: String { "127.0.0.1:\(port)" }
    var connections: Int { accepted.withLock { $0 } }

    /// `serve` owns the connection and must end it.
    init(backlog: Int32 = 512, serve: (@Sendable (ServerConnection) -> Void)?) {
        listener = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) | listen(descriptor, backlog)
                    | getsockname(descriptor, $0, &length)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        guard let serve else { return }
        let thread = JoinableThread { [self] in
            while !isStopped.withLock({ $0 }) {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else {
                    let error = errno
                    if isStopped.withLock({ $0 }) { return }
                    Issue.record("accept: \(String(cString: strerror(error)))")
                    continue
                }
                accepted.withLock { $0 += 1 }
                let thread = JoinableThread { serve(ServerConnection(descriptor: connection)) }
                if thread == nil { Issue.record("no thread for a connection") }
            }
        }
        accepting.withLock { $0 = thread }
    }

    /// Refuses new connections from now on. The thread is awaited before the descriptor is given up: its number may
    /// be the next server's, whose connections an earlier one would take.
    func stop() {
        isStopped.withLock { $0 = true }
        shutdown(listener, Int32(SHUT_RDWR))
        accepting.withLock { $0.take() }?.join()
        close(listener)
    }
}
