/// Where something was written. Lines and columns count from 1, columns in Unicode scalars;
/// line 0 is the file as a whole.
package struct Place: Hashable, Sendable {
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int = 0, column: Int = 0) {
        self.file = file
        self.line = line
        self.column = column
    }

    func advanced(by columns: Int) -> Place {
        Place(file: file, line: line, column: column + columns)
    }
}

/// One mistake in a file, with its place and what would be right.
package struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
    package enum Severity: String, Hashable, Sendable { case error, warning }

    package var file: String
    /// From 1; 0 where the mistake has no line (a file that is missing, `--set`).
    package var line: Int
    package var column: Int
    package var message: String
    package var sourceLine: String?
    package var hint: String?
    package var severity: Severity

    package init(
        file: String, line: Int, column: Int, message: String, sourceLine: String? = nil,
        hint: String? = nil, severity: Severity = .error
    ) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.sourceLine = sourceLine
        self.hint = hint
        self.severity = severity
    }

    package var description: String { rendered }

    /// `file:line:column: error: …`, the source line, a caret and the hint, without a line feed at the end.
    package var rendered: String {
        var text = line > 0 ? "\(file):\(line):\(column): " : "\(file): "
        text += "\(severity.rawValue): \(message)"
        if let sourceLine, line > 0 {
            let (shown, caret) = Self.window(sourceLine, column: column)
            text += "\n\(shown)\n\(caret)^"
        }
        if let hint { text += "\n\(hint)" }
        return text
    }

    /// A terminal's worth of the line around the column, and what stands before the caret.
    private static func window(_ line: String, column: Int) -> (shown: String, pad: String) {
        let scalars = Array(line.unicodeScalars)
        let at = max(0, min(column - 1, scalars.count))
        var shown = String.UnicodeScalarView()
        var pad = String.UnicodeScalarView()
        var first = 0
        var last = scalars.count
        if scalars.count > 160 {
            first = max(0, at - 60)
            last = min(scalars.count, first + 140)
        }
        if first > 0 {
            shown.append("…")
            pad.append(" ")
        }
        for index in first..<last {
            let scalar = scalars[index]
            // A control character must not reach the terminal of whoever reads this.
            let printable =
                scalar == "\t" || (scalar.value >= 0x20 && !(0x7f...0x9f ~= scalar.value))
            shown.append(printable ? scalar : "\u{FFFD}")
            if index < at { pad.append(scalar == "\t" ? "\t" : " ") }
        }
        if last < scalars.count { shown.append("…") }
        return (String(shown), String(pad))
    }
}

/// Every mistake of a file and of what it refers to, in the order of their places.
package struct DiagnosticList: Error, Hashable, Sendable, CustomStringConvertible {
    package var diagnostics: [Diagnostic]

    package init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }

    package var errors: Int { diagnostics.count { $0.severity == .error } }
    package var rendered: String { diagnostics.map(\.rendered).joined(separator: "\n") }
    package var description: String { rendered }
}
