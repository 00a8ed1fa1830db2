import DrillCore
import Glibc

/// The few calls on paths that the agent needs; it does without full Foundation.
enum Files {
    static func read(_ path: String) throws(LabFailure) -> String {
        let file = try Descriptor.open(path, O_RDONLY)
        var bytes: [UInt8] = []
        while true {
            let part = try file.read()
            if part.isEmpty { return String(decoding: bytes, as: UTF8.self) }
            bytes += part
        }
    }

    static func write(_ text: String, to path: String) throws(LabFailure) {
        try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC).write(text)
    }

    /// For /proc/sys and cgroup files, which exist.
    static func set(_ path: String, to text: String) throws(LabFailure) {
        let file = try Descriptor.open(path, O_WRONLY)
        do {
            try file.write(text)
        } catch {
            throw LabFailure(
                kind: .failed, message: "write '\(text)' to \(path): \(error.message)",
                errno: error.errno)
        }
    }

    static func makeDirectory(_ path: String, mode: mode_t = 0o755) throws(LabFailure) {
        if mkdir(path, mode) < 0, errno != EEXIST { throw systemFailure("make \(path)") }
    }

    /// With all that lead to it.
    static func makeDirectories(_ path: String) throws(LabFailure) {
        var whole = ""
        for part in path.split(separator: "/") {
            whole += "/" + part
            try makeDirectory(whole)
        }
    }

    /// Names without `.` and `..`, sorted; empty where there is no such directory.
    static func list(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// A directory that belongs to this user: in a place where everybody may make one, others are not ours.
    static func isOwnDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
            && status.st_uid == geteuid()
    }

    /// A file, or a directory with all in it; never follows a link.
    static func remove(_ path: String) throws(LabFailure) {
        if isDirectory(path) {
            for name in list(path) { try remove(path + "/" + name) }
            if rmdir(path) < 0, errno != ENOENT { throw systemFailure("remove \(path)") }
        } else if unlink(path) < 0, errno != ENOENT {
            throw systemFailure("remove \(path)")
        }
    }

    static func readLink(_ path: String) throws(LabFailure) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes {
            readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        if count < 0 { throw systemFailure("read the link \(path)") }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
