import Glibc

/// Reads one HTTP/1.x response to a GET or a POST (RFC 9112), in whatever pieces it comes.
///
/// It answers two questions, ok and complete, and keeps nothing of the body unless it is asked to.
package struct HTTPResponseReader: ReplyReader {
    private enum State: Equatable {
        case statusLine, headers
        case counted(left: UInt64)
        case untilClose
        case chunkSize
        case chunk(left: UInt64)
        case chunkEnd, trailers
    }

    /// Longer header lines than any server sends mean that this is not HTTP.
    private static let longestLine = 1 << 16

    private var state = State.statusLine
    private(set) var status = 0
    /// As far as it is kept; beyond the limit the response is malformed.
    private(set) var body: [UInt8] = []
    private let bodyLimit: Int?
    private var isReusable = false
    private var length: UInt64?
    private var isChunked = false
    /// Transfer-Encoding that does not end in chunked: only the close ends the body.
    private var endsByClose = false
    private var host: [UInt8] = []
    /// The beginning of a line whose end has not come.
    private var line: [UInt8] = []

    package init() { self.init(keepingBodyTo: nil) }

    /// The limit is in bytes; nil: nothing is kept.
    init(keepingBodyTo limit: Int?) {
        bodyLimit = limit
        line.reserveCapacity(512)
        host.reserveCapacity(64)
    }

    package func withHost<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        host.withUnsafeBytes(body)
    }

    package mutating func reset() {
        state = .statusLine
        status = 0
        isReusable = false
        length = nil
        isChunked = false
        endsByClose = false
        line.removeAll(keepingCapacity: true)
        host.removeAll(keepingCapacity: true)
        body.removeAll(keepingCapacity: true)
    }

    package mutating func end() -> ReplyState {
        state == .untilClose ? .complete(answer, reusable: false) : .incomplete
    }

    package mutating func consume(_ bytes: UnsafeRawBufferPointer) -> ReplyState {
        var rest = bytes
        while !rest.isEmpty {
            switch state {
            case .untilClose: return keep(rest) ? .incomplete : .malformed
            case .counted(let left):
                guard keep(rest.prefix(Int(left))) else { return .malformed }
                if UInt64(rest.count) < left {
                    state = .counted(left: left - UInt64(rest.count))
                    return .incomplete
                }
                return complete(after: UnsafeRawBufferPointer(rebasing: rest[Int(left)...]))
            case .chunk(let left):
                let taken = min(left, UInt64(rest.count))
                guard keep(rest.prefix(Int(taken))) else { return .malformed }
                state = taken == left ? .chunkEnd : .chunk(left: left - taken)
                rest = UnsafeRawBufferPointer(rebasing: rest[Int(taken)...])
            case .statusLine, .headers, .chunkSize, .chunkEnd, .trailers:
                guard let newline = memchr(rest.baseAddress!, 10, rest.count) else {
                    line.append(contentsOf: rest)
                    return line.count > Self.longestLine ? .malformed : .incomplete
                }
                let count = UnsafeRawPointer(newline) - rest.baseAddress!
                let end = UnsafeRawBufferPointer(rebasing: rest[..<count])
                rest = UnsafeRawBufferPointer(rebasing: rest[(count + 1)...])
                switch takeLine(endingIn: end) {
                case .next: continue
                case .complete: return complete(after: rest)
                case .malformed: return .malformed
                }
            }
        }
        return .incomplete
    }

    /// False: it is longer than anything that was asked for.
    private mutating func keep(_ bytes: some Collection<UInt8>) -> Bool {
        guard let bodyLimit else { return true }
        guard body.count + bytes.count <= bodyLimit else { return false }
        body.append(contentsOf: bytes)
        return true
    }

    private var answer: ClientAnswer { (200...399).contains(status) ? .ok : .refused }

    private func complete(after rest: UnsafeRawBufferPointer) -> ReplyState {
        // Bytes that nobody asked for would be taken for the next answer.
        .complete(answer, reusable: isReusable && rest.isEmpty)
    }

    private enum LineResult { case next, complete, malformed }

    private mutating func takeLine(endingIn end: UnsafeRawBufferPointer) -> LineResult {
        if line.isEmpty { return interpret(Self.withoutReturn(end)) }
        line.append(contentsOf: end)
        let whole = line
        defer { line.removeAll(keepingCapacity: true) }
        return whole.withUnsafeBytes { interpret(Self.withoutReturn($0)) }
    }

    private static func withoutReturn(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        line.last == 13 ? UnsafeRawBufferPointer(rebasing: line.dropLast()) : line
    }

    private mutating func interpret(_ line: UnsafeRawBufferPointer) -> LineResult {
        switch state {
        case .statusLine: return takeStatus(line)
        case .headers: return line.isEmpty ? beginBody() : takeHeader(line)
        case .chunkSize:
            guard let size = Self.number(line, radix: 16) else { return .malformed }
            state = size == 0 ? .trailers : .chunk(left: size)
            return .next
        case .chunkEnd:
            state = .chunkSize
            return line.isEmpty ? .next : .malformed
        case .trailers: return line.isEmpty ? .complete : .next
        case .counted, .untilClose, .chunk: return .malformed
        }
    }

    /// `HTTP/1.1 200 OK`
    private mutating func takeStatus(_ line: UnsafeRawBufferPointer) -> LineResult {
        guard line.count >= 12, memcmp(line.baseAddress!, "HTTP/1.", 7) == 0, line[8] == 32 else {
            return .malformed
        }
        let digits = UnsafeRawBufferPointer(rebasing: line[9..<12])
        guard let number = Self.number(digits, radix: 10), (100...999).contains(number) else {
            return .malformed
        }
        status = Int(number)
        isReusable = line[7] != UInt8(ascii: "0")
        state = .headers
        return .next
    }

    private mutating func takeHeader(_ line: UnsafeRawBufferPointer) -> LineResult {
        guard let colon = memchr(line.baseAddress!, 58, line.count) else { return .malformed }
        let count = UnsafeRawPointer(colon) - line.baseAddress!
        let name = UnsafeRawBufferPointer(rebasing: line[..<count])
        let value = Self.trimmed(UnsafeRawBufferPointer(rebasing: line[(count + 1)...]))
        if Self.isEqual(name, "content-length") {
            guard let number = Self.number(value, radix: 10), length == nil || length == number
            else { return .malformed }
            length = number
        } else if Self.isEqual(name, "transfer-encoding") {
            isChunked = Self.ends(value, with: "chunked")
            endsByClose = !isChunked
        } else if Self.isEqual(name, "connection") {
            if Self.isEqual(value, "close") { isReusable = false }
            if Self.isEqual(value, "keep-alive") { isReusable = true }
        } else if Self.isEqual(name, "x-firedrill-host") {
            host.append(contentsOf: value.prefix(256))
        }
        return .next
    }

    private mutating func beginBody() -> LineResult {
        if (100...199).contains(status) {
            // An interim answer; the real one follows. 101 would be another protocol.
            if status == 101 { return .malformed }
            reset()
            return .next
        }
        if status == 204 || status == 304 { return .complete }
        if isChunked {
            state = .chunkSize
        } else if let length, !endsByClose {
            if length == 0 { return .complete }
            state = .counted(left: length)
        } else {
            state = .untilClose
        }
        return .next
    }

    private static func isEqual(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        bytes.count == text.utf8CodeUnitCount && ends(bytes, with: text)
    }

    private static func ends(_ bytes: UnsafeRawBufferPointer, with text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count >= count, let base = bytes.baseAddress else { return false }
        let tail = (base + (bytes.count - count)).assumingMemoryBound(to: CChar.self)
        return text.withUTF8Buffer { expected in
            expected.withMemoryRebound(to: CChar.self) {
                strncasecmp(tail, $0.baseAddress!, count) == 0
            }
        }
    }

    private static func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var slice = bytes[...]
        while let first = slice.first, first == 32 || first == 9 { slice = slice.dropFirst() }
        while let last = slice.last, last == 32 || last == 9 { slice = slice.dropLast() }
        return UnsafeRawBufferPointer(rebasing: slice)
    }

    /// Digits up to the end, a blank or a semicolon (a chunk's extension); nil for anything else or too much.
    private static func number(_ bytes: UnsafeRawBufferPointer, radix: UInt64) -> UInt64? {
        var value: UInt64 = 0
        var digits = 0
        for byte in bytes {
            let digit: UInt8
            switch byte {
            case 48...57: digit = byte - 48
            case 65...70 where radix == 16: digit = byte - 55
            case 97...102 where radix == 16: digit = byte - 87
            case 32 where radix == 16, 59 where radix == 16: return digits > 0 ? value : nil
            default: return nil
            }
            digits += 1
            // 2^59 bytes are never a body.
            guard digits <= 18, value < 1 << 55 else { return nil }
            value = value * radix + UInt64(digit)
        }
        return digits > 0 ? value : nil
    }
}
