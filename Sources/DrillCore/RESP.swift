import Glibc

/// One value of RESP2, the protocol of Redis (https://redis.io/docs/latest/develop/reference/protocol-spec).
package enum RESPValue: Hashable, Sendable {
    /// A status, as `OK`; bytes that are no UTF-8 are repaired.
    case simple(String)
    /// A refusal, as `READONLY You can't write against a read only replica.`
    case error(String)
    case integer(Int64)
    case bulk([UInt8])
    case array([RESPValue])
    /// A bulk string or an array that is not there.
    case null

    package static func bulk(_ text: some StringProtocol) -> RESPValue { .bulk(Array(text.utf8)) }

    /// Of a status or a bulk string; nil for all others.
    package var text: String? {
        switch self {
        case .simple(let text): text
        case .bulk(let bytes): String(decoding: bytes, as: UTF8.self)
        case .error, .integer, .array, .null: nil
        }
    }

    package var elements: [RESPValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }
}

/// Bytes that are not RESP2, or more of it than is ever asked for. Nothing after them can be understood.
package struct RESPError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
}

package enum RESP {
    /// A command as clients send it: an array of bulk strings.
    package static func append(command words: [String], to bytes: inout [UInt8]) {
        append(head: UInt8(ascii: "*"), words.count, to: &bytes)
        for word in words { append(bulk: word, to: &bytes) }
    }

    package static func command(_ words: String...) -> [UInt8] {
        var bytes: [UInt8] = []
        append(command: words, to: &bytes)
        return bytes
    }

    package static func append(bulk text: String, to bytes: inout [UInt8]) {
        append(head: UInt8(ascii: "$"), text.utf8.count, to: &bytes)
        bytes.append(contentsOf: text.utf8)
        appendLineEnd(to: &bytes)
    }

    /// A reply as servers send it.
    package static func append(_ value: RESPValue, to bytes: inout [UInt8]) {
        switch value {
        case .simple(let text): append(line: UInt8(ascii: "+"), text, to: &bytes)
        case .error(let text): append(line: UInt8(ascii: "-"), text, to: &bytes)
        case .integer(let number): append(line: UInt8(ascii: ":"), String(number), to: &bytes)
        case .bulk(let content):
            append(head: UInt8(ascii: "$"), content.count, to: &bytes)
            bytes.append(contentsOf: content)
            appendLineEnd(to: &bytes)
        case .array(let elements):
            append(head: UInt8(ascii: "*"), elements.count, to: &bytes)
            for element in elements { append(element, to: &bytes) }
        case .null: append(line: UInt8(ascii: "$"), "-1", to: &bytes)
        }
    }

    private static func append(head tag: UInt8, _ count: Int, to bytes: inout [UInt8]) {
        bytes.append(tag)
        bytes.append(contentsOf: String(count).utf8)
        appendLineEnd(to: &bytes)
    }

    private static func append(line tag: UInt8, _ text: String, to bytes: inout [UInt8]) {
        bytes.append(tag)
        // The end of a line would end the value: the rest would be taken for the next one.
        for byte in text.utf8 { bytes.append(byte == 13 || byte == 10 ? 32 : byte) }
        appendLineEnd(to: &bytes)
    }

    private static func appendLineEnd(to bytes: inout [UInt8]) {
        bytes.append(13)
        bytes.append(10)
    }
}

