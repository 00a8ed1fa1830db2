/// Looks at a document before libYAML does: bounds its depth, refuses aliases (which can unfold without
/// bound), finds *every* duplicate key and unquoted `{{variable}}` with its place, and repairs these in place,
/// so that composing goes on and finds the other mistakes too.
///
/// A repair replaces a character by one private-use character, so that lines and columns stay.
struct YAMLScan {
    static let deepest = 32
    /// What stands for a character that plain YAML would have read as its own.
    static let standIns: [Unicode.Scalar: Unicode.Scalar] = [
        "\u{E100}": "{", "\u{E101}": "}", "\u{E102}": "*", "\u{E103}": "&", "\u{E104}": "!",
    ]
    /// Begins a value that was reported and must not be read.
    static let unread: Unicode.Scalar = "\u{E105}"
    private static let standInOf = Dictionary(
        uniqueKeysWithValues: standIns.map { ($0.value, $0.key) })

    private(set) var diagnostics: [Diagnostic] = []
    /// Composing makes no sense, or is not safe.
    private(set) var isFatal = false

    private struct Level {
        var column: Int
        var isDash: Bool
        var keys: [String: Int] = [:]
    }
    private struct Flow {
        var keys: [String: Int] = [:]
    }

    private let file: SourceFile
    private var scalars: [Unicode.Scalar]
    private var index = 0
    private var line = 1
    private var column = 1
    private var levels: [Level] = []
    private var flows: [Flow] = []
    /// The scalar that was just read, in case a `:` makes it a key.
    private var token: (range: Range<Int>, line: Int, column: Int, isQuoted: Bool)?
    private var isLineStart = true
    private var duplicates: UInt32 = 0

    init(_ file: SourceFile) {
        self.file = file
        scalars = Array(file.text.unicodeScalars)
        checkCharacters()
        run()
    }

    var repaired: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// Whether a key was a duplicate, and was reported as one.
    static func isDuplicate(_ key: String) -> Bool {
        key.unicodeScalars.first.map { (0xE000...0xE0FF).contains($0.value) } ?? false
    }

