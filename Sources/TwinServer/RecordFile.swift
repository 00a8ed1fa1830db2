import CLinux
import Glibc
import TwinCore

/// What a node must know again after a crash: two slots, written in turn, so that a torn one leaves the other.
struct RecordFile: ~Copyable {
    private static let slot = 64
    private let file: Int32
    private let synced: Bool
    private var turn: UInt64 = 0

    /// Throws where another process has this node's folder.
    init(path: String, synced: Bool) throws {
        self.synced = synced
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw RecordLog.Failure(path) }
        guard clinux_lock(file) == 0 else {
            throw RecordLog.Failure(text: "\(path): another twin runs here")
        }
    }

    deinit { close(file) }

    /// Syncs it first: a process that was killed may have written it and not synced.
    mutating func read() throws -> TwinRecord {
        guard !synced || fdatasync(file) == 0 else { throw RecordLog.Failure("sync the epoch") }
        var bytes = [UInt8](repeating: 0, count: 2 * Self.slot)
        let count = pread(file, &bytes, bytes.count, 0)
        var record = TwinRecord()
        for start in [0, Self.slot] where count >= start + 40 {
            let fields = (0..<5).map { bytes.number(UInt64.self, start + $0 * 8) }
            guard fields[4] == Self.sum(fields[..<4]), fields[0] > turn else { continue }
            turn = fields[0]
            record.epoch = Int64(bitPattern: fields[1])
            record.serial = Int64(bitPattern: fields[2])
            record.primary = UInt8(truncatingIfNeeded: fields[3])
            record.inSync = fields[3] & 0x100 != 0
        }
        return record
    }

    mutating func write(_ record: TwinRecord) throws {
        turn += 1
        let fields = [
            turn, UInt64(bitPattern: record.epoch), UInt64(bitPattern: record.serial),
            UInt64(record.primary) | (record.inSync ? 0x100 : 0),
        ]
        var bytes: [UInt8] = []
        for field in fields + [Self.sum(fields[...])] { bytes.add(field) }
        let place = off_t(Int(turn % 2) * Self.slot)
        guard pwrite(file, bytes, bytes.count, place) == bytes.count,
            !synced || fdatasync(file) == 0
        else { throw RecordLog.Failure("write the epoch") }
    }

    private static func sum(_ fields: ArraySlice<UInt64>) -> UInt64 {
        fields.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ $1) &* 0x100_0000_01b3 }
    }
}
