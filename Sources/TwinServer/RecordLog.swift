import Glibc

/// A node's records, in a file to which they are only added: the bytes of the file are what goes over the wire, too.
///
/// A record: length of the rest (4 bytes), FNV-1a of the body (8), and the body: index (8), epoch (8), what (1), length of
/// the key (4), key, value. Little-endian. A record that a crash tore is cut off at the next start; what was written
/// outlives the process, and the host where `synced` is set.
struct RecordLog: ~Copyable {
    enum What: UInt8 { case set = 1, delete }

    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ what: String) { description = "\(what): \(String(cString: strerror(errno)))" }
        init(text: String) { description = text }
    }

    struct Header {
        let index: Int64
        let epoch: Int64
        let what: What
        /// In the record.
        let key: Range<Int>
        let value: Range<Int>
        var end: Int { value.upperBound }
    }

    private static let bodyStart = 12
    private static let keyStart = bodyStart + 21

    private let file: Int32
    private let synced: Bool
    /// Where record `index` begins: `starts[index - 1]`; one more for the end.
    private var starts: [Int] = [0]
    /// The record before it with the same key, 0 for none: what a key falls back to when the end is cut off.
    private var previous: [Int] = []
    /// The last record of each key, in many tables: one that grows is made anew at once, and of a hundred thousand keys
    /// that takes longer than a heartbeat may be late.
    private var latest = Array(repeating: [[UInt8]: Int](), count: 1024)

    var last: Int { previous.count }

    /// - Parameter each: called with index and epoch of each record that is there.
    init(path: String, synced: Bool, each: (Int64, Int64) -> Void) throws {
        self.synced = synced
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure(path) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(file, &part, part.count)
            guard count >= 0 else { throw Failure(path) }
            if count == 0 { break }
            bytes += part[..<count]
        }
        var at = 0
        while let header = Self.header(bytes, at), header.index == Int64(last) + 1 {
            note(header, Array(bytes[header.key]))
            each(header.index, header.epoch)
            at = header.end
        }
        // Another process may have been killed before it synced what is there now and will be told.
        guard ftruncate(file, off_t(at)) == 0, !synced || fdatasync(file) == 0 else {
            throw Failure(path)
        }
    }

    deinit { close(file) }

    static func record(
        _ what: What, index: Int64, epoch: Int64, key: some Collection<UInt8>,
        value: some Collection<UInt8>
    ) -> [UInt8] {
        var body: [UInt8] = []
        body.add(UInt64(bitPattern: index))
        body.add(UInt64(bitPattern: epoch))
        body.append(what.rawValue)
        body.add(UInt32(key.count))
        body += key
        body += value
        var record: [UInt8] = []
        record.add(UInt32(body.count + 8))
        record.add(checksum(body[...]))
        return record + body
    }

    /// nil where no whole record begins.
    private static func header(_ bytes: [UInt8], _ at: Int) -> Header? {
        guard bytes.count - at >= keyStart else { return nil }
        let end = at + 4 + Int(bytes.number(UInt32.self, at))
        let keyEnd = at + keyStart + Int(bytes.number(UInt32.self, at + bodyStart + 17))
        guard end <= bytes.count, keyEnd <= end,
            let what = What(rawValue: bytes[at + bodyStart + 16]),
            checksum(bytes[(at + bodyStart)..<end]) == bytes.number(UInt64.self, at + 4)
        else { return nil }
        return Header(
            index: Int64(bitPattern: bytes.number(UInt64.self, at + bodyStart)),
            epoch: Int64(bitPattern: bytes.number(UInt64.self, at + bodyStart + 8)),
            what: what, key: (at + keyStart)..<keyEnd, value: keyEnd..<end)
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    private func table(_ key: [UInt8]) -> Int {
        Int(UInt(bitPattern: key.hashValue) % UInt(latest.count))
    }

    private mutating func note(_ header: Header, _ key: [UInt8]) {
        starts.append(starts[last] + header.end - (header.key.lowerBound - Self.keyStart))
        previous.append(latest[table(key)].updateValue(last + 1, forKey: key) ?? 0)
    }

    /// Adds whole records, which must go on where the log ends; all of them or none.
    mutating func append(_ records: [UInt8]) throws {
        var headers: [Header] = []
        var at = 0
        while at < records.count {
            guard let header = Self.header(records, at),
                header.index == Int64(last + headers.count) + 1
            else { throw Failure(text: "records that do not go on at \(last)") }
            headers.append(header)
            at = header.end
        }
        let end = off_t(starts[last])
        guard pwrite(file, records, records.count, end) == records.count,
            !synced || fdatasync(file) == 0
        else {
            let failure = Failure("write the log")
            _ = ftruncate(file, end)
            throw failure
        }
        for header in headers { note(header, Array(records[header.key])) }
    }

    mutating func truncate(to index: Int) throws {
        while last > index {
            guard let header = Self.header(try bytes(last, last), 0) else {
                throw Failure(text: "a torn record")
            }
            let key = Array(try bytes(last, last)[header.key])
            let before = previous.removeLast()
            latest[table(key)][key] = before == 0 ? nil : before
            starts.removeLast()
        }
        guard ftruncate(file, off_t(starts[last])) == 0, !synced || fdatasync(file) == 0 else {
            throw Failure("cut the log")
        }
    }

    /// Records as they are in the file.
    func bytes(_ first: Int, _ last: Int) throws -> [UInt8] {
        let start = starts[first - 1]
        let count = starts[last] - start
        var bytes = [UInt8](repeating: 0, count: count)
        guard pread(file, &bytes, count, off_t(start)) == count else {
            throw Failure("read the log")
        }
        return bytes
    }

    func key(of index: Int) throws -> [UInt8]? {
        let record = try bytes(index, index)
        return Self.header(record, 0).map { Array(record[$0.key]) }
    }

    /// As if the records `hidden` were not there; nil where there is none.
    func value(of key: [UInt8], without hidden: Range<Int> = 0..<0) throws -> [UInt8]? {
        var index = latest[table(key)][key] ?? 0
        while hidden.contains(index) { index = previous[index - 1] }
        guard index > 0 else { return nil }
        let record = try bytes(index, index)
        guard let header = Self.header(record, 0), header.what == .set else { return nil }
        return Array(record[header.value])
    }
}

extension [UInt8] {
    mutating func add(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { self += $0 }
    }

    func number<N: FixedWidthInteger>(_: N.Type, _ at: Int) -> N {
        withUnsafeBytes { N(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: N.self)) }
    }
}
