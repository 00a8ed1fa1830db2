/// What goes over the wire to a client (RESP2), and commands that come from it.
enum Reply {
    static let ok = line("+OK")
    static let nothing = line("$-1")

    static func line(_ text: String) -> [UInt8] { Array(text.utf8) + [13, 10] }
    static func error(_ text: String) -> [UInt8] { line("-\(text)") }
    static func number(_ value: Int) -> [UInt8] { line(":\(value)") }
    static func bulk(_ bytes: [UInt8]) -> [UInt8] { line("$\(bytes.count)") + bytes + [13, 10] }
    static func bulk(_ text: String) -> [UInt8] { bulk(Array(text.utf8)) }
    static func array(_ items: [[UInt8]]) -> [UInt8] {
        line("*\(items.count)") + items.flatMap { $0 }
    }

    /// What a line or a bulk string says, once all of it is there.
    static func whole(_ bytes: [UInt8]) -> [UInt8]? {
        guard let (head, start) = line(bytes, 0) else { return nil }
        guard head.first == UInt8(ascii: "$"), let count = number(head.dropFirst()) else {
            return Array(head)
        }
        return bytes.count >= start + count + 2 ? Array(bytes[start..<(start + count)]) : nil
    }

    struct Malformed: Error { let text: String }

    /// Takes the first command off the input; nil until all of it is there. An array of bulk strings, or a line of words.
    static func command(_ input: inout [UInt8]) throws(Malformed) -> [[UInt8]]? {
        guard let (head, afterHead) = line(input, 0) else {
            if input.count > 65536 { throw Malformed(text: "too big inline request") }
            return nil
        }
        guard head.first == UInt8(ascii: "*") else {
            let words = head.split(separator: UInt8(ascii: " ")).map(Array.init)
            input.removeFirst(afterHead)
            return words
        }
        guard let count = number(head.dropFirst()), count <= 65536 else {
            throw Malformed(text: "invalid multibulk length")
        }
        var words: [[UInt8]] = []
        var at = afterHead
        for _ in 0..<max(count, 0) {
            guard let (length, start) = line(input, at) else { return nil }
            guard length.first == UInt8(ascii: "$"), let size = number(length.dropFirst()),
                size >= 0,
                size <= 1 << 20
            else { throw Malformed(text: "invalid bulk length") }
            guard input.count >= start + size + 2 else { return nil }
            words.append(Array(input[start..<(start + size)]))
            at = start + size + 2
        }
        input.removeFirst(at)
        return words
    }

    /// The line at `start` without its end, and where the next begins.
    private static func line(_ bytes: [UInt8], _ start: Int) -> (ArraySlice<UInt8>, Int)? {
        guard let end = bytes[start...].firstIndex(of: 10) else { return nil }
        let isPair = end > start && bytes[end - 1] == 13
        return (bytes[start..<(isPair ? end - 1 : end)], end + 1)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        Int(String(decoding: digits, as: UTF8.self))
    }
}
