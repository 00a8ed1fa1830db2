import DrillCore
import FoundationEssentials
import Glibc
import Testing

/// The real firedrill, run on a scenario into a folder of its own.
final class Drill {
    let folder: String
    let process: pid_t
    private let errors: String

    /// - Parameters:
    ///   - scenario: relative to `scenarios/`, or the text of a scenario for that system.
    ///   - prefix: programs that each execute the next, so that the process id stays: `env`, `nsenter`.
    init(_ scenario: String, _ arguments: [String] = [], prefix: [String] = []) throws {
        folder = "/var/tmp/drill-test-\(UInt64.random(in: 0..<UInt64.max))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        errors = folder + "/errors"
        let path: String
        if scenario.contains("\n") {
            path = folder + "/scenario.yaml"
            try Data(scenario.utf8).write(to: URL(filePath: path))
        } else {
            path = Programs.root + "/scenarios/" + scenario
        }
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        let output = open(folder + "/output", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        let complaints = open(errors, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer {
            close(nothing)
            close(output)
            close(complaints)
        }
        process = try Programs.spawn(
            prefix + [try Programs.firedrill, "run", path, "--out", folder + "/run"] + arguments,
            input: nothing, output: output, errors: complaints)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// What it has said on standard error so far.
    var progress: String { (try? Programs.text(errors)) ?? "" }

    /// Waits until standard error holds the text; false where the drill ended first or it took too long.
    func reaches(_ text: String, within limit: Duration) -> Bool {
        let deadline = RunInstant.now + limit
        while RunInstant.now < deadline {
            if progress.contains(text) { return true }
            usleep(5000)
        }
        return false
    }

    func signal(_ number: Int32) { kill(process, number) }

    /// The id that the first line of progress names.
    var run: RunID {
        get throws {
            let words = progress.split(separator: "\n").first?.split(separator: " ") ?? []
            let index = try #require(words.firstIndex(of: "run"))
            return RunID(String(words[index + 1].dropLast()))
        }
    }

    /// The supervisor, as long as it lives.
    var supervisor: pid_t? {
        Programs.names(in: "/proc").compactMap { pid_t($0) }.first { pid in
            guard let stat = try? Programs.text("/proc/\(pid)/stat"),
                let end = stat.lastIndex(of: ")")
            else { return false }
            let fields = stat[stat.index(after: end)...].split(separator: " ")
            return fields.count > 1 && pid_t(fields[1]) == process
        }
    }

    func status(within limit: Duration) -> Int32 { Programs.wait(process, within: limit) }

    /// Runs a scenario until the machine lets it be measured: at most five times where the result is that nothing
    /// can be said. The last one's exit code is `expected`, or this throws with all that it printed.
    static func conclusive(
        _ scenario: String, _ arguments: [String] = [], within limit: Duration,
        expecting expected: Int32 = 0
    ) throws -> RunReport {
        try conclusive([(scenario, arguments)], within: limit, expecting: expected)[0]
    }

    /// The same of several at once. What has to be run again is then run alone.
    static func conclusive(
        _ runs: [(scenario: String, arguments: [String])], within limit: Duration,
        expecting expected: Int32 = 0
    ) throws -> [RunReport] {
        let drills = try runs.map { try Drill($0.scenario, $0.arguments) }
        let first = drills.map { ($0, $0.status(within: limit)) }
        return try zip(runs, first).map { run, first in
            var (drill, status) = first
            for _ in 0..<4 where status == 2 {
                // Whoever took the processor from us may be gone by then.
                sleep(3)
                drill = try Drill(run.scenario, run.arguments)
                status = drill.status(within: limit)
            }
            try #require(status == expected, "exit \(status)\n\(drill.progress)\n\(drill.output)")
            return try drill.written()
        }
    }

    var output: String { (try? Programs.text(folder + "/output")) ?? "" }

    func written() throws -> RunReport {
        try JSONLine.decode(RunReport.self, from: try Programs.text(folder + "/run/report.json"))
    }

    /// Runs to its end and reads the report.
    func report(within limit: Duration, expecting status: Int32 = 0) throws -> RunReport {
        let ended = self.status(within: limit)
        try #require(ended == status, "exit \(ended)\n\(progress)\n\(output)")
        return try written()
    }
}

extension RunReport {
    /// The last attempt of each trial, where it passed. One that a retry replaced may have passed as well, when nobody
    /// could say whether two hosts were primary.
    var counted: [TrialReport] {
        trials.filter { trial in
            trial.verdict == .pass
                && !trials.contains { $0.index == trial.index && $0.attempt > trial.attempt }
        }
    }
}
