package import DrillCore

/// HTTP/1.1 GET. ok is 200...399 with a complete body.
package struct HTTPClient: Client {
    package static let description = ClientDescription(
        name: "http", summary: "HTTP/1.1 GET; ok is 200-399 with a complete body",
        parameters: [
            .init("url", .url, required: true, summary: "what is fetched"),
            .init(
                "close", .word(["rst", "fin"]), default: "rst",
                summary: "how the fresh lane ends a connection after a complete answer"),
        ],
        operations: [.get])

    private let exchange: Exchange

    package init(parameters: [String: String], lane: Lane) throws(ClientParameterError) {
        let url = parameters["url", default: ""]
        let scheme = "http://"
        guard url.hasPrefix(scheme) else {
            throw ClientParameterError("'\(url)' does not begin with http://")
        }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let target = rest[authority.endIndex...].prefix { $0 != "#" }
        // A blank or a control character would end the request line early, or begin a header.
        guard target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw ClientParameterError("'\(url)' holds a character that must be percent-encoded")
        }
        let path = target.first == "/" ? String(target) : "/" + target
        let connection = lane == .kept ? "keep-alive" : "close"
        exchange = Exchange(
            endpoint: try Endpoint(authority, defaultPort: 80),
            request: Array(
                """
                GET \(path) HTTP/1.1\r\nHost: \(authority)\r\nUser-Agent: firedrill\r\n\
                Accept: */*\r\nConnection: \(connection)\r\n\r\n
                """.utf8),
            lane: lane, closesByReset: parameters["close", default: "rst"] != "fin")
    }

    package func connection(_ workspace: ClientWorkspace) -> any ClientConnection {
        ExchangeConnection(exchange, HTTPResponseReader(), workspace)
    }
}
