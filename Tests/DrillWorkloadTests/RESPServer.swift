import DrillCore
import DrillWorkload
import Glibc
import Synchronization

/// A scripted server that answers each command with bytes that a test chooses.
final class RESPServer: Sendable {
    private let server: ScriptedServer
    private let open: Connections

    private final class Connections: Sendable {
        let descriptors = Mutex<Set<Int32>>([])
    }

    var address: String { server.address }
    var port: UInt16 { server.port }
    var connections: Int { server.connections }

    /// `answer` has the command's words.
    init(answer: @escaping @Sendable ([String]) -> String) {
        let open = Connections()
        self.open = open
        server = ScriptedServer { connection in
            _ = open.descriptors.withLock { $0.insert(connection.descriptor) }
            var parser = RESPParser()
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = recv(connection.descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                parser.append(buffer[..<count])
                while let value = try? parser.next() {
                    let reply = answer(value.elements?.compactMap(\.text) ?? [])
                    if !reply.isEmpty { connection.write(reply) }
                }
            }
            _ = open.descriptors.withLock { $0.remove(connection.descriptor) }
            connection.end()
        }
    }

    /// What a friendly server says to all but the operation itself.
    static func greeting(_ words: [String], runID: String) -> String {
        let info = "# Server\r\nredis_version:7.0.15\r\nrun_id:\(runID)\r\ntcp_port:1\r\n"
        switch words.first {
        case "INFO": return "$\(info.utf8.count)\r\n\(info)\r\n"
        case "PING": return "+PONG\r\n"
        case _: return "-ERR unknown command\r\n"
        }
    }

    /// Ends what is open then.
    func end(after duration: Duration) {
        usleep(useconds_t(duration.nanoseconds / 1000))
        open.descriptors.withLock {
            for descriptor in $0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    func stop() { server.stop() }
}
