/// Writes a tree as YAML that reads back as the same tree.
enum TreeWriter {
    static func text(_ tree: Tree) -> String {
        var output = ""
        write(tree, indent: 0, into: &output)
        return output
    }

    /// A text on one line, in quotes where it needs them.
    static func inline(_ text: String) -> String { scalar(text, quoted: true) }

    private static func write(_ tree: Tree, indent: Int, into output: inout String) {
        let pad = String(repeating: " ", count: indent)
        switch tree.content {
        case .scalar(let text, let quoted):
            output += pad + scalar(text, quoted: quoted) + "\n"
        case .sequence(let items):
            for item in items {
                output += "\(pad)-"
                writeValue(item, indent: indent, into: &output)
            }
        case .mapping(let entries):
            for entry in entries {
                output += "\(pad)\(scalar(entry.key, quoted: false)):"
                writeValue(entry.value, indent: indent, into: &output)
            }
        }
    }

    /// What follows a key or a dash: on the same line where it fits, else below and two further in.
    private static func writeValue(_ tree: Tree, indent: Int, into output: inout String) {
        switch tree.content {
        case .scalar(let text, let quoted):
            if let block = block(text, indent: indent + 2) {
                output += " |\n\(block)"
            } else if text.isEmpty, !quoted {
                output += "\n"
            } else {
                output += " \(scalar(text, quoted: quoted))\n"
            }
        case .sequence(let items):
            if items.isEmpty {
                output += " []\n"
            } else if items.allSatisfy({ $0.text != nil }) {
                let inner = items.compactMap(\.text).map { scalar($0, quoted: true) }
                output += " [\(inner.joined(separator: ", "))]\n"
            } else {
                output += "\n"
                write(tree, indent: indent + 2, into: &output)
            }
        case .mapping(let entries):
            if entries.isEmpty {
                output += " {}\n"
            } else {
                output += "\n"
                write(tree, indent: indent + 2, into: &output)
            }
        }
    }

    /// A block scalar, for texts of several lines that need no escapes.
    private static func block(_ text: String, indent: Int) -> String? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 1, lines.last == "", let first = lines.first, !first.isEmpty,
            !first.hasPrefix(" "), lines[lines.count - 2] != "",
            text.unicodeScalars.allSatisfy({ $0 == "\n" || isPlainPrintable($0) })
        else { return nil }
        let pad = String(repeating: " ", count: indent)
        return lines.dropLast().map { $0.isEmpty ? "\n" : "\(pad)\($0)\n" }.joined()
    }

    private static func isPlainPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7e, 0xa0...0x2027, 0x202a...0xd7ff, 0x10000...0x1ffff: true
        case _: false
        }
    }

    private static func scalar(_ text: String, quoted: Bool) -> String {
        let safe = text.unicodeScalars.allSatisfy {
            switch $0 {
            case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "/", "-": true
            case _: false
            }
        }
        if safe, let first = text.unicodeScalars.first, first != "-", first != "." { return text }
        if text.isEmpty, !quoted { return "" }
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": output += "\\\\"
            case "\"": output += "\\\""
            case "\n": output += "\\n"
            case "\t": output += "\\t"
            case "\r": output += "\\r"
            case _ where isPlainPrintable(scalar): output.unicodeScalars.append(scalar)
            case _:
                let hex = String(scalar.value, radix: 16)
                output += "\\U" + String(repeating: "0", count: 8 - hex.count) + hex
            }
        }
        return output + "\""
    }
}
