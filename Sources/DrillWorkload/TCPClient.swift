internal import DrillCore

/// A TCP connect, and an exchange of bytes where `send` and `expect` are given.
package enum TCPClient {
    package static let description = ClientDescription(
        name: "tcp",
        summary: "a TCP connect; with send and expect, an exchange of bytes",
        parameters: [
            .init("address", .hostAndPort, required: true, summary: "where to connect"),
            .init("send", .text, summary: "what is sent; \\r, \\n, \\t, \\\\ are understood"),
            .init("expect", .text, summary: "ok when the answer contains it"),
        ],
        operations: [.get], keptLaneNeeds: ["send", "expect"])
}
