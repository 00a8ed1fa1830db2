import DrillCore
import Testing

@Suite struct RESPTests {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// What a parser makes of pieces, and why it stopped.
    private static func parse(
        _ pieces: [[UInt8]], largest: Int = 1 << 24
    ) -> (values: [RESPValue], failure: RESPError?) {
        var parser = RESPParser(largest: largest)
        var values: [RESPValue] = []
        for piece in pieces {
            parser.append(piece)
            do throws(RESPError) {
                while let value = try parser.next() { values.append(value) }
            } catch {
                return (values, error)
            }
        }
        return (values, nil)
    }

    @Test(arguments: [
        ("+OK\r\n", RESPValue.simple("OK")), ("+\r\n", .simple("")),
        ("-READONLY no\r\n", .error("READONLY no")),
        (":-42\r\n", .integer(-42)), (":9223372036854775807\r\n", .integer(.max)),
        ("$5\r\na\r\nbc\r\n", .bulk("a\r\nbc")), ("$0\r\n\r\n", .bulk("")), ("$-1\r\n", .null),
        ("*-1\r\n", .null), ("*0\r\n", .array([])),
        (
            "*3\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n+x\r\n",
            .array([.bulk("a"), .array([.integer(1), .null]), .simple("x")])
        ),
    ])
    func `a value is read as the protocol says`(text: String, value: RESPValue) {
        let (values, failure) = Self.parse([Self.bytes(text)])
        #expect(values == [value])
        #expect(failure == nil)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n", "no value begins with byte 72"),
        ("\r\n", "no value begins with byte 13"), ("+OK\n", "a newline without a carriage return"),
        ("+\n", "a newline without a carriage return"),
        ("+a\rb\r\n", "a carriage return within a line"), (":1x\r\n", "'1x' is no integer"),
        (":\r\n", "'' is no integer"),
        (":9223372036854775808\r\n", "'9223372036854775808' is no integer"),
        ("$-2\r\n", "'-2' is no length"), ("$+1\r\na\r\n", "'+1' is no length"),
        ("$\r\n", "'' is no length"),
        ("$3\r\nabcd\r\n", "a bulk string does not end where it says"),
        ("$1000\r\n", "a value larger than 1000 bytes"),
        ("*400\r\n", "a value larger than 1000 bytes"),
        ("*2\r\n$900\r\n", nil), ("*2\r\n$990\r\n", "a value larger than 1000 bytes"),
        (String(repeating: "*1\r\n", count: 17), "arrays nested deeper than 16"),
        (String(repeating: "*1\r\n", count: 16), nil),
    ])
    func `what is no value is refused with its reason`(text: String, reason: String?) {
        #expect(Self.parse([Self.bytes(text)], largest: 1000).failure?.description == reason)
    }

    @Test func `an endless line, an endless array and endless rubbish are given up`() throws {
        let line = [UInt8](repeating: UInt8(ascii: "+"), count: RESPParser.longestLine + 3)
        #expect(Self.parse([line]).failure?.description == "a line longer than 65536 bytes")
        let elements = Array(repeating: Self.bytes("+a\r\n"), count: 1000)
        let (values, failure) = Self.parse(
            [Self.bytes("*300\r\n")] + elements, largest: 1000)
        #expect(values == [])
        #expect(failure?.description == "a value larger than 1000 bytes")
        var parser = RESPParser()
        parser.append(Self.bytes("+OK\r\n?"))
        #expect(try parser.next() == .simple("OK"))
        // It stays refused: the bytes after it have no meaning.
        for _ in 0..<2 {
            #expect(throws: RESPError.self) { try parser.next() }
            parser.append(Self.bytes("+OK\r\n"))
        }
        parser.reset()
        parser.append(Self.bytes("+OK\r\n"))
        #expect(try parser.next() == .simple("OK"))
        #expect(parser.isEmpty)
    }

    /// A random value; the depth is bounded by `depth`.
    private static func value(_ random: inout SeededGenerator, depth: Int) -> RESPValue {
        let letters = Array("abcXYZ 09:$*+-é".unicodeScalars)
        func text() -> String {
            var text = ""
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                text.unicodeScalars.append(letters.randomElement(using: &random) ?? "a")
            }
            return text
        }
        switch Int.random(in: 0...(depth > 0 ? 6 : 4), using: &random) {
        case 0: return .simple(text())
        case 1: return .error(text())
        case 2: return .integer(Int64.random(in: .min ... .max, using: &random))
        case 3: return .null
        case 4:
            return .bulk(
                (0..<Int.random(in: 0...40, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                })
        case _:
            return .array(
                (0..<Int.random(in: 0...5, using: &random)).map { _ in
                    value(&random, depth: depth - 1)
                })
        }
    }

    private static func cut(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...min(rest.count, 9), using: &random)
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `what was encoded is read again, wherever its pieces are cut`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let values = (0..<20).map { _ in Self.value(&random, depth: 4) }
        var bytes: [UInt8] = []
        for value in values { RESP.append(value, to: &bytes) }
        for pieces in [[bytes], bytes.map { [$0] }, Self.cut(bytes, &random)] {
            let (read, failure) = Self.parse(pieces)
            #expect(read == values)
            #expect(failure == nil)
        }
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `damaged bytes mean the same, wherever their pieces are cut`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bytes: [UInt8] = []
        for _ in 0..<10 { RESP.append(Self.value(&random, depth: 3), to: &bytes) }
        for _ in 0..<3 {
            let index = Int.random(in: bytes.indices, using: &random)
            bytes[index] = UInt8.random(in: 0...255, using: &random)
        }
        let whole = Self.parse([bytes], largest: 4096)
        for pieces in [bytes.map { [$0] }, Self.cut(bytes, &random)] {
            let cut = Self.parse(pieces, largest: 4096)
            #expect(cut.values == whole.values)
            #expect(cut.failure == whole.failure)
        }
    }

    @Test func `a command is an array of bulk strings, and no text ends a line early`() {
        #expect(
            RESP.command("SET", "kéy", "")
                == Self.bytes("*3\r\n$3\r\nSET\r\n$4\r\nkéy\r\n$0\r\n\r\n"))
        var bytes: [UInt8] = []
        RESP.append(.error("ERR a\r\n+OK"), to: &bytes)
        #expect(bytes == Self.bytes("-ERR a  +OK\r\n"))
    }
}
