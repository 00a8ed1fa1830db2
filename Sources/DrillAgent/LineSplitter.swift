/// Whole lines out of pieces of a stream.
package struct LineSplitter {
    private var rest: [UInt8] = []

    package init() {}

    /// The lines that are complete now, without their newlines.
    package mutating func add(_ bytes: [UInt8]) -> [String] {
        rest += bytes
        var lines: [String] = []
        var start = rest.startIndex
        while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(String(decoding: rest[start..<end], as: UTF8.self))
            start = end + 1
        }
        rest.removeSubrange(..<start)
        return lines
    }

    /// What came after the last newline; nil if nothing did.
    package mutating func end() -> String? {
        defer { rest = [] }
        return rest.isEmpty ? nil : String(decoding: rest, as: UTF8.self)
    }
}
