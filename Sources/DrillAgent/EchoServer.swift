import DrillCore
import Glibc

/// Accepts TCP connections and answers each with one line: a service without dependencies, for trying a lab out.
enum EchoServer {
    static func run(_ port: UInt16) throws(LabFailure) -> Never {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if number < 0 { throw systemFailure("make a socket") }
        var on: Int32 = 1
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = port.bigEndian
        let result = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result < 0 { throw systemFailure("bind port \(port)") }
        if listen(number, 64) < 0 { throw systemFailure("listen on port \(port)") }
        signal(SIGPIPE, SIG_IGN)
        try Descriptor(dup(1)).write("serving on port \(port)\n")
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"
        var room = [UInt8](repeating: 0, count: 4096)
        while true {
            let connection = accept(number, nil, nil)
            if connection < 0 { continue }
            _ = read(connection, &room, room.count)
            _ = answer.utf8.withContiguousStorageIfAvailable {
                write(connection, $0.baseAddress, $0.count)
            }
            close(connection)
        }
    }
}
