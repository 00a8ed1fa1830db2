import DrillWorkload
import Testing

@Suite struct HTTPResponseReaderTests {
    struct Row: Sendable {
        var response: String
        /// Before the server closes; nil: incomplete.
        var answer: ClientAnswer?
        var reusable = true
        /// Once it has closed; nil: still incomplete.
        var atEnd: ClientAnswer?
        var host = ""
    }

    static let rows: [Row] = [
        Row(response: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", answer: .ok),
        Row(response: "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", answer: .ok),
        Row(response: "HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", answer: .ok),
        Row(response: "HTTP/1.1 204 No Content\r\n\r\n", answer: .ok),
        Row(response: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", answer: .ok),
        Row(response: "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", answer: .ok),
        Row(response: "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", answer: .refused),
        Row(response: "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", answer: .refused),
        Row(
            response: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
            answer: .ok, reusable: false),
        Row(
            response: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", answer: .ok,
            reusable: false),
        Row(
            response:
                "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok",
            answer: .ok),
        Row(
            response: "HTTP/1.1 200 OK\r\nX-Firedrill-Host:  b \r\nContent-Length: 1\r\n\r\nx",
            answer: .ok, host: "b"),
        Row(
            response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5\r\nhello\r\n1A;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n", answer: .ok),
        Row(
            response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n"
                + "Content-Length: 99\r\n\r\n1\r\nx\r\n0\r\nTrailer: 1\r\n\r\n", answer: .ok),
        Row(
            response: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
            answer: .ok),
        // Half answers.
        Row(response: "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello"),
        Row(response: "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"),
        Row(response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"),
        Row(response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
        Row(response: "HTT"),
        // Only the close ends these.
        Row(response: "HTTP/1.1 200 OK\r\n\r\nhello", atEnd: .ok),
        Row(response: "HTTP/1.0 500 Oh\r\n\r\n", atEnd: .refused),
        Row(
            response:
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
            atEnd: .ok),
    ]

    private static func feed(_ pieces: [[UInt8]], _ reader: inout HTTPResponseReader) -> ReplyState
    {
        var state = ReplyState.incomplete
        for piece in pieces where !piece.isEmpty {
            guard state == .incomplete else { return .malformed }
            state = piece.withUnsafeBytes { reader.consume($0) }
        }
        return state
    }

    @Test(arguments: rows)
    func `a response is understood wherever it is cut`(row: Row) {
        let bytes = Array(row.response.utf8)
        var reader = HTTPResponseReader()
        let expected = row.answer.map { ReplyState.complete($0, reusable: row.reusable) }
        for cut in 0...bytes.count {
            reader.reset()
            let state = Self.feed([Array(bytes[..<cut]), Array(bytes[cut...])], &reader)
            #expect(state == expected ?? .incomplete, "cut at \(cut)")
            #expect(reader.withHost { String(decoding: $0, as: UTF8.self) } == row.host)
            if row.answer == nil {
                let end = row.atEnd.map { ReplyState.complete($0, reusable: false) }
                #expect(reader.end() == end ?? .incomplete)
            }
        }
        reader.reset()
        #expect(Self.feed(bytes.map { [$0] }, &reader) == expected ?? .incomplete)
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH\r\n", "HTTP/2 200\r\n", "HTTP/1.1 20x OK\r\n", "HTTP/1.1 099 No\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ])
    func `what is not HTTP is told from it`(response: String) {
        var reader = HTTPResponseReader()
        #expect(Self.feed([Array(response.utf8)], &reader) == .malformed)
    }

    @Test func `bytes after the answer make the connection unfit for another`() {
        var reader = HTTPResponseReader()
        let response = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1"
        #expect(Self.feed([Array(response.utf8)], &reader) == .complete(.ok, reusable: false))
    }

    @Test func `an endless header line is given up`() {
        var reader = HTTPResponseReader()
        let piece = [UInt8](repeating: 65, count: 1 << 12)
        #expect(Self.feed(Array(repeating: piece, count: 17), &reader) == .malformed)
    }
}