    static func restored(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { standIns[$0] != nil }) else { return text }
        var view = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { view.append(standIns[scalar] ?? scalar) }
        return String(view)
    }

    // MARK: - Places

    private mutating func report(_ line: Int, _ column: Int, _ message: String, _ hint: String?) {
        guard diagnostics.count < 100 else { return }
        diagnostics.append(
            Diagnostic(
                file: file.path, line: line, column: column, message: message,
                sourceLine: file.line(line), hint: hint))
    }

    private mutating func checkCharacters() {
        var line = 1
        var column = 1
        for index in scalars.indices {
            let value = scalars[index].value
            switch value {
            case 0x0a:
                line += 1
                column = 0
            case 0...8, 0x0b...0x0c, 0x0e...0x1f, 0x7f...0x84, 0x86...0x9f, 0xE000...0xE1FF,
                0xFEFF, 0xFFFE, 0xFFFF:
                let hex = String(value, radix: 16, uppercase: true)
                let name = "U+" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
                report(line, column, "\(name) is not a character of a text", "remove it")
                scalars[index] = "?"
            case _: break
            }
            column += 1
        }
    }

    // MARK: - Walking

    private var current: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }
    private func peek(_ distance: Int = 1) -> Unicode.Scalar? {
        index + distance < scalars.count ? scalars[index + distance] : nil
    }

    private mutating func step() {
        let scalar = scalars[index]
        index += 1
        switch scalar {
        case "\r" where current == "\n":
            break
        case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}":
            line += 1
            column = 1
            isLineStart = true
        case _:
            column += 1
        }
    }

    private static func isBreak(_ scalar: Unicode.Scalar?) -> Bool {
        switch scalar {
        case nil, "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": true
        case _: false
        }
    }
    private static func isBlank(_ scalar: Unicode.Scalar?) -> Bool {
        scalar == " " || scalar == "\t" || isBreak(scalar)
    }
    private static func isFlowIndicator(_ scalar: Unicode.Scalar?) -> Bool {
        switch scalar {
        case ",", "[", "]", "{", "}": true
        case _: false
        }
    }

    private mutating func run() {
        while let scalar = current, !isFatal {
            if Self.isBreak(scalar) {
                step()
                if flows.isEmpty { token = nil }
                continue
            }
            if scalar == " " || scalar == "\t" {
                if scalar == "\t", isLineStart, flows.isEmpty, !restOfLineIsBlank {
                    report(line, column, "a tab indents this line", "indent with spaces")
                    scalars[index] = " "
                }
                step()
                continue
            }
            if scalar == "#", index == 0 || Self.isBlank(scalars[index - 1]) {
                skipLine()
                continue
            }
            content(scalar)
        }
    }

    private var restOfLineIsBlank: Bool {
        var ahead = index
        while ahead < scalars.count, scalars[ahead] == " " || scalars[ahead] == "\t" { ahead += 1 }
        return ahead >= scalars.count || Self.isBreak(scalars[ahead])
    }

    private mutating func skipLine() {
        while let scalar = current, !Self.isBreak(scalar) { step() }
    }

    private mutating func content(_ scalar: Unicode.Scalar) {
        isLineStart = false
        if token != nil {
            afterToken(scalar)
            return
        }
        switch scalar {
        case "\"", "'":
            quoted(scalar)
        case "-" where flows.isEmpty && Self.isBlank(peek()):
            enter(column: column, dash: true)
            step()
        case "?" where Self.isBlank(peek()):
            step()
        case "{" where peek() == "{":
            unquotedVariable(from: index)
        case "{", "[":
            flows.append(Flow())
            if flows.count + levels.count > Self.deepest { tooDeep() }
            step()
        case "}", "]":
            closeFlow()
        case "," where !flows.isEmpty:
            step()
        case ":" where Self.isBlank(peek()):
            step()
        case "*", "&", "!":
            reference(scalar)
        case "|", ">":
            if flows.isEmpty { blockScalar() } else { plain() }
        case _:
            plain()
        }
    }

    /// After a scalar: a colon makes it a key; in a flow, an indicator ends it.
    private mutating func afterToken(_ scalar: Unicode.Scalar) {
        guard let key = token else { return }
        switch scalar {
        case ":"
        where Self.isBlank(peek())
            || (!flows.isEmpty && (key.isQuoted || Self.isFlowIndicator(peek()))):
            token = nil
            step()
            record(key)
        case "," where !flows.isEmpty:
            token = nil
            step()
        case "}" where !flows.isEmpty, "]" where !flows.isEmpty:
            token = nil
            closeFlow()
        case _:
            token = nil
            plain()
        }
    }

    private mutating func closeFlow() {
        if !flows.isEmpty { flows.removeLast() }
        step()
        // `{…}:` and the like are left to libYAML.
    }

    // MARK: - Tokens

    private mutating func quoted(_ quote: Unicode.Scalar) {
        let start = (line, column)
        step()
        let first = index
        while let scalar = current {
            if quote == "\"", scalar == "\\" {
                step()
                if current != nil { step() }
                continue
            }
            if scalar == quote {
                if quote == "'", peek() == "'" {
                    step()
                    step()
                    continue
                }
                break
            }
            step()
        }
        token = (first..<index, start.0, start.1, true)
        if current != nil { step() }
        isLineStart = false
    }

    private mutating func plain() {
        let start = (index, line, column)
        while let scalar = current, !Self.isBreak(scalar) {
            if scalar == ":",
                Self.isBlank(peek()) || (!flows.isEmpty && Self.isFlowIndicator(peek()))
            {
                if flows.isEmpty || peek() != "{" || peek(2) != "{" { break }
            }
            if scalar == "#", index > start.0, Self.isBlank(scalars[index - 1]) { break }
            if !flows.isEmpty {
                if scalar == "{", peek() == "{" {
                    unquotedVariable(from: start.0)
                    return
                }
                if Self.isFlowIndicator(scalar) { break }
            }
            step()
        }
        // A bracket where none can be: libYAML will say so.
        if index == start.0 { step() }
        var end = index
        while end > start.0, Self.isBlank(scalars[end - 1]) { end -= 1 }
        token = (start.0..<end, start.1, start.2, false)
    }

    /// `{{` where YAML reads a flow mapping; the whole of the text, from `first` on, should be quoted.
    private mutating func unquotedVariable(from first: Int) {
        let start = (line, column - (index - first))
        var depth = 0
        while let scalar = current, !Self.isBreak(scalar) {
            if scalar == "{", peek() == "{" {
                depth += 1
                repair(2)
                continue
            }
            if scalar == "}", peek() == "}", depth > 0 {
                depth -= 1
                repair(2)
                continue
            }
            if depth == 0 {
                if !flows.isEmpty, Self.isFlowIndicator(scalar) { break }
                if scalar == ":", Self.isBlank(peek()) { break }
                if scalar == "#", Self.isBlank(scalars[index - 1]) { break }
            }
            step()
        }
        var end = index
        while end > first, Self.isBlank(scalars[end - 1]) { end -= 1 }
        report(
            start.0, start.1, "a text with '{{' must be in quotes",
            "quote it: \"\(original(first..<end))\"")
        token = (first..<end, start.0, start.1, false)
    }

    private mutating func repair(_ count: Int) {
        for _ in 0..<count {
            if let standIn = Self.standInOf[scalars[index]] { scalars[index] = standIn }
            step()
        }
    }

    private func original(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range])
        return Self.restored(String(view))
    }

    private mutating func reference(_ scalar: Unicode.Scalar) {
        let start = (index, line, column)
        repair(1)
        while let scalar = current, !Self.isBlank(scalar),
            flows.isEmpty || !Self.isFlowIndicator(scalar)
        {
            if scalar == ":", Self.isBlank(peek()) { break }
            step()
        }
        let text = original(start.0..<index)
        switch scalar {
        case "*" where text == "*" || text.contains("->") || text.contains("<-"):
            report(start.1, start.2, "'\(text)' must be in quotes", "quote it: \"\(text)\"")
        case "*":
            scalars[start.0] = Self.unread
            report(
                start.1, start.2, "aliases are not read: '\(text)'", "write the value itself here")
        case "&":
            report(
                start.1, start.2, "anchors are not read: '\(text)'",
                "remove it, and write values where they are used")
        case _:
            report(
                start.1, start.2, "tags are not read: '\(text)'",
                "remove it: every value is read as text; quote a text that begins with '!'")
        }
        // What an anchor or a tag stood before is read as if it were not there.
        if scalar == "*" {
            token = (start.0..<index, start.1, start.2, false)
        } else if !Self.isBlank(current) || text.count == 1 {
            token = (start.0..<index, start.1, start.2, false)
        } else {
            for position in start.0..<index { scalars[position] = " " }
        }
    }

    /// Skips the lines of a block scalar: those that are further in than the key or dash it belongs to.
    private mutating func blockScalar() {
        skipLine()
        let parent = levels.last?.column ?? 0
        while current != nil {
            step()
            var ahead = index
            while ahead < scalars.count, scalars[ahead] == " " { ahead += 1 }
            let indent = ahead - index
            if ahead < scalars.count, !Self.isBreak(scalars[ahead]), indent < parent { return }
            skipLine()
        }
    }

    // MARK: - Structure

    private mutating func enter(column: Int, dash: Bool) {
        while let top = levels.last,
            top.column > column || (top.column == column && top.isDash)
        {
            levels.removeLast()
        }
        if !dash, let top = levels.last, top.column == column { return }
        levels.append(Level(column: column, isDash: dash))
        if levels.count > Self.deepest { tooDeep() }
    }

    private mutating func tooDeep() {
        isFatal = true
        report(line, column, "more than \(Self.deepest) levels of nesting", nil)
    }

    private mutating func record(
        _ key: (range: Range<Int>, line: Int, column: Int, isQuoted: Bool)
    ) {
        let text = original(key.range)
        let earlier: Int?
        if flows.isEmpty {
            enter(column: key.column, dash: false)
            earlier = levels[levels.count - 1].keys.updateValue(key.line, forKey: text)
            if let earlier { levels[levels.count - 1].keys[text] = earlier }
        } else {
            earlier = flows[flows.count - 1].keys.updateValue(key.line, forKey: text)
            if let earlier { flows[flows.count - 1].keys[text] = earlier }
        }
        guard let earlier, !key.range.isEmpty else { return }
        report(
            key.line, key.column, "duplicate key '\(text)'",
            earlier == key.line
                ? "it stands twice on this line: remove one"
                : "it is already on line \(earlier): remove one")
        let mark = Unicode.Scalar(0xE000 + duplicates % 0x100) ?? "?"
        duplicates += 1
        for position in key.range { scalars[position] = mark }
    }
}