/// Reads RESP2 values from bytes that come in any pieces; every byte is looked at once.
package struct RESPParser: Sendable {
    /// Of one line: statuses, errors and numbers are short.
    package static let longestLine = 1 << 16
    package static let deepest = 16

    private struct Frame {
        var left: Int
        var elements: [RESPValue] = []
    }

    /// Bytes that one value may have, all its elements included.
    private let largest: Int
    private var bytes: [UInt8] = []
    /// Before it all is read.
    private var position = 0
    /// From `position` to before it there is no end of a line.
    private var searched = 0
    /// Of the value that is being read, up to `position`.
    private var taken = 0
    /// The arrays that are not yet whole, the outermost first.
    private var open: [Frame] = []
    /// The length of a bulk string of which only the head was read.
    private var bulk: Int?
    private var failure: RESPError?

    package init(largest: Int = 1 << 24) {
        self.largest = largest
        bytes.reserveCapacity(512)
    }

    /// No byte is left of a value that is not whole.
    package var isEmpty: Bool { position == bytes.count && open.isEmpty && bulk == nil }

    /// As new: what was given so far is forgotten.
    package mutating func reset() {
        bytes.removeAll(keepingCapacity: true)
        open.removeAll(keepingCapacity: true)
        position = 0
        searched = 0
        taken = 0
        bulk = nil
        failure = nil
    }

    package mutating func append(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }
    package mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    /// The next value that is whole; nil until more bytes have come.
    package mutating func next() throws(RESPError) -> RESPValue? {
        if let failure { throw failure }
        do throws(RESPError) {
            while let value = try element() {
                guard let whole = close(with: value) else { continue }
                taken = 0
                compact()
                return whole
            }
            compact()
            return nil
        } catch {
            failure = error
            throw error
        }
    }

    /// The next value that is no array of elements, at whatever depth it stands.
    private mutating func element() throws(RESPError) -> RESPValue? {
        while true {
            if let count = bulk {
                guard bytes.count - position >= count + 2 else { return nil }
                let end = position + count
                guard bytes[end] == 13, bytes[end + 1] == 10 else {
                    throw RESPError(description: "a bulk string does not end where it says")
                }
                let content = Array(bytes[position..<end])
                advance(to: end + 2)
                bulk = nil
                return .bulk(content)
            }
            guard let end = try lineEnd() else { return nil }
            let tag = bytes[position]
            let line = bytes[(position + 1)..<(end - 1)]
            if line.contains(13) {
                throw RESPError(description: "a carriage return within a line")
            }
            let text = String(decoding: line, as: UTF8.self)
            advance(to: end + 1)
            guard taken <= largest else { throw tooLarge }
            switch tag {
            case UInt8(ascii: "+"): return .simple(text)
            case UInt8(ascii: "-"): return .error(text)
            case UInt8(ascii: ":"):
                guard let number = Int64(text) else {
                    throw RESPError(description: "'\(text.prefix(40))' is no integer")
                }
                return .integer(number)
            case UInt8(ascii: "$"):
                guard let count = try length(text) else { return .null }
                guard count <= largest - taken - 2 else { throw tooLarge }
                bulk = count
            // The tag was looked at before: it is an array's.
            case _:
                guard let count = try length(text) else { return .null }
                if count == 0 { return .array([]) }
                // An element has three bytes at least.
                guard count <= (largest - taken) / 3 else { throw tooLarge }
                guard open.count < Self.deepest else {
                    throw RESPError(description: "arrays nested deeper than \(Self.deepest)")
                }
                open.append(Frame(left: count))
            }
        }
    }

    /// Puts a value where it stands; the outermost one when that is whole.
    private mutating func close(with value: RESPValue) -> RESPValue? {
        var value = value
        while !open.isEmpty {
            open[open.count - 1].elements.append(value)
            open[open.count - 1].left -= 1
            guard open[open.count - 1].left == 0 else { return nil }
            value = .array(open.removeLast().elements)
        }
        return value
    }

    /// The place of the newline that ends the line at `position`; nil where it has not come.
    private mutating func lineEnd() throws(RESPError) -> Int? {
        guard position < bytes.count else { return nil }
        let tag = bytes[position]
        guard Self.tags.contains(tag) else {
            throw RESPError(description: "no value begins with byte \(tag)")
        }
        let found = bytes.withUnsafeBytes { all -> Int? in
            let base = all.baseAddress!
            return memchr(base + searched, 10, all.count - searched).map {
                UnsafeRawPointer($0) - base
            }
        }
        let end = found ?? bytes.count
        // The tag before it and the carriage return after it are not of the line.
        guard end - position - 2 <= Self.longestLine else {
            throw RESPError(description: "a line longer than \(Self.longestLine) bytes")
        }
        guard found != nil else {
            searched = end
            return nil
        }
        guard end > position + 1, bytes[end - 1] == 13 else {
            throw RESPError(description: "a newline without a carriage return")
        }
        return end
    }

    private static let tags = Array("+-:$*".utf8)

    /// Nil: -1, the length of what is not there.
    private func length(_ text: String) throws(RESPError) -> Int? {
        if text == "-1" { return nil }
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), let count = Int(text) else {
            throw RESPError(description: "'\(text.prefix(40))' is no length")
        }
        return count
    }

    private var tooLarge: RESPError {
        RESPError(description: "a value larger than \(largest) bytes")
    }

    private mutating func advance(to end: Int) {
        taken += end - position
        position = end
        searched = end
    }

    /// Forgets what was read, where that costs little.
    private mutating func compact() {
        if position == bytes.count {
            bytes.removeAll(keepingCapacity: true)
        } else if position >= 1 << 16 {
            bytes.removeSubrange(..<position)
        } else {
            return
        }
        searched -= position
        position = 0
    }
}
