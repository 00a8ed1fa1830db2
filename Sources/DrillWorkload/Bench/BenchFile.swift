import Glibc

/// Small files of a benchmark.
enum BenchFile {
    static func read(_ path: String) throws(ChildProcess.Failure) -> [UInt8] {
        guard let file = fopen(path, "re") else { throw failure(path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    static func write(_ text: String, to path: String) throws(ChildProcess.Failure) {
        guard let file = fopen(path, "we") else { throw failure(path) }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else { throw failure(path) }
    }

    private static func failure(_ path: String) -> ChildProcess.Failure {
        ChildProcess.Failure(description: "\(path): \(String(cString: strerror(errno)))")
    }
}

/// Where a program is.
enum ProgramPath {
    /// /usr/sbin too, which not every PATH holds.
    static func find(_ program: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin"]
        return folders.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }
}
