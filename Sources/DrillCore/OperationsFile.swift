/// `trial-N.ops`: every operation of a trial, compact, written as it happens.
///
/// A header (magic, version, the streams' names), then records that are only ever appended, each about 12 bytes:
/// a tag (outcome and what follows), the stream, and the instants as variable-length differences. The intended
/// instant is the change of the difference to the stream's previous one, which is 0 for constant arrivals. A
/// record of its own names a host before its first use, and the last record says that the file is whole. A
/// crash leaves a prefix, and a prefix can be read.
package enum OperationsFile {
    package static let magic: [UInt8] = Array("FDRLOPS".utf8)
    package static let version: UInt8 = 1

    package struct Contents: Hashable, Sendable {
        /// In the header's order, each sorted by intended instant.
        package var streams: [OperationStream]
        /// False where the writer did not come to its end: what is here is right, but there was more.
        package var isComplete: Bool
    }

    package static func encode(_ streams: [OperationStream]) -> [UInt8] {
        var writer = OperationsWriter(streams: streams.map(\.name))
        for (index, stream) in streams.enumerated() {
            for operation in stream.operations { writer.append(operation, stream: index) }
        }
        writer.finish()
        return writer.take()
    }

    /// Throws where this is no operations file, or a damaged one; a tail that is cut off is no damage.
    package static func decode(_ bytes: [UInt8]) throws(OperationsFileError) -> Contents {
        // Killed before its header was written, the writer leaves an empty file, or a part of the header.
        if magic.starts(with: bytes) { return Contents(streams: [], isComplete: false) }
        var reader = ByteReader(bytes)
        guard var streams = try decodeHeader(&reader) else {
            return Contents(streams: [], isComplete: false)
        }
        var previous = Array(repeating: InstantPredictor(), count: streams.count)
        var hosts: [HostName] = []
        while !reader.isAtEnd {
            let start = reader.position
            let record: Record?
            do throws(ByteReader.Failure) {
                record = try decodeRecord(&reader, &previous, hosts)
            } catch {
                return Contents(streams: sorted(streams), isComplete: false)
            }
            switch record {
            case nil: throw .damaged(at: start)
            case .operation(let operation, let stream): streams[stream].operations.append(operation)
            case .host(let name): hosts.append(name)
            case .end: return Contents(streams: sorted(streams), isComplete: true)
            }
        }
        return Contents(streams: sorted(streams), isComplete: false)
    }

    private static func sorted(_ streams: [OperationStream]) -> [OperationStream] {
        streams.map { stream in
            var stream = stream
            stream.operations.sort { $0.intended < $1.intended }
            return stream
        }
    }

    /// Nil where the bytes end within it.
    private static func decodeHeader(
        _ reader: inout ByteReader
    ) throws(OperationsFileError) -> [OperationStream]? {
        guard let found = reader.skip(past: magic) else { throw .foreign }
        guard found == version else { throw .version(found) }
        do throws(ByteReader.Failure) {
            var streams: [OperationStream] = []
            for _ in 0..<(try reader.unsigned()) {
                streams.append(OperationStream(name: StreamName(try reader.text())))
            }
            return streams
        } catch {
            return nil
        }
    }

    private enum Record {
        case operation(ClientOperation, stream: Int)
        case host(HostName)
        case end
    }

    /// Nil where the bytes are complete but mean nothing.
    private static func decodeRecord(
        _ reader: inout ByteReader, _ previous: inout [InstantPredictor], _ hosts: [HostName]
    ) throws(ByteReader.Failure) -> Record? {
        let tag = try reader.byte()
        if tag == RecordTag.end { return .end }
        if tag == RecordTag.host { return .host(HostName(try reader.text())) }
        guard let outcome = RecordTag.outcome(of: tag) else { return nil }
        let stream = try reader.unsigned()
        guard stream < UInt64(previous.count) else { return nil }
        let change = try reader.signed()
        let dispatched = try reader.signed()
        let sent = tag & RecordTag.sent != 0 ? try reader.signed() : nil
        let completed = tag & RecordTag.completed != 0 ? try reader.signed() : nil
        var host: HostName?
        if tag & RecordTag.named != 0 {
            let index = try reader.unsigned()
            guard index < UInt64(hosts.count) else { return nil }
            host = hosts[Int(index)]
        }
        let key = tag & RecordTag.key != 0 ? try reader.text() : nil
        let value = tag & RecordTag.value != 0 ? try reader.text() : nil
        // Only a record that is whole moves the stream on.
        let intended = previous[Int(stream)].advance(change: change)
        let at = { (offset: Int64) in RunInstant(nanoseconds: intended &+ dispatched &+ offset) }
        let operation = ClientOperation(
            intended: RunInstant(nanoseconds: intended), dispatched: at(0), sent: sent.map(at),
            completed: completed.map(at), outcome: outcome, key: key, value: value, host: host)
        return .operation(operation, stream: Int(stream))
    }
}

