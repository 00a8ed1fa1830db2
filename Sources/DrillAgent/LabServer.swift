import CLinux
import DrillCore
import Glibc

/// lab.sock of a kept lab: one connection at a time speaks the controller's language.
@LabActor
final class LabServer {
    private let socket: Descriptor
    private var isClosed = false

    init(_ folder: RunFolder) throws(LabFailure) {
        try Files.makeDirectories(folder.socketFolder)
        let number = Glibc.socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if number < 0 { throw systemFailure("make lab.sock") }
        socket = Descriptor(number)
        try Files.remove(folder.socketPath)
        let result = try withUnixAddress(folder.socketPath) { bind(number, $0, $1) }
        if result < 0 { throw systemFailure("bind \(folder.socketPath)") }
        chmod(folder.socketPath, 0o600)
        if Glibc.listen(number, 4) < 0 { throw systemFailure("listen on \(folder.socketPath)") }
    }

    func run(_ supervisor: LabSupervisor) async {
        while !isClosed, case .ready = await Reactor.shared.readable(socket.number), !isClosed {
            let number = clinux_accept(socket.number)
            if number < 0 { continue }
            let connection = Descriptor(number)
            let answers = LineWriter(connection)
            await supervisor.listen(connection, answers)
            await answers.drained()
            answers.end()
        }
    }

    func close() {
        isClosed = true
        Reactor.shared.forget(socket.number)
    }
}

/// The C address of a socket path.
func withUnixAddress<Value>(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
) throws(LabFailure) -> Value {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
        throw LabFailure(kind: .failed, message: "\(path) is too long for a socket")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}
