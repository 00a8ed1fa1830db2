internal import Glibc

/// What the kernel says of a file: where two of these are equal, nobody wrote to it in between.
package struct FileStamp: Hashable, Sendable {
    private let name: String
    private let inode: UInt64
    private let size: Int64
    private let seconds: Int
    private let nanoseconds: Int

    /// Nil where there is no such file.
    init?(_ name: String, at path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.name = name
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = Int(status.st_mtim.tv_sec)
        nanoseconds = Int(status.st_mtim.tv_nsec)
    }
}
