/// Whether every element is closed where it must be, and every attribute quoted.
enum TagCheck {
    static let empty: Set<String> = ["meta", "link"]

    static func problems(_ page: String) -> [String] {
        var problems: [String] = []
        var open: [String] = []
        let bytes = Array(page.utf8)
        var index = 0
        var inStyle = false
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "<") else {
                index += 1
                continue
            }
            var end = index + 1
            var quoted = false
            while end < bytes.count, quoted || bytes[end] != UInt8(ascii: ">") {
                if bytes[end] == UInt8(ascii: "\"") { quoted.toggle() }
                if bytes[end] == UInt8(ascii: "<") { problems.append("< in a tag at \(end)") }
                end += 1
            }
            let tag = String(decoding: bytes[index + 1..<min(end, bytes.count)], as: UTF8.self)
            index = end + 1
            if tag.hasPrefix("!") { continue }
            let name = String(tag.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber })
            if name == "style" { inStyle.toggle() }
            if name.isEmpty, !inStyle { problems.append("a bare < before \(tag.prefix(20))") }
            if tag.hasPrefix("/") {
                if open.last == name {
                    open.removeLast()
                } else {
                    problems.append("</\(name)> closes <\(open.last ?? "")>")
                }
            } else if !tag.hasSuffix("/"), !empty.contains(name) {
                open.append(name)
            }
        }
        return problems + open.map { "<\($0)> is not closed" }
    }
}
