/// Netlink attributes as the kernel sent them, in order. Nested ones are parsed when asked for.
///
/// This is our own reader, on purpose independent of what encoded a request: what is compared after
/// a change is what the kernel says, and fields that libnl's objects do not know (an input
/// interface, a loss model) are there too.
package struct Attributes: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package let type: Int
        package let value: [UInt8]
    }

    package let entries: [Entry]

    package init(_ bytes: some Collection<UInt8>) { self.init(parsing: Array(bytes)) }

    private init(parsing bytes: [UInt8]) {
        var entries: [Entry] = []
        var offset = 0
        while offset + 4 <= bytes.count {
            let length = Int(bytes.load(UInt16.self, at: offset))
            guard length >= 4, offset + length <= bytes.count else { break }
            // The two upper bits say "nested" and "network order"; the kernel sets them unevenly.
            let type = Int(bytes.load(UInt16.self, at: offset + 2) & 0x3fff)
            entries.append(Entry(type: type, value: Array(bytes[(offset + 4)..<(offset + length)])))
            offset += (length + 3) & ~3
        }
        self.entries = entries
    }

    package subscript(_ type: some BinaryInteger) -> [UInt8]? {
        entries.first { $0.type == Int(type) }?.value
    }

    /// nil when the attribute is absent or too short.
    package func value<T: FixedWidthInteger & BitwiseCopyable>(
        _ type: some BinaryInteger, as: T.Type = T.self
    ) -> T? {
        self[type].flatMap { $0.count >= MemoryLayout<T>.size ? $0.load(T.self, at: 0) : nil }
    }

    package func string(_ type: some BinaryInteger) -> String? {
        self[type].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    package func nested(_ type: some BinaryInteger) -> Attributes? {
        self[type].map { Attributes($0) }
    }
}

extension Array where Element == UInt8 {
    /// A field of a kernel structure, in host order.
    func load<T: BitwiseCopyable>(_: T.Type, at offset: Int) -> T {
        withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) }
    }

    mutating func store<T: BitwiseCopyable>(_ value: T, at offset: Int) {
        withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: offset, as: T.self) }
    }
}
