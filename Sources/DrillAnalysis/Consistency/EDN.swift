/// The part of EDN (github.com/edn-format/edn) that histories are written in, with where each value begins.
package indirect enum EDN: Hashable, Sendable {
    case null
    /// Numbers, texts, characters and symbols by their spelling: a register only compares them.
    case atom(String)
    case keyword(String)
    /// Vectors, lists and sets.
    case list([EDN])
    case map([Entry])

    package struct Entry: Hashable, Sendable {
        package var key: EDN
        package var value: EDN
    }

    package subscript(keyword name: String) -> EDN? {
        guard case .map(let entries) = self else { return nil }
        return entries.first { $0.key == .keyword(name) }?.value
    }
}

/// Reads one value after the other.
struct EDNReader {
    struct Failure: Error {
        var offset: Int
        var reason: String
    }

    private let bytes: [UInt8]
    private(set) var offset: Int
    private let end: Int
    /// A hostile file nests without end.
    private static let deepest = 64

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    /// Nil at the end.
    mutating func next() throws(Failure) -> EDN? {
        try skip(0)
        return offset < end ? try value(0) : nil
    }

    /// Where the next value begins.
    mutating func position() throws(Failure) -> Int {
        try skip(0)
        return offset
    }

    /// Blanks, comments, and the value after each `#_`.
    private mutating func skip(_ depth: Int) throws(Failure) {
        while offset < end {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","): offset += 1
            case UInt8(ascii: ";"): while offset < end, bytes[offset] != 0x0A { offset += 1 }
            case UInt8(ascii: "#") where follows(UInt8(ascii: "_")):
                offset += 2
                _ = try value(depth + 1)
            default: return
            }
        }
    }

    private func follows(_ byte: UInt8) -> Bool { offset + 1 < end && bytes[offset + 1] == byte }

    private mutating func value(_ depth: Int) throws(Failure) -> EDN {
        guard depth < Self.deepest else {
            throw Failure(offset: offset, reason: "nested too deeply")
        }
        try skip(depth)
        guard offset < end else { throw Failure(offset: offset, reason: "a value is missing") }
        switch bytes[offset] {
        case UInt8(ascii: "["): return .list(try items(UInt8(ascii: "]"), depth))
        case UInt8(ascii: "("): return .list(try items(UInt8(ascii: ")"), depth))
        case UInt8(ascii: "{"):
            let start = offset
            let items = try items(UInt8(ascii: "}"), depth)
            guard items.count.isMultiple(of: 2) else {
                throw Failure(offset: start, reason: "a map's last key has no value")
            }
            return .map(
                stride(from: 0, to: items.count, by: 2).map {
                    EDN.Entry(key: items[$0], value: items[$0 + 1])
                })
        case UInt8(ascii: "\""): return .atom(try text())
        case UInt8(ascii: "#"):
            let start = offset
            offset += 1
            // A set has no pairs: #{"n2" "n3" "n4"}.
            if offset < end, bytes[offset] == UInt8(ascii: "{") {
                return .list(try items(UInt8(ascii: "}"), depth))
            }
            let tag = token()
            guard !tag.isEmpty else { throw Failure(offset: start, reason: "a tag has no name") }
            // ##NaN is a value of its own.
            if tag.first == "#" { return .atom("#" + tag) }
            // A tag, such as #jepsen.history.Op: what follows is what counts.
            return try value(depth + 1)
        case UInt8(ascii: "]"), UInt8(ascii: ")"), UInt8(ascii: "}"):
            throw Failure(offset: offset, reason: "closes what was not opened")
        default:
            let word = token()
            if word == "nil" { return .null }
            return word.first == ":" ? .keyword(String(word.dropFirst())) : .atom(word)
        }
    }

    private mutating func items(_ close: UInt8, _ depth: Int) throws(Failure) -> [EDN] {
        let start = offset
        offset += 1
        var items: [EDN] = []
        while true {
            try skip(depth)
            guard offset < end else { throw Failure(offset: start, reason: "is not closed") }
            if bytes[offset] == close {
                offset += 1
                return items
            }
            items.append(try value(depth + 1))
        }
    }

    private mutating func text() throws(Failure) -> String {
        let start = offset
        offset += 1
        var content: [UInt8] = []
        while offset < end, bytes[offset] != UInt8(ascii: "\"") {
            if bytes[offset] == UInt8(ascii: "\\"), offset + 1 < end { offset += 1 }
            content.append(bytes[offset])
            offset += 1
        }
        guard offset < end else { throw Failure(offset: start, reason: "the text is not closed") }
        offset += 1
        return String(decoding: content, as: UTF8.self)
    }

    private static let stops: [UInt8] = Array(" \t\r\n,[](){}\";".utf8)

    /// Empty where a stop or the end is next.
    private mutating func token() -> String {
        let start = offset
        while offset < end, !Self.stops.contains(bytes[offset]) { offset += 1 }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }
}
