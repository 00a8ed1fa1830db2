import DrillCore
import DrillScenario
import DrillStore
import FoundationEssentials
import Testing
import firedrill

/// A run of the reference pair in a folder of its own, as a recorder writes it; gone at the end.
final class RecordedRun {
    let folder: RunFolder
    let recorder: Recorder
    private let scenario: Scenario
    private static let origin: Int64 = 5_000_000_000_000
    private static let root =
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    init(trials: Int) throws {
        folder = try RunFolder(new: "/tmp/firedrill-run-\(UInt64.random(in: 0..<UInt64.max))")
        let cells = ScenarioLoader.load(
            path: Self.root + "/scenarios/twin/node-kill.yaml",
            readFile: { path in
                Array(try #require(FileManager.default.contents(atPath: path)))
            }, programExists: { _ in true })
        let cell = try #require(try cells.get().first)
        try folder.write(Array(cell.scenarioYAML.utf8), to: "scenario.yaml")
        try folder.write(Array(cell.systemYAML.utf8), to: "system.yaml")
        let (scenario, system) = try ReportWriter.load(folder)
        self.scenario = scenario
        recorder = Recorder(folder: folder, scenario: scenario, system: system) { _ in }
        for index in 1...trials { try record(TrialName(index: index, attempt: 1)) }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder.path) }

    func operations(of trial: TrialName) -> String { "\(trial.stem).ops" }

    /// `a` is killed at 3 s; from then on nothing is answered for 60 ms; one write of the fresh stream is lost.
    private func record(_ trial: TrialName) throws {
        let (a, b): (HostName, HostName) = ("a", "b")
        let streams = scenario.workloads.flatMap(\.streams).map { name in
            OperationStream(
                name: name, operations: (0..<1600).map { operation($0, of: name) })
        }
        try folder.write(OperationsFile.encode(streams), to: operations(of: trial))
        try recorder.open(trial)
        func record(_ from: Double, _ to: Double, _ kind: HistoryEvent.Kind) throws {
            try recorder.record(
                HistoryEvent(InstantInterval(low: Self.at(from), high: Self.at(to)), kind))
        }
        try record(
            -1, -1, .trial(.init(index: trial.index, attempt: trial.attempt, seed: 7)))
        try record(-1, -1, .role(.init(host: a, primary: true, source: .address)))
        try record(-1, -1, .role(.init(host: b, primary: false, source: .address)))
        try record(-0.5, -0.5, .identity(host: a, id: "f00d"))
        try record(2, 2, .steady(phase: .before))
        try record(3, 3.001, .injected(step: "kill", fault: "node.kill", host: a, role: .primary))
        try record(3, 3.002, .proven(host: a, step: "kill", state: .dead, effect: "gone"))
        try record(3.05, 3.05, .role(.init(host: b, primary: true, source: .address)))
        try record(4.5, 4.5, .healBegun(step: "kill"))
        try record(4.6, 4.7, .healed(step: "kill", by: .plan, verdict: .restored))
        try record(5, 5, .redundancy(value: true, bootID: nil))
        try record(7, 7, .steady(phase: .after))
        // Read back until long after the last operation, which is where the pictures end.
        for (number, key) in streams.flatMap(\.operations).compactMap(\.key).enumerated() {
            let at = 8 + Double(number) / 1000
            for host in [a, b] {
                try record(
                    at, at + 0.002,
                    .verify(sweep: 2, host: host, key: key, present: key != Self.lost))
            }
        }
        for host in [a, b] {
            let facts = VerifyFacts(sweep: 2, host: host, readLevel: "GET", sweeps: 1)
            try record(8, 11, .verified(facts))
        }
        try record(11, 11, .end(reason: "complete"))
        _ = try recorder.close(trial)
    }

    private static let lost = "kv/fresh/write:17"
    private static func at(_ seconds: Double) -> RunInstant {
        RunInstant(nanoseconds: origin + Int64((seconds * 1e9).rounded()))
    }

    private func operation(_ number: Int, of stream: StreamName) -> ClientOperation {
        let intended = Self.at(Double(number) / 200)
        let isOut = intended >= Self.at(3) && intended < Self.at(3.06)
        return ClientOperation(
            intended: intended, dispatched: intended, sent: intended,
            completed: intended + .milliseconds(isOut ? 100 : 1),
            outcome: isOut ? .indeterminate : .ok, key: "\(stream):\(number)",
            host: isOut ? nil : intended < Self.at(3) ? "f00d" : "b")
    }
}
