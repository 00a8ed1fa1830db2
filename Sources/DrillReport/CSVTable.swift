/// RFC 4180 with places: what is wrong in a file is said with line and column.
struct CSVTable {
    struct Field {
        /// Nil for an empty field; an empty text is written `""`.
        var text: String?
        var line: Int
        var column: Int
    }

    var header: [Field]
    var rows: [[Field]]

    /// `,` between, CRLF or LF after, quotes where needed.
    static func line(_ fields: [String?]) -> String {
        fields.map(quoted).joined(separator: ",") + "\n"
    }

    private static func quoted(_ field: String?) -> String {
        guard let field else { return "" }
        let needed = field.isEmpty || field.utf8.contains { $0 == 0x2C || $0 == 0x22 || $0 < 0x20 }
        guard needed else { return field }
        var out = "\""
        for scalar in field.unicodeScalars {
            if scalar == "\"" { out += "\"" }
            out.unicodeScalars.append(scalar)
        }
        return out + "\""
    }

    init(_ bytes: [UInt8], problems: inout CSVProblems) {
        var reader = Reader(bytes)
        var all: [[Field]] = []
        while let row = reader.row(&problems), !problems.isFull { all.append(row) }
        header = all.first ?? []
        rows = Array(all.dropFirst())
    }

    private struct Reader {
        let bytes: [UInt8]
        var index = 0
        var line = 1
        var column = 1

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            // A byte order mark, as spreadsheets write it.
            if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
        }

        private var byte: UInt8? { index < bytes.count ? bytes[index] : nil }

        private mutating func step() {
            let byte = bytes[index]
            index += 1
            if byte == 0x0A {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }

        /// Takes the end of a line; false where there is none.
        private mutating func takeLineEnd() -> Bool {
            guard let byte else { return true }
            if byte == 0x0D, index + 1 < bytes.count, bytes[index + 1] == 0x0A { step() }
            guard self.byte == 0x0A else { return false }
            step()
            return true
        }

        mutating func row(_ problems: inout CSVProblems) -> [Field]? {
            guard index < bytes.count else { return nil }
            var fields: [Field] = []
            while true {
                fields.append(field(&problems))
                if byte == 0x2C {
                    step()
                    continue
                }
                if takeLineEnd() { return fields }
                problems.add(
                    line, column, "expected ',' or the end of the line after a quoted field")
                while let byte, byte != 0x0A { step() }
                _ = takeLineEnd()
                return fields
            }
        }

        private mutating func field(_ problems: inout CSVProblems) -> Field {
            let (line, column) = (line, column)
            var content: [UInt8] = []
            if byte == 0x22 {
                step()
                while let byte {
                    step()
                    if byte != 0x22 {
                        content.append(byte)
                    } else if self.byte == 0x22 {
                        content.append(byte)
                        step()
                    } else {
                        return Field(
                            text: text(content, line, column, &problems), line: line, column: column
                        )
                    }
                }
                problems.add(line, column, "the quoted field does not end")
                return Field(text: nil, line: line, column: column)
            }
            while let byte, byte != 0x2C, byte != 0x0A {
                if byte == 0x0D, index + 1 < bytes.count, bytes[index + 1] == 0x0A { break }
                if byte == 0x22 {
                    problems.add(self.line, self.column, "a quote inside an unquoted field")
                }
                content.append(byte)
                step()
            }
            return Field(
                text: content.isEmpty ? nil : text(content, line, column, &problems), line: line,
                column: column)
        }

        private func text(
            _ content: [UInt8], _ line: Int, _ column: Int, _ problems: inout CSVProblems
        ) -> String? {
            guard let text = String(validating: content, as: UTF8.self) else {
                problems.add(line, column, "not UTF-8")
                return nil
            }
            return text
        }
    }
}

/// What is wrong in a CSV file, each as `file:line:column: error: …`; the first twenty.
package struct CSVProblems: Error, Hashable, Sendable, CustomStringConvertible {
    package let file: String
    package private(set) var messages: [String] = []

    init(file: String) { self.file = file }

    var isFull: Bool { messages.count >= 20 }

    mutating func add(_ line: Int, _ column: Int, _ text: String) {
        guard !isFull else { return }
        messages.append("\(file):\(line):\(column): error: \(text)")
    }

    package var description: String { messages.joined(separator: "\n") }
}
