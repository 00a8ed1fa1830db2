import DrillCore
import Glibc

/// What the replies of Redis mean.
enum RedisReply {
    /// The first words of errors that are given in place of the command: nothing was written.
    ///
    /// Redis answers these before it runs a command (processCommand in its server.c), or, LOADING and MASTERDOWN,
    /// while it runs none at all. A plain ERR is not among them: it may come from a proxy, or after the fact.
    static let refusals = [
        "READONLY", "MASTERDOWN", "LOADING", "NOREPLICAS", "CLUSTERDOWN", "MISCONF", "OOM",
        "NOAUTH", "WRONGPASS", "NOPERM",
    ]

    /// What a reply to the operation says; nil where it is none to that question.
    static func answer(_ value: RESPValue, isWrite: Bool) -> ClientAnswer? {
        switch value {
        case .error(let text):
            if !isWrite { return .refused }
            return refusals.contains(where: { isFirstWord($0, of: text) }) ? .refused : .broken
        case .simple(let text): return !isWrite || text == "OK" ? .ok : nil
        case .bulk, .null: return isWrite ? nil : .ok
        case .integer, .array: return nil
        }
    }

    /// What a reply to a register's operation says; nil where it is no answer to it.
    static func registerAnswer(_ value: RESPValue, to action: RegisterAction) -> RegisterAnswer? {
        switch (action, value) {
        case (.read, .bulk(let bytes)): .value(String(decoding: bytes, as: UTF8.self))
        case (.read, .null): .value(nil)
        case (.write, .simple("OK")): .written
        case (.compareAndSet, .simple("OK")), (.compareAndSet, .integer(1)):
            .compared(didSet: true)
        case (.compareAndSet, .null), (.compareAndSet, .integer(0)): .compared(didSet: false)
        case _: nil
        }
    }

    /// It has become a replica: whoever wants the primary must look for it anew.
    static func isReadOnly(_ value: RESPValue) -> Bool {
        if case .error(let text) = value { isFirstWord("READONLY", of: text) } else { false }
    }

    private static func isFirstWord(_ word: String, of text: String) -> Bool {
        text.hasPrefix(word) && text.utf8.dropFirst(word.utf8.count).first.map { $0 == 32 } ?? true
    }

    /// The run id in a reply to INFO, which is another one after each start of the server; nil without one.
    static func withIdentity<Result>(
        _ value: RESPValue, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result? {
        guard case .bulk(let bytes) = value else { return nil }
        return bytes.withUnsafeBytes { all in
            guard let start = end(of: "run_id:", in: all) else { return nil }
            let rest = UnsafeRawBufferPointer(rebasing: all[start...])
            let end = rest.firstIndex { $0 == 13 || $0 == 10 } ?? rest.count
            guard end > 0, end <= 256 else { return nil }
            return body(UnsafeRawBufferPointer(rebasing: rest[..<end]))
        }
    }

    /// Where the line that begins with `name` goes on.
    private static func end(of name: StaticString, in all: UnsafeRawBufferPointer) -> Int? {
        guard let base = all.baseAddress else { return nil }
        let count = name.utf8CodeUnitCount
        var start = 0
        while all.count - start >= count {
            if memcmp(base + start, name.utf8Start, count) == 0 { return start + count }
            guard let newline = memchr(base + start, 10, all.count - start) else { return nil }
            start = UnsafeRawPointer(newline) - base + 1
        }
        return nil
    }

    /// Where the primary is, in a reply to SENTINEL get-master-addr-by-name; nil where it is not known.
    static func primary(_ value: RESPValue) -> Endpoint? {
        guard let elements = value.elements, elements.count == 2,
            let host = elements[0].text, let port = elements[1].text.flatMap(UInt16.init)
        else { return nil }
        return try? Endpoint(host: host, port: port)
    }
}
