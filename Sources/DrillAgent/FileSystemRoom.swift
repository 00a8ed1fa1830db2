package import DrillCore
import Glibc

/// How full a file system is, as `df` counts: what is kept for root is neither used nor available.
package struct FileSystemRoom: Hashable, Sendable {
    package var used: Int64
    package var available: Int64

    package init(used: Int64, available: Int64) {
        self.used = used
        self.available = available
    }

    static func of(_ folder: String) throws(LabFailure) -> FileSystemRoom {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { throw systemFailure("look at \(folder)") }
        let unit = Int64(status.f_frsize)
        return FileSystemRoom(
            used: Int64(status.f_blocks - status.f_bfree) * unit,
            available: Int64(status.f_bavail) * unit)
    }

    package var total: Int64 { used + available }
    /// 0...1
    package var share: Double { total > 0 ? Double(used) / Double(total) : 1 }

    /// What no fault takes of a file system that is the machine's.
    package static let kept = 0.05

    /// How many bytes a fill writes; throws where they cannot be, with the figures.
    ///
    /// - Parameter isOwned: the lab made this file system, and nobody else needs it.
    package func size(
        of fill: DiskFill, isOwned: Bool
    ) throws(LabFailure) -> Int64 {
        let size: Int64
        switch fill.amount {
        case .bytes(let bytes): size = bytes
        case .used(let share):
            size = Int64((Double(total) * share).rounded()) - used
            guard size > 0 else {
                throw LabFailure(
                    kind: .failed,
                    message:
                        "the file system of \(fill.folder) is \(Figure.percent(self.share)) used already, asked \(Figure.percent(share))"
                )
            }
        }
        let left = available - size
        if !isOwned, Double(left) < Double(total) * Self.kept {
            throw LabFailure(
                kind: .failed,
                message:
                    "\(ByteCount.text(size)) in \(fill.folder) would leave \(ByteCount.text(max(0, left))) of \(ByteCount.text(total)); of a file system that the lab does not own, 5 % stay free"
            )
        }
        guard left >= 0 else {
            throw LabFailure(
                kind: .failed,
                message:
                    "\(ByteCount.text(size)) in \(fill.folder): only \(ByteCount.text(available)) of \(ByteCount.text(total)) are available"
            )
        }
        return size
    }
}
