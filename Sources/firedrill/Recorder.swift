import DrillAnalysis
package import DrillCore
import DrillRunner
package import DrillStore
import Glibc

/// Writes each event as it happens and has each trial analysed as soon as it is closed.
package final class Recorder: TrialRecorder {
    private let folder: RunFolder
    private let scenario: Scenario
    private let system: System
    private let judged: (TrialReport) -> Void
    package private(set) var examined: [TrialName: ExaminedTrial] = [:]
    private var file: Int32 = -1
    /// Lines of keys that were read back. They come by the ten thousands and at once; all others are written as they happen.
    private var held: [UInt8] = []
    private static let mostHeld = 1 << 18

    /// - Parameter scenario: as the folder has it, which is what the report is made from; the system, too.
    package init(
        folder: RunFolder, scenario: Scenario, system: System,
        judged: @escaping (TrialReport) -> Void
    ) {
        self.folder = folder
        self.scenario = scenario
        self.system = system
        self.judged = judged
    }

    package func open(_ trial: TrialName) throws {
        let path = folder.file("\(trial.stem).events.jsonl")
        file = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            throw Failure(
                code: .internalError, message: "\(path): \(String(cString: strerror(errno)))")
        }
    }

    package func record(_ event: HistoryEvent) throws {
        if case .verify(let sweep, let host, let key, let present) = event.kind,
            Self.isPlain(host.rawValue), Self.isPlain(key)
        {
            // As the encoder would write it, without its allocations.
            let line =
                "{\"event\":\"verify\",\"high_ns\":\(event.interval.high.nanoseconds),\"host\":\"\(host)\",\"key\":\"\(key)\",\"low_ns\":\(event.interval.low.nanoseconds),\"present\":\(present),\"sweep\":\(sweep)}\n"
            held += line.utf8
            if held.count >= Self.mostHeld { try flush() }
        } else {
            held += try JSONLine.encode(event).utf8
            held.append(UInt8(ascii: "\n"))
            try flush()
        }
    }

    /// Nothing in it has to be escaped.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 > 0x1f && $0 < 0x7f && $0 != 0x22 && $0 != 0x5c }
    }

    private func flush() throws {
        var rest = held[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw Failure(
                    code: .internalError, message: "events: \(String(cString: strerror(errno)))")
            }
        }
        held.removeAll(keepingCapacity: true)
    }

    package func close(_ trial: TrialName) throws -> Verdict {
        try flush()
        fsync(file)
        Glibc.close(file)
        file = -1
        let files = RunFiles(of: folder)
        let stamps = files.stamps(of: trial)
        let (report, writes) = TrialAnalysis.examine(
            TrialInput(
                scenario: scenario, system: system, history: try files.history(of: trial),
                index: trial.index, attempt: trial.attempt))
        examined[trial] = ExaminedTrial(report: report, writes: writes, files: stamps)
        judged(report)
        return decides(report) ? report.verdict : .inconclusive
    }

    /// A trial that measured everything but cannot say whether two hosts were primary is worth repeating too.
    private func decides(_ report: TrialReport) -> Bool {
        report.verdict != .pass || system.roles == nil || report.splitBrain.seen != nil
            || !scenario.expectations.contains { $0.metric == "split_brain" }
    }
}
