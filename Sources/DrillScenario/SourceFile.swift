/// The text of a file, by lines as libYAML counts them.
struct SourceFile: Sendable {
    /// No file that a person writes is near this; it bounds the time that any of them can take.
    static let largest = 1 << 20

    let path: String
    let text: String
    let lines: [String]

    init(path: String, text: String) {
        self.path = path
        self.text = text
        var lines: [String] = []
        var line = String.UnicodeScalarView()
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n" where previous == "\r":
                break
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}":
                lines.append(String(line))
                line = String.UnicodeScalarView()
            case _:
                line.append(scalar)
            }
            previous = scalar
        }
        lines.append(String(line))
        self.lines = lines
    }

    func line(_ number: Int) -> String? {
        lines.indices.contains(number - 1) ? lines[number - 1] : nil
    }

    /// The file's text, or why its bytes are none.
    static func read(_ bytes: [UInt8], path: String) -> Result<SourceFile, DiagnosticList> {
        func failure(
            _ line: Int, _ column: Int, _ message: String, _ source: String?, _ hint: String?
        )
            -> Result<SourceFile, DiagnosticList>
        {
            .failure(
                DiagnosticList([
                    Diagnostic(
                        file: path, line: line, column: column, message: message,
                        sourceLine: source, hint: hint)
                ]))
        }
        guard bytes.count <= largest else {
            return failure(
                0, 0, "the file has \(bytes.count) bytes; at most \(largest) are read", nil,
                "is this the right file?")
        }
        if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
            return failure(1, 1, "the file is UTF-16; write it as UTF-8", nil, nil)
        }
        var bytes = bytes[...]
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes = bytes.dropFirst(3) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let good = validPrefix(bytes)
            let file = SourceFile(
                path: path, text: String(decoding: bytes.prefix(good), as: UTF8.self))
            let column = (file.lines.last?.unicodeScalars.count ?? 0) + 1
            let byte = bytes[bytes.startIndex + good]
            let hex = String(byte, radix: 16, uppercase: true)
            return failure(
                file.lines.count, column, "byte 0x\(hex) is not UTF-8", file.lines.last,
                "save the file as UTF-8")
        }
        return .success(SourceFile(path: path, text: text))
    }

    /// The number of bytes before the first that is no UTF-8.
    private static func validPrefix(_ bytes: ArraySlice<UInt8>) -> Int {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var good = 0
        while case .scalarValue(let scalar) = decoder.decode(&iterator) {
            good += UTF8.width(scalar)
        }
        return min(good, bytes.count - 1)
    }
}