/// Appends operations; what it has not yet handed over is in `pending`.
package struct OperationsWriter {
    private var bytes: [UInt8] = []
    private var previous: [InstantPredictor]
    private var hosts: [HostName] = []

    package init(streams: [StreamName]) {
        previous = Array(repeating: InstantPredictor(), count: streams.count)
        bytes.reserveCapacity(1 << 17)
        bytes.append(contentsOf: OperationsFile.magic)
        bytes.append(OperationsFile.version)
        bytes.append(unsigned: UInt64(streams.count))
        for name in streams { bytes.append(text: name.rawValue) }
    }

    package var pending: Int { bytes.count }

    package mutating func append(_ operation: ClientOperation, stream: Int) {
        var tag = RecordTag.tag(of: operation.outcome)
        var host = 0
        if let name = operation.host {
            tag |= RecordTag.named
            host = index(of: name)
        }
        if operation.sent != nil { tag |= RecordTag.sent }
        if operation.completed != nil { tag |= RecordTag.completed }
        if operation.key != nil { tag |= RecordTag.key }
        if operation.value != nil { tag |= RecordTag.value }
        let intended = operation.intended.nanoseconds
        bytes.append(tag)
        bytes.append(unsigned: UInt64(stream))
        bytes.append(signed: previous[stream].change(to: intended))
        bytes.append(signed: operation.dispatched.nanoseconds &- intended)
        // These lie near the dispatch: the sent one mostly on it.
        let dispatched = operation.dispatched.nanoseconds
        if let sent = operation.sent { bytes.append(signed: sent.nanoseconds &- dispatched) }
        if let completed = operation.completed {
            bytes.append(signed: completed.nanoseconds &- dispatched)
        }
        if operation.host != nil { bytes.append(unsigned: UInt64(host)) }
        if let key = operation.key { bytes.append(text: key) }
        if let value = operation.value { bytes.append(text: value) }
    }

    /// The file is whole.
    package mutating func finish() { bytes.append(RecordTag.end) }

    /// What was appended since the last call.
    package mutating func take() -> [UInt8] {
        let taken = bytes
        bytes = []
        bytes.reserveCapacity(max(1 << 16, taken.count))
        return taken
    }

    private mutating func index(of name: HostName) -> Int {
        // A handful of hosts: a walk beats hashing.
        if let known = hosts.firstIndex(of: name) { return known }
        bytes.append(RecordTag.host)
        bytes.append(text: name.rawValue)
        hosts.append(name)
        return hosts.count - 1
    }
}

package enum OperationsFileError: Error, Hashable, CustomStringConvertible {
    case foreign
    case version(UInt8)
    case damaged(at: Int)

    package var description: String {
        switch self {
        case .foreign: "not an operations file"
        case .version(let found):
            "an operations file of version \(found); this program reads version \(OperationsFile.version)"
        case .damaged(let offset): "the operations file is damaged at byte \(offset)"
        }
    }
}

/// The first byte of a record: the outcome in three bits, and what follows.
private enum RecordTag {
    static let host: UInt8 = 7
    static let end: UInt8 = 6
    static let sent: UInt8 = 1 << 3
    static let completed: UInt8 = 1 << 4
    static let named: UInt8 = 1 << 5
    static let key: UInt8 = 1 << 6
    static let value: UInt8 = 1 << 7

    static func tag(of outcome: Outcome) -> UInt8 {
        switch outcome {
        case .ok: 0
        case .failed: 1
        case .indeterminate: 2
        case .unsentConnection: 3
        case .unsentGenerator: 4
        }
    }

    static func outcome(of tag: UInt8) -> Outcome? {
        switch tag & 7 {
        case 0: .ok
        case 1: .failed
        case 2: .indeterminate
        case 3: .unsentConnection
        case 4: .unsentGenerator
        default: nil
        }
    }
}

/// Expects the next intended instant one period after the last, whatever the period is.
private struct InstantPredictor {
    private var last: Int64 = 0
    private var difference: Int64 = 0

    mutating func change(to instant: Int64) -> Int64 {
        let new = instant &- last
        let change = new &- difference
        last = instant
        difference = new
        return change
    }

    mutating func advance(change: Int64) -> Int64 {
        difference = difference &+ change
        last = last &+ difference
        return last
    }
}

extension [UInt8] {
    fileprivate mutating func append(unsigned value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    fileprivate mutating func append(signed value: Int64) {
        append(unsigned: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    fileprivate mutating func append(text: String) {
        append(unsigned: UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }
}

private struct ByteReader {
    /// The bytes end before what they announce.
    struct Failure: Error {}

    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    /// The byte after `prefix`; nil where the bytes do not begin with it.
    mutating func skip(past prefix: [UInt8]) -> UInt8? {
        guard bytes.count > prefix.count, bytes.starts(with: prefix) else { return nil }
        position = prefix.count + 1
        return bytes[prefix.count]
    }

    mutating func byte() throws(Failure) -> UInt8 {
        guard position < bytes.count else { throw Failure() }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func unsigned() throws(Failure) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            value |= UInt64(next & 0x7F) &<< shift
            if next < 0x80 { return value }
            shift += 7
        }
    }

    mutating func signed() throws(Failure) -> Int64 {
        let value = try unsigned()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func text() throws(Failure) -> String {
        let count = try unsigned()
        guard count <= UInt64(bytes.count - position) else { throw Failure() }
        defer { position += Int(count) }
        return String(decoding: bytes[position..<(position + Int(count))], as: UTF8.self)
    }
}
