import DrillCore
import DrillScenario
import DrillStore
import FoundationEssentials
import Glibc

/// Reading and looking up for the pure loaders.
enum Files {
    static func read(_ path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure(code: .invalidFile, message: whyUnreadable(path))
        }
        return Array(data)
    }

    /// All that comes; it is a pipe mostly, which `read` takes for no file.
    static func readStandardInput() throws -> [UInt8] {
        var bytes: [UInt8] = []
        var part = Array(repeating: UInt8(0), count: 1 << 16)
        while true {
            let count = Glibc.read(STDIN_FILENO, &part, part.count)
            if count > 0 {
                bytes += part[..<count]
            } else if count == 0 {
                return bytes
            } else if errno != EINTR {
                throw Failure(code: .invalidFile, message: String(cString: strerror(errno)))
            }
        }
    }

    private static func whyUnreadable(_ path: String) -> String {
        var status = stat()
        guard stat(path, &status) == 0, access(path, R_OK) == 0 else {
            return String(cString: strerror(errno))
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return "it is a folder"
        case S_IFREG: return "reading it failed"
        default: return "it is no file"
        }
    }

    /// Whether a program is found as `execvp` would, or in the administrators' folders.
    static func programExists(_ name: String) -> Bool {
        if name.contains("/") { return access(name, X_OK) == 0 }
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        return
            (path.split(separator: ":").map(String.init) + [
                "/usr/sbin", "/sbin", "/usr/local/sbin",
            ])
            .contains { access("\($0)/\(name)", X_OK) == 0 }
    }

    /// What `{{env.NAME}}` is taken from.
    static var environment: [String: String] { ProcessInfo.processInfo.environment }

    /// A program of ours, beside this one.
    static func beside(_ program: String) -> String {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let folder = own.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        return (folder + [Substring(program)]).joined(separator: "/")
    }

    /// Scenario files of a path: itself, or all of a folder's.
    static func scenarios(_ paths: [String]) throws -> [String] {
        try paths.flatMap { path -> [String] in
            var isFolder = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw Failure(code: .invalidFile, message: "\(path): no such file or folder")
            }
            guard isFolder else { return [path] }
            let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
            let found = try names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
                .map { "\(path)/\($0)" }.filter { try isScenario($0) }
            guard !found.isEmpty else {
                throw Failure(code: .invalidFile, message: "\(path): holds no scenario file")
            }
            return found
        }
    }

    /// Whether it is ours and says of itself nothing else: one with a mistake in its head is no file to pass over.
    private static func isScenario(_ path: String) throws -> Bool {
        let text = String(decoding: try read(path), as: UTF8.self)
        let scenario = #/(?m)^\s*["']?kind["']?\s*:\s*["']?Scenario\b/#.ignoresCase()
        if text.contains(scenario) { return true }
        return text.contains("firedrill/v")
            && !text.contains(#/["']?kind["']?\s*:\s*["']?System\b/#)
    }
}

extension Files {
    static func write(_ bytes: [UInt8], to path: String) throws {
        do {
            try Data(bytes).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw Failure(
                code: .usage, message: "\(path): cannot be written: \(RunFolder.why(error))")
        }
    }

    /// Says before a run what would be found out only after it.
    static func checkWritable(_ path: String, for option: String) throws {
        let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
        let folder = path.contains("/") ? (parent.isEmpty ? "/" : parent) : "."
        var status = stat()
        let isFolder = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        guard !path.isEmpty, !isFolder, access(folder, W_OK | X_OK) == 0 else {
            let why = path.isEmpty || isFolder ? "it is no file" : String(cString: strerror(errno))
            throw Failure(code: .usage, message: "\(option) \(path): cannot be written: \(why)")
        }
    }
}
