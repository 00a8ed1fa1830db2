import Glibc

/// What tools/vm made of a script.
struct VirtualMachine {
    let code: Int32
    /// Of the script, and what tools/vm had to say.
    let output: String

    struct Missing: Error { let what: String }

    /// Runs the tests of one target of this package inside.
    static func tests(_ target: String) throws -> VirtualMachine {
        try VirtualMachine(
            script: """
                cd /tmp
                firedrillPackageTests.xctest --testing-library swift-testing --no-parallel \\
                    --filter '^\(target)\\.'
                """,
            programs: ["firedrillPackageTests.xctest"], memory: 900)
    }

    /// `programs` are built ones; tc is there too. `memory` in megabytes.
    init(script: String, programs: [String], memory: Int) throws {
        let folder = try Self.folder()
        var path = Array("/tmp/firedrill-vm-XXXXXX".utf8CString)
        let file = mkstemp(&path)
        guard file >= 0 else { throw Missing(what: "a temporary file") }
        defer { unlink(path) }
        let text = Array(script.utf8)
        guard write(file, text, text.count) == text.count, close(file) == 0 else {
            throw Missing(what: "room for a temporary file")
        }
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
            .joined(separator: "/")
        let name = String(decoding: path.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let built = programs.map { "'\(folder)/\($0)'" }.joined(separator: " ")
        let command = "'\(root)/tools/vm' -m \(memory) -t 400 \(name) tc \(built) 2>&1"
        guard let pipe = popen(command, "re") else { throw Missing(what: "popen") }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, pipe)
            if count == 0 { break }
            output += buffer[..<count]
        }
        let status = pclose(pipe)
        // WIFEXITED and WEXITSTATUS, which are macros.
        code = status & 0x7f == 0 ? status >> 8 & 0xff : -1
        self.output = String(decoding: output, as: UTF8.self)
    }

    /// Where the test bundle was loaded from: that is where the programs are built.
    private static func folder() throws -> String {
        guard let maps = fopen("/proc/self/maps", "r") else { throw Missing(what: "/proc") }
        defer { fclose(maps) }
        var buffer = [CChar](repeating: 0, count: 8192)
        while fgets(&buffer, Int32(buffer.count), maps) != nil {
            let bytes = buffer.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:))
            let line = String(decoding: bytes, as: UTF8.self)
            guard line.hasSuffix(".xctest"), let start = line.firstIndex(of: "/"),
                let end = line.lastIndex(of: "/")
            else { continue }
            return String(line[start..<end])
        }
        throw Missing(what: "the test bundle in /proc/self/maps")
    }
}
