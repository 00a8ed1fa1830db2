internal import DrillCore

/// HTTP/1.1 GET. ok is 200...399 with a complete body.
package enum HTTPClient {
    package static let description = ClientDescription(
        name: "http", summary: "HTTP/1.1 GET; ok is 200-399 with a complete body",
        parameters: [
            .init("url", .url, required: true, summary: "what is fetched"),
            .init(
                "close", .word(["rst", "fin"]), default: "rst",
                summary: "how the fresh lane ends a connection after a complete answer"),
        ],
        operations: [.get])
}
