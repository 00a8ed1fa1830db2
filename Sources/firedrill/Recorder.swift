import DrillAnalysis
import DrillCore
import DrillRunner
import DrillStore
import Glibc

/// Writes each event as it happens and has each trial analysed as soon as it is closed.
final class Recorder: TrialRecorder {
    private let folder: RunFolder
    private let scenario: Scenario
    private let system: System
    private let judged: (TrialReport) -> Void
    private var file: Int32 = -1

    init(
        folder: RunFolder, scenario: Scenario, system: System,
        judged: @escaping (TrialReport) -> Void
    ) {
        self.folder = folder
        self.scenario = scenario
        self.system = system
        self.judged = judged
    }

    func open(_ trial: TrialName) throws {
        let path = folder.file("\(trial.stem).events.jsonl")
        file = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            throw Failure(
                code: .internalError, message: "\(path): \(String(cString: strerror(errno)))")
        }
    }

    func record(_ event: HistoryEvent) throws {
        let bytes = Array((try JSONLine.encode(event) + "\n").utf8)
        guard write(file, bytes, bytes.count) == bytes.count else {
            throw Failure(
                code: .internalError, message: "events: \(String(cString: strerror(errno)))")
        }
    }

    func close(_ trial: TrialName) throws -> Verdict {
        fsync(file)
        Glibc.close(file)
        file = -1
        let report = TrialAnalysis.analyze(
            TrialInput(
                scenario: scenario, system: system, history: try folder.history(of: trial),
                index: trial.index, attempt: trial.attempt))
        judged(report)
        return decides(report) ? report.verdict : .inconclusive
    }

    /// A trial that measured everything but cannot say whether two hosts were primary is worth repeating too.
    private func decides(_ report: TrialReport) -> Bool {
        report.verdict != .pass || system.roles == nil || report.splitBrain.seen != nil
            || !scenario.expectations.contains { $0.metric == "split_brain" }
    }
}
