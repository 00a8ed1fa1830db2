import CLinux
import DrillCore
import Glibc

/// The undo file of a run, and the lock that says who holds it: JSON lines, appended, on the disk before a change.
///
/// The lock's file holds the epoch, how often the journal has changed hands, and the process that has it. Whoever takes
/// the lock raises it.
final class Journal {
    /// Of this holder.
    let epoch: Int
    let contents: JournalContents
    private let lock: Descriptor
    private let file: Descriptor
    private var isSynced = true

    /// - Parameters:
    ///   - folder: has the files `lock` and `journal`, or gets them.
    ///   - lock: held already, by whoever made the folder; nil: taken here.
    ///
    /// Throws where another holds the lock.
    init(folder: String, lock held: Descriptor? = nil) throws(LabFailure) {
        let lock: Descriptor = if let held { held } else { try Self.take(folder) }
        let isNew = !Files.exists(folder + "/journal")
        file = try Descriptor.open(folder + "/journal", O_RDWR | O_CREAT | O_APPEND, mode: 0o600)
        let text = isNew ? "" : try Files.read(folder + "/journal")
        contents = JournalContents(text: text)
        epoch = (try Self.epoch(in: lock) ?? 0) + 1
        self.lock = lock
        let line = "\(epoch) \(getpid())\n"
        // An earlier holder's number may have been longer.
        guard pwrite(lock.number, line, line.utf8.count, 0) == line.utf8.count,
            ftruncate(lock.number, line.utf8.count) == 0, fdatasync(lock.number) == 0
        else { throw systemFailure("write the epoch into \(folder)/lock") }
        // A line that a crash cut off stays alone.
        if !text.isEmpty, !text.hasSuffix("\n") { try file.write("\n") }
        if isNew {
            let directory = try Descriptor.open(folder, O_RDONLY | O_DIRECTORY)
            defer { withExtendedLifetime(directory) {} }
            if fsync(directory.number) < 0 { throw systemFailure("sync \(folder)") }
        }
    }

    private static func take(_ folder: String) throws(LabFailure) -> Descriptor {
        let lock = try Descriptor.open(folder + "/lock", O_RDWR | O_CREAT)
        // Whoever only asks whether the holder lives has it for a moment, too.
        for _ in 0..<50 {
            if clinux_lock(lock.number) == 0 { return lock }
            usleep(2000)
        }
        throw LabFailure(
            kind: .failed, message: "another holds the journal of \(folder)", errno: EWOULDBLOCK)
    }

    /// What the lock's file says now; nil where it was removed or holds nothing.
    func currentEpoch() throws(LabFailure) -> Int? { try Self.epoch(in: lock) }

    private static func epoch(in lock: Descriptor) throws(LabFailure) -> Int? {
        var status = stat()
        guard fstat(lock.number, &status) == 0, status.st_nlink > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(lock.number, &bytes, bytes.count, 0)
        if count < 0 { throw systemFailure("read the epoch") }
        return Int(String(decoding: bytes.prefix { $0 != 32 && $0 != 10 }, as: UTF8.self))
    }

    /// In the order of the file. On the disk with the next `sync`, which what was not yet begun waits for; the end of a
    /// volatile change may be lost with the machine, because such a change goes with it, too.
    func append(_ entry: JournalEntry) throws(LabFailure) {
        let line: String
        do {
            line = try JSONLine.encode(entry) + "\n"
        } catch {
            throw LabFailure(kind: .failed, message: "an entry cannot be encoded: \(error)")
        }
        try file.write(line)
        if case .begun = entry { isSynced = false }
    }

    /// - Parameter always: also where nothing has begun since.
    func sync(always: Bool = false) throws(LabFailure) {
        if isSynced, !always { return }
        if fdatasync(file.number) < 0 { throw systemFailure("sync the journal") }
        isSynced = true
    }

    /// Of a folder without a journal: false.
    static func hasOpenRecords(_ folder: String) -> Bool {
        guard Files.exists(folder + "/journal") else { return false }
        guard let text = try? Files.read(folder + "/journal") else { return true }
        return !JournalContents(text: text).open.isEmpty
    }

    /// The process that the lock's file names: who holds it, or held it last.
    static func holder(of folder: String) -> pid_t? {
        guard let text = try? Files.read(folder + "/lock") else { return nil }
        let words = text.split(whereSeparator: \.isWhitespace)
        return words.count == 2 ? pid_t(words[1]) : nil
    }
}
