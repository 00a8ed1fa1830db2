import DrillCore
import Glibc

/// A file without a name that takes room on a file system: it is gone when this process is, however that ends.
final class DiskStress {
    private let folder: String
    private let file: Descriptor
    private let isOwned: Bool
    private(set) var size: Int64
    private static let step: Int64 = 64 << 20

    init(_ fill: DiskFill) throws(LabFailure) {
        folder = fill.folder
        var status = stat()
        guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw LabFailure(kind: .failed, message: "there is no folder \(folder)", errno: ENOENT)
        }
        isOwned = try Self.isOwned(status.st_dev)
        let wanted = try FileSystemRoom.of(folder).size(of: fill, isOwned: isOwned)
        // What the lab owns is tmpfs, and its files are memory.
        if isOwned, let why = try MemoryRoom.now().refusal(of: wanted) {
            throw LabFailure(kind: .failed, message: "\(folder) is kept in memory: \(why)")
        }
        file = try Self.make(in: folder)
        size = 0
        while size < wanted {
            let part = min(Self.step, wanted - size)
            let room = try FileSystemRoom.of(folder)
            // Others write as well.
            _ = try room.size(
                of: DiskFill(folder: folder, amount: .bytes(part)), isOwned: isOwned)
            let error = posix_fallocate(file.number, off_t(size), off_t(part))
            guard error == 0 else {
                throw systemFailure(
                    "fill \(folder) after \(ByteCount.text(size)) of \(ByteCount.text(wanted))",
                    error)
            }
            size += part
        }
        var made = stat()
        guard fstat(file.number, &made) == 0, Int64(made.st_blocks) * 512 >= wanted else {
            throw LabFailure(
                kind: .capability,
                message:
                    "the file system of \(folder) keeps no room for zeros (\(ByteCount.text(Int64(made.st_blocks) * 512)) of \(ByteCount.text(wanted)))"
            )
        }
    }

    /// Where others have filled what must stay free of the machine's file system, this makes room again.
    func giveBack() {
        guard !isOwned, let room = try? FileSystemRoom.of(folder) else { return }
        let missing = Int64(Double(room.total) * FileSystemRoom.kept) - room.available
        guard missing > 0, size > 0 else { return }
        size = max(0, size - missing)
        ftruncate(file.number, off_t(size))
    }

    /// One of the file systems that host-init mounts for this host alone.
    private static func isOwned(_ device: dev_t) throws(LabFailure) -> Bool {
        var root = stat()
        guard stat("/", &root) == 0 else { throw systemFailure("look at /") }
        if device == root.st_dev { return false }
        for path in ["/run", "/tmp", "/dev/shm"] {
            var status = stat()
            if stat(path, &status) == 0, status.st_dev == device { return true }
        }
        return false
    }

    private static func make(in folder: String) throws(LabFailure) -> Descriptor {
        // O_TMPFILE, which is not imported.
        let nameless = Int32(0o20000000) | O_DIRECTORY
        do {
            return try Descriptor.open(folder, nameless | O_RDWR, mode: 0o600)
        } catch {
            guard error.errno == EOPNOTSUPP || error.errno == EISDIR || error.errno == EINVAL
            else { throw error }
        }
        // A file system that has no files without names: it has one for a moment.
        let path = folder + "/.firedrill-\(getpid())-\(RunInstant.now.nanoseconds)"
        let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
        guard unlink(path) == 0 else { throw systemFailure("take the name of \(path) away") }
        return file
    }
}
