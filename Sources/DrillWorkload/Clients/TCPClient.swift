package import DrillCore

/// A TCP connect, and an exchange of bytes where `send` and `expect` are given.
package struct TCPClient: Client {
    package static let description = ClientDescription(
        name: "tcp",
        summary: "a TCP connect; with send and expect, an exchange of bytes",
        parameters: [
            .init("address", .hostAndPort, required: true, summary: "where to connect"),
            .init("send", .text, summary: "what is sent; \\r, \\n, \\t, \\\\ are understood"),
            .init("expect", .text, summary: "ok when the answer contains it"),
        ],
        operations: [.get], keptLaneNeeds: ["send", "expect"])

    private let exchange: Exchange
    private let expected: [UInt8]

    package init(parameters: [String: String], lane: Lane) throws(ClientParameterError) {
        exchange = Exchange(
            endpoint: try Endpoint(parameters["address", default: ""][...]),
            request: try Self.unescaped(parameters["send", default: ""]), lane: lane,
            closesByReset: true)
        expected = try Self.unescaped(parameters["expect", default: ""])
        if exchange.request.isEmpty != expected.isEmpty {
            throw ClientParameterError("'send' and 'expect' are given together or not at all")
        }
        if lane == .kept, expected.isEmpty {
            throw ClientParameterError("the kept lane needs 'send' and 'expect'")
        }
    }

    package func connection(_ workspace: ClientWorkspace) -> any ClientConnection {
        ExchangeConnection(exchange, ExpectedBytes(expected), workspace)
    }

    static func unescaped(_ text: String) throws(ClientParameterError) -> [UInt8] {
        var bytes: [UInt8] = []
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped {
                switch byte {
                case UInt8(ascii: "r"): bytes.append(13)
                case UInt8(ascii: "n"): bytes.append(10)
                case UInt8(ascii: "t"): bytes.append(9)
                case UInt8(ascii: "\\"): bytes.append(byte)
                default:
                    throw ClientParameterError(
                        "'\(text)': only \\r, \\n, \\t and \\\\ are understood")
                }
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                bytes.append(byte)
            }
        }
        if isEscaped { throw ClientParameterError("'\(text)' ends in a lone backslash") }
        return bytes
    }
}

/// Complete when the reply contains the bytes, wherever its pieces are cut.
struct ExpectedBytes: ReplyReader {
    private let expected: [UInt8]
    /// For each prefix, the length of its longest border (Knuth, Morris and Pratt): no byte is looked at twice.
    private let borders: [Int]
    private var matched = 0

    init(_ expected: [UInt8]) {
        self.expected = expected
        var borders = Array(repeating: 0, count: expected.count)
        var length = 0
        for index in expected.indices.dropFirst() {
            while length > 0, expected[index] != expected[length] { length = borders[length - 1] }
            if expected[index] == expected[length] { length += 1 }
            borders[index] = length
        }
        self.borders = borders
    }

    mutating func reset() { matched = 0 }

    mutating func consume(_ bytes: UnsafeRawBufferPointer) -> ReplyState {
        for (index, byte) in bytes.enumerated() {
            while matched > 0, byte != expected[matched] { matched = borders[matched - 1] }
            if byte == expected[matched] { matched += 1 }
            if matched == expected.count {
                return .complete(.ok, reusable: index == bytes.count - 1)
            }
        }
        return .incomplete
    }

    mutating func end() -> ReplyState { .incomplete }

    func withHost<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(start: nil, count: 0))
    }
}
