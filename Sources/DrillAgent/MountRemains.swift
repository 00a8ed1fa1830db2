import DrillCore
import Glibc

/// File systems that are still mounted in a dead run's folder: what lies in them is not the run's, so they go before the
/// folder is emptied.
enum MountRemains {
    /// Those in the folder, the last mounted first.
    static func find(in folder: String) throws(LabFailure) -> [String] {
        points(in: folder, mountinfo: try Files.read("/proc/self/mountinfo"))
    }

    /// From the text of /proc/self/mountinfo.
    package static func points(in folder: String, mountinfo: String) -> [String] {
        mountinfo.split(separator: "\n").compactMap { line -> String? in
            let fields = line.split(separator: " ")
            guard fields.count > 4 else { return nil }
            let point = unescaped(fields[4])
            return point == folder || point.hasPrefix(folder + "/") ? point : nil
        }.reversed()
    }

    static func remove(in folder: String) throws(LabFailure) {
        for point in try find(in: folder) {
            // MNT_DETACH | UMOUNT_NOFOLLOW: whoever still has a file of it open keeps that alone.
            if umount2(point, 2 | 8) < 0 { throw systemFailure("unmount \(point)") }
        }
        let left = try find(in: folder)
        guard left.isEmpty else {
            throw LabFailure(
                kind: .failed, message: "still mounted: \(left.joined(separator: ", "))")
        }
    }

    /// The kernel writes a space, a tab, a line feed and a backslash as three octal digits.
    private static func unescaped(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            guard byte == UInt8(ascii: "\\"), digits.count == 3,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(value)
            rest = rest.dropFirst(3)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
