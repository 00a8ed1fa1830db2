internal import DrillCore

/// Reads a register history that somebody has: one operation's begin or end a line, in the order in which they
/// happened.
///
/// - Ours, JSON: `{"process": 0, "type": "invoke", "f": "write", "key": "x", "value": 1}`; `key` may be absent.
/// - Jepsen's, EDN: `{:process 0, :type :invoke, :f :write, :value 1}`, alone or in one vector, and the lines of its log,
///   `0 :invoke :write 1`. A key stands before the value: `[key value]`.
///
/// `type` is invoke, ok, fail (it definitely did not take effect) or info (nobody knows); `f` is read, write or cas, whose
/// value is `[old new]`. A process that is no number (`:nemesis`) is passed over.
package enum HistoryFile {
    /// - Returns: instants count the lines.
    package static func read(
        _ bytes: [UInt8], name: String
    ) throws(HistoryFileError) -> RegisterHistory {
        var builder = Builder(name: name)
        var start = 0
        var line = 1
        let first = bytes.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
        if first == UInt8(ascii: "[") || first == UInt8(ascii: "(") {
            try readVector(bytes, &builder)
            return builder.finish()
        }
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            try readLine(bytes, start..<end, line, &builder)
            start = end + 1
            line += 1
        }
        return builder.finish()
    }

    private static func readVector(
        _ bytes: [UInt8], _ builder: inout Builder
    ) throws(HistoryFileError) {
        let open = bytes.firstIndex { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "(") } ?? 0
        var reader = EDNReader(bytes, (open + 1)..<bytes.count)
        while true {
            let start = reader.position()
            let (line, column) = place(of: start, in: bytes)
            guard start < bytes.count else {
                throw HistoryFileError(
                    file: builder.name, line: line, column: column,
                    reason: "the vector is not closed")
            }
            if bytes[start] == UInt8(ascii: "]") || bytes[start] == UInt8(ascii: ")") { return }
            let item: EDN?
            do throws(EDNReader.Failure) {
                item = try reader.next()
            } catch {
                let (line, column) = place(of: error.offset, in: bytes)
                throw HistoryFileError(
                    file: builder.name, line: line, column: column, reason: error.reason)
            }
            if let item { try builder.add(Event(item), line: line, column: column) }
        }
    }

    private static func place(of offset: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
        let before = bytes[..<min(offset, bytes.count)]
        let line = before.count { $0 == 0x0A } + 1
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return (line, offset - start + 1)
    }

    private static func readLine(
        _ bytes: [UInt8], _ range: Range<Int>, _ line: Int, _ builder: inout Builder
    ) throws(HistoryFileError) {
        guard
            let start = bytes[range].firstIndex(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }),
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
        var from = start
        let isMap = bytes[start] == UInt8(ascii: "{") || bytes[start] == UInt8(ascii: "#")
        if !isMap {
            // INFO  jepsen.util - 0  :invoke  :write  1
            let mark = Array(" - ".utf8)
            var index = range.upperBound - mark.count
            while index > start, Array(bytes[index..<index + mark.count]) != mark { index -= 1 }
            if index > start { from = index + mark.count }
        }
        var reader = EDNReader(bytes, from..<range.upperBound)
        var values: [EDN] = []
        do throws(EDNReader.Failure) {
            while let value = try reader.next() { values.append(value) }
        } catch {
            throw HistoryFileError(
                file: builder.name, line: line, column: error.offset - range.lowerBound + 1,
                reason: error.reason)
        }
        let event: Event
        if isMap, values.count == 1 {
            event = Event(values[0])
        } else if !isMap, values.count >= 3 {
            event = Event(
                process: values[0], type: values[1], function: values[2], key: nil,
                value: values.count > 3 ? values[3] : .null)
        } else {
            throw HistoryFileError(
                file: builder.name, line: line, column: column,
                reason: "is no operation: {:process 0, :type :invoke, :f :write, :value 1}")
        }
        try builder.add(event, line: line, column: column)
    }

    struct Event {
        var process: EDN?
        var type: EDN?
        var function: EDN?
        var key: EDN?
        var value: EDN

        init(_ map: EDN) {
            process = map[keyword: "process"]
            type = map[keyword: "type"]
            function = map[keyword: "f"]
            key = map[keyword: "key"]
            value = map[keyword: "value"] ?? .null
        }

        init(process: EDN, type: EDN, function: EDN, key: EDN?, value: EDN) {
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
