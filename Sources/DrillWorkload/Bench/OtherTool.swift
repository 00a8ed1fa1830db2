import DrillCore
import Glibc

/// A load generator that others use, run at about the same rate, and what it says.
enum OtherTool {
    case wrk, h2load

    struct Result {
        var requests: Int
        var cpu: Duration
        /// Its own words on latency.
        var says: String
    }

    var name: String {
        switch self {
        case .wrk: "wrk      "
        case .h2load: "h2load   "
        }
    }

    private static let connections = 100

    /// `meanwhile` is called right after its start.
    func run(
        _ url: String, rate: Double, length: Duration, meanwhile: () -> Void
    ) throws -> Result {
        let seconds = "\(length.nanoseconds / 1_000_000_000)"
        var script: String?
        defer { if let script { unlink(script) } }
        let arguments: [String]
        switch self {
        case .wrk:
            // It has no rate: each connection waits between two requests.
            let path = "/tmp/firedrill-bench-\(getpid()).lua"
            let pause = Int((Double(Self.connections) / rate * 1000).rounded())
            try BenchFile.write("function delay() return \(pause) end\n", to: path)
            script = path
            arguments = [
                "-t1", "-c\(Self.connections)", "-d\(seconds)s", "--timeout", "5s", "--latency",
                "-s", path, url,
            ]
        case .h2load:
            arguments = [
                "--h1", "-t1", "-c\(Self.connections)", "-D\(seconds)",
                "--rps=\(Int(rate) / Self.connections)", url,
            ]
        }
        let program = self == .wrk ? "wrk" : "h2load"
        let child = try ChildProcess(program, arguments, quiet: true)
        meanwhile()
        let output = child.readAll()
        let exit = child.wait()
        guard exit.code == 0 else {
            throw ChildProcess.Failure(description: "\(program) ended with \(exit.code): \(output)")
        }
        return Result(requests: requests(output), cpu: exit.cpu, says: says(output))
    }

    private func requests(_ output: String) -> Int {
        // wrk: `  16499 requests in 2.00s, …`; h2load: `requests: 20000 total, 20000 started, 20000 done, …`
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ")
            switch self {
            case .wrk where words.count > 1 && words[1] == "requests": return Int(words[0]) ?? 0
            case .h2load where words.first == "requests:" && words.count > 5:
                return Int(words[5]) ?? 0
            case .wrk, .h2load: continue
            }
        }
        return 0
    }

    private func says(_ output: String) -> String {
        var parts: [String] = []
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ")
            switch self {
            case .wrk:
                if words.count == 2, ["50%", "90%", "99%"].contains(words[0]) {
                    parts.append("p\(words[0].dropLast()) \(words[1])")
                }
            case .h2load:
                if line.hasPrefix("time for request:"), words.count > 6 {
                    parts.append("min \(words[3]), max \(words[4]), mean \(words[5])")
                }
            }
        }
        return parts.isEmpty ? "nothing that could be read" : parts.joined(separator: ", ")
    }
}
