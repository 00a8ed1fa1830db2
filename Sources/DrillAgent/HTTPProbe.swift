import CLinux
import DrillCore
import Glibc

/// One GET, to learn whether a service is ready; measuring is firedrill-load's.
package enum HTTPProbe {
    package struct Target: Hashable {
        package var address: String
        package var port: UInt16
        package var path: String

        package init(address: String, port: UInt16, path: String) {
            self.address = address
            self.port = port
            self.path = path
        }
    }

    /// `http://ADDRESS[:PORT][/PATH]`; names are not looked up.
    package static func parse(_ url: String) -> Target? {
        guard url.hasPrefix("http://") else { return nil }
        let rest = url.dropFirst("http://".count)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash].split(separator: ":", omittingEmptySubsequences: false)
        guard let host = authority.first, !host.isEmpty, authority.count <= 2 else { return nil }
        let port = authority.count == 2 ? UInt16(authority[1]) : 80
        guard let port else { return nil }
        return Target(
            address: host == "localhost" ? "127.0.0.1" : String(host), port: port,
            path: slash == rest.endIndex ? "/" : String(rest[slash...]))
    }

    /// 200…399 of `HTTP/1.1 200 OK`.
    package static func isGood(statusLine: some StringProtocol) -> Bool {
        let fields = statusLine.split(separator: " ")
        guard fields.count >= 2, fields[0].hasPrefix("HTTP/1."), let status = Int(fields[1]) else {
            return false
        }
        return (200...399).contains(status)
    }

    static func get(_ url: String) throws(LabFailure) -> Int32 {
        guard let target = parse(url) else {
            throw LabFailure(kind: .failed, message: "'\(url)' is no http URL with an IPv4 address")
        }
        let deadline = RunInstant.now + .seconds(1)
        let connection = try TCPConnection(target.address, target.port)
        guard try connection.wait(until: deadline) == .connected else {
            throw LabFailure(kind: .timedOut, message: "\(url): no connection in 1s")
        }
        try connection.socket.write(
            "GET \(target.path) HTTP/1.1\r\nHost: \(target.address)\r\nConnection: close\r\n\r\n")
        var answer: [UInt8] = []
        while !answer.contains(UInt8(ascii: "\n")) {
            var entry = clinux_poll(
                descriptor: connection.socket.number, asked: Int16(POLLIN), seen: 0)
            guard clinux_ppoll(&entry, 1, max(0, (deadline - .now).nanoseconds)) > 0 else {
                throw LabFailure(kind: .timedOut, message: "\(url): no answer in 1s")
            }
            let part = try connection.socket.read()
            if part.isEmpty { break }
            answer += part
        }
        let line = String(
            decoding: answer.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") },
            as: UTF8.self)
        guard isGood(statusLine: line) else {
            throw LabFailure(kind: .failed, message: "\(url): \(line)")
        }
        return 0
    }
}
