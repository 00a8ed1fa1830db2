import CLinux
import DrillCore
import Glibc
import Testing

/// The programs under test, found beside the test bundle.
enum Programs {
    static var agent: String {
        get throws { try folder() + "/firedrill-agent" }
    }

    static var firedrill: String {
        get throws { try folder() + "/firedrill" }
    }

    /// The checkout that holds these tests.
    static var root: String {
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
            .joined(separator: "/")
    }

    /// Where the test bundle was loaded from: that is where the programs are built.
    private static func folder() throws -> String {
        for line in try text("/proc/self/maps").split(separator: "\n") {
            guard line.hasSuffix(".xctest"), let start = line.firstIndex(of: "/"),
                let end = line.lastIndex(of: "/")
            else { continue }
            return String(line[start..<end])
        }
        throw Missing(what: "the test bundle in /proc/self/maps")
    }

    struct Missing: Error { let what: String }

    static func text(_ path: String) throws -> String {
        guard let file = fopen(path, "r") else { throw Missing(what: path) }
        defer { fclose(file) }
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&part, 1, part.count, file)
            if count == 0 { return String(decoding: all, as: UTF8.self) }
            all += part[..<count]
        }
    }

    static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// In a session of its own, as the controller starts it.
    static func spawn(
        _ arguments: [String], input: Int32, output: Int32, errors: Int32 = STDERR_FILENO
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        if errors != STDERR_FILENO {
            posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        posix_spawnattr_setflags(&attributes, 0x80)  // POSIX_SPAWN_SETSID
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        var strings: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for string in strings { free(string) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, arguments[0], &actions, &attributes, &strings, environ)
        try #require(failure == 0, "\(arguments[0]): \(String(cString: strerror(failure)))")
        return pid
    }

    /// Runs to its end; standard output and the exit code.
    static func run(
        _ arguments: [String], withErrors: Bool = false, within limit: Duration = .seconds(20)
    ) throws -> (output: String, status: Int32) {
        var pipe: [Int32] = [-1, -1]
        try #require(clinux_pipe(&pipe) == 0)
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(nothing) }
        let pid = try spawn(
            arguments, input: nothing, output: pipe[1],
            errors: withErrors ? pipe[1] : STDERR_FILENO)
        close(pipe[1])
        defer { close(pipe[0]) }
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(pipe[0], &part, part.count)
            if count <= 0 { break }
            all += part[..<count]
        }
        return (String(decoding: all, as: UTF8.self), wait(pid, within: limit))
    }

    static func wait(_ pid: pid_t, within limit: Duration) -> Int32 {
        let deadline = RunInstant.now + limit
        var status: Int32 = 0
        while waitpid(pid, &status, WNOHANG) == 0 {
            if RunInstant.now > deadline {
                kill(pid, SIGKILL)
                waitpid(pid, &status, 0)
                break
            }
            usleep(2000)
        }
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + status & 0x7f
    }
}
