internal import DrillCore

/// Reads a register history that somebody has: one operation's begin or end a line, in the order in which they
/// happened.
///
/// - Ours, JSON: `{"process": 0, "type": "invoke", "f": "write", "key": "x", "value": 1}`; `key` may be absent.
/// - Jepsen's, EDN: `{:process 0, :type :invoke, :f :write, :value 1}`, alone or in one vector, and the lines of its log,
///   `0 :invoke :write 1` after whatever the logger says first. A key stands before the value: `[key value]`.
///
/// `type` is invoke, ok, fail (it definitely did not take effect) or info (nobody knows); `f` is read, write or cas, whose
/// value is `[old new]`. A process that is a keyword (`:nemesis`), or the text nemesis, is passed over.
package enum HistoryFile {
    /// - Returns: instants count the lines.
    package static func read(
        _ bytes: [UInt8], name: String
    ) throws(HistoryFileError) -> RegisterHistory {
        var builder = Builder(name: name)
        var reader = EDNReader(bytes, 0..<bytes.count)
        var place = Place()
        let first: Int
        do throws(EDNReader.Failure) {
            first = try reader.position()
        } catch {
            throw place.failure(at: error.offset, in: bytes, name, error.reason)
        }
        if first < bytes.count, let close = closer(of: bytes[first]) {
            try readVector(bytes, first, close, &builder)
            return builder.finish()
        }
        var start = 0
        var line = 1
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            try readLine(bytes, start..<end, line, &builder)
            start = end + 1
            line += 1
        }
        return builder.finish()
    }

    private static func closer(of open: UInt8) -> UInt8? {
        switch open {
        case UInt8(ascii: "["): UInt8(ascii: "]")
        case UInt8(ascii: "("): UInt8(ascii: ")")
        default: nil
        }
    }

    private static func readVector(
        _ bytes: [UInt8], _ open: Int, _ close: UInt8, _ builder: inout Builder
    ) throws(HistoryFileError) {
        var reader = EDNReader(bytes, (open + 1)..<bytes.count)
        var place = Place()
        var start = open
        while true {
            let item: EDN?
            do throws(EDNReader.Failure) {
                start = try reader.position()
                let isItem = start < bytes.count && bytes[start] != close
                item = try isItem ? reader.next() : nil
            } catch {
                throw place.failure(at: error.offset, in: bytes, builder.name, error.reason)
            }
            guard start < bytes.count else {
                throw place.failure(at: start, in: bytes, builder.name, "the vector is not closed")
            }
            guard let item else { break }
            guard case .map = item else {
                throw place.failure(at: start, in: bytes, builder.name, noOperation)
            }
            place.move(to: start, in: bytes)
            try builder.add(Event(item), line: place.line, column: place.column)
        }
        // Whether a second history goes on with the registers of the first, or has others, nobody knows.
        reader = EDNReader(bytes, (start + 1)..<bytes.count)
        do throws(EDNReader.Failure) {
            let more = try reader.position()
            if more == bytes.count { return }
            throw EDNReader.Failure(
                offset: more,
                reason: "the vector has ended, and something follows: a file holds one history")
        } catch {
            throw place.failure(at: error.offset, in: bytes, builder.name, error.reason)
        }
    }

    /// Where in the file; offsets only grow, so that each byte is looked at once.
    private struct Place {
        private var offset = 0
        private var lineStart = 0
        private(set) var line = 1
        var column: Int { offset - lineStart + 1 }

        mutating func move(to new: Int, in bytes: [UInt8]) {
            while offset < min(new, bytes.count) {
                if bytes[offset] == 0x0A {
                    line += 1
                    lineStart = offset + 1
                }
                offset += 1
            }
        }

        mutating func failure(
            at offset: Int, in bytes: [UInt8], _ file: String, _ reason: String
        ) -> HistoryFileError {
            move(to: offset, in: bytes)
            return HistoryFileError(file: file, line: line, column: column, reason: reason)
        }
    }

    private static let noOperation =
        "is no operation: {:process 0, :type :invoke, :f :write, :value 1}"

    private static func readLine(
        _ bytes: [UInt8], _ range: Range<Int>, _ line: Int, _ builder: inout Builder
    ) throws(HistoryFileError) {
        guard let start = bytes[range].firstIndex(where: { !isBlank($0) }),
            bytes[start] != UInt8(ascii: ";")
        else { return }
        let column = start - range.lowerBound + 1
        if bytes[start] == UInt8(ascii: "{"),
            bytes[(start + 1)..<range.upperBound].first(where: { $0 != 0x20 }) == UInt8(ascii: "\"")
        {
            let text = String(decoding: bytes[start..<range.upperBound], as: UTF8.self)
            let event: Event
            do {
                event = Event(try JSONLine.decode(JSONEvent.self, from: text))
            } catch {
                throw HistoryFileError(
                    file: builder.name, line: line, column: column,
                    reason:
                        "is no operation: {\"process\": 0, \"type\": \"invoke\", \"f\": \"write\", \"value\": 1}"
                )
            }
            return try builder.add(event, line: line, column: column)
        }
        let event: Event?
        do throws(EDNReader.Failure) {
            let isMap = bytes[start] == UInt8(ascii: "{") || bytes[start] == UInt8(ascii: "#")
            let rest = start..<range.upperBound
            event = try isMap ? map(bytes, rest) : logged(bytes, rest)
        } catch {
            throw HistoryFileError(
                file: builder.name, line: line, column: error.offset - range.lowerBound + 1,
                reason: error.reason)
        }
        if let event { try builder.add(event, line: line, column: column) }
    }

    /// - Returns: nil where the line discards all that it has.
    private static func map(
        _ bytes: [UInt8], _ range: Range<Int>
    ) throws(EDNReader.Failure) -> Event? {
        var reader = EDNReader(bytes, range)
        guard let item = try reader.next() else { return nil }
        guard case .map = item, try reader.next() == nil else {
            throw EDNReader.Failure(offset: range.lowerBound, reason: noOperation)
        }
        return Event(item)
    }

    /// What Jepsen's logger says before the process differs from one version to the next:
    /// `INFO  jepsen.util - 0 :invoke :write 1`, `… [jepsen worker 12] jepsen.util: 12 :invoke :write 1`.
    private static func logged(
        _ bytes: [UInt8], _ range: Range<Int>
    ) throws(EDNReader.Failure) -> Event? {
        let words = bytes[range].split(whereSeparator: isBlank)
        let type = words.firstIndex { types.contains(String(decoding: $0, as: UTF8.self)) }
        guard let type, type > words.startIndex else {
            throw EDNReader.Failure(offset: range.lowerBound, reason: noOperation)
        }
        let process = String(decoding: words[type - 1], as: UTF8.self)
        // A map behind a logger's words.
        guard process != ":type", words.count > type + 1 else {
            throw EDNReader.Failure(offset: range.lowerBound, reason: noOperation)
        }
        // What the nemesis says it did is no EDN at times.
        if process.first == ":" { return nil }
        var reader = EDNReader(bytes, words[type + 1].startIndex..<range.upperBound)
        guard let function = try reader.next() else {
            throw EDNReader.Failure(offset: range.lowerBound, reason: noOperation)
        }
        // Behind the value stands what went wrong.
        return Event(
            process: .atom(process),
            type: .keyword(String(decoding: words[type].dropFirst(), as: UTF8.self)),
            function: function, key: nil, value: try reader.next())
    }

    private static let types: Set<String> = [":invoke", ":ok", ":fail", ":info"]

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == UInt8(ascii: ",")
    }

    struct Event {
        var process: EDN?
        var type: EDN?
        var function: EDN?
        var key: EDN?
        /// Nil: there is none, which is another thing than a value that is nil.
        var value: EDN?

        init(_ map: EDN) {
            process = map[keyword: "process"]
            type = map[keyword: "type"]
            function = map[keyword: "f"]
            key = map[keyword: "key"]
            value = map[keyword: "value"]
        }

        init(process: EDN, type: EDN, function: EDN, key: EDN?, value: EDN?) {
            self.process = process
            self.type = type
            self.function = function
            self.key = key
            self.value = value
        }
    }
}

package struct HistoryFileError: Error, Hashable, Sendable, CustomStringConvertible {
    package var file: String
    package var line: Int
    package var column: Int
    package var reason: String
    package var description: String { "\(file):\(line):\(column): error: \(reason)" }
}
