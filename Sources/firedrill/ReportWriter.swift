import DrillAnalysis
package import DrillCore
package import DrillReport
import DrillScenario
package import DrillStore

/// From a run folder to its reports: what `run` ends with and what `report` repeats.
package enum ReportWriter {
    /// How the run itself ended, where its trials cannot say it.
    struct Ending: Codable, Hashable {
        var exitCode: Int32?
        var reasons: [String] = []
        var leftBehind: [String] = []
    }

    /// `run.json`: what the other files of the folder do not hold.
    struct RunFile: Codable, Hashable {
        var run: RunFacts
        var ending: Ending?
        /// Of the machine that made the run, as it was then.
        var calibration: CalibrationReport?
    }

    /// - Parameters:
    ///   - examined: what is known of the trials already; the others are analysed.
    ///   - tell: gets what is being done, again and again.
    package static func write(
        _ folder: RunFolder, language: Language, examined: [TrialName: ExaminedTrial] = [:],
        tell: (String) -> Void = { _ in }
    ) throws -> RunReport {
        let (scenario, system) = try load(folder)
        let file: RunFile
        if folder.exists("run.json") {
            do {
                file = try JSONLine.decode(
                    RunFile.self, from: String(decoding: try folder.read("run.json"), as: UTF8.self)
                )
            } catch {
                throw Failure(
                    code: .invalidFile,
                    message: "\(folder.file("run.json")): \(RunFolder.why(error))")
            }
        } else {
            file = RunFile(
                run: RunFacts(
                    id: folder.id, scenario: scenario.name, system: system.name,
                    lab: system.lab.rawValue, version: Version.text))
        }
        var histories: [History] = []
        var trials: [TrialReport] = []
        var writes: [LedgerMarks?] = []
        let files = RunFiles(of: folder)
        do throws(StoreError) {
            let names = files.trials
            for (index, name) in names.enumerated() {
                tell("trial \(index + 1) of \(names.count)")
                if let known = examined[name], known.files == files.stamps(of: name) {
                    histories.append(try files.history(of: name, forPictures: true))
                    trials.append(known.report)
                    writes.append(known.writes)
                    continue
                }
                let history = try files.history(of: name)
                histories.append(history)
                let found = TrialAnalysis.examine(
                    TrialInput(
                        scenario: scenario, system: system, history: history,
                        index: name.index, attempt: name.attempt))
                trials.append(found.report)
                writes.append(found.writes)
            }
        } catch {
            throw Failure(code: .invalidFile, message: error.description)
        }
        var report = RunAnalysis.judge(
            scenario: scenario, system: system, trials: trials, facts: file.run,
            leftBehind: file.ending?.leftBehind ?? [])
        apply(file.ending, crashed: file.ending == nil && folder.exists("run.json"), to: &report)
        report.calibration = file.calibration
        tell("digests of its files")
        report.evidence = try files.evidence()
        tell("pictures")
        let record = RunRecord(
            report: report, histories: histories, writes: writes, scenario: scenario,
            system: system)
        try folder.write(try JSONReport.encode(report), to: "report.json")
        try folder.write(JUnitReport.encode(report), to: "junit.xml")
        try folder.write(
            Array(HTMLReport.render(record, language: language).utf8), to: "report.html")
        return report
    }

    /// Trials say what the system did; the run's own end can only make the code worse.
    private static func apply(_ ending: Ending?, crashed: Bool, to report: inout RunReport) {
        if crashed {
            report.reasons.insert("the run was cut off before its end", at: 0)
            if report.verdict == .pass { report.verdict = .inconclusive }
            report.exitCode = worse(report.exitCode, .inconclusive)
        }
        guard let ending else { return }
        for reason in ending.reasons.reversed() where !report.reasons.contains(reason) {
            report.reasons.insert(reason, at: 0)
        }
        if let code = ending.exitCode.flatMap(DrillCore.ExitCode.init(rawValue:)), code != .pass {
            // What was left behind says nothing about what the trials showed.
            if code != .restoreFailed, report.verdict == .pass { report.verdict = .inconclusive }
            report.exitCode = worse(report.exitCode, code)
        }
    }

    private static func worse(_ raw: Int32, _ code: DrillCore.ExitCode) -> Int32 {
        DrillCore.ExitCode.worst([DrillCore.ExitCode(rawValue: raw) ?? .internalError, code])
            .rawValue
    }

    /// Of the folder's own files.
    package static func load(_ folder: RunFolder) throws -> (Scenario, System) {
        let path = folder.file("scenario.yaml")
        let cells = ScenarioLoader.load(
            path: path, system: folder.file("system.yaml"),
            options: .init(templatesRequired: false, isPlanned: false), readFile: Files.read)
        switch cells {
        case .failure(let list):
            complain(list.rendered)
            throw Failure(
                code: .invalidFile, message: "\(path): the run's own files cannot be read")
        case .success(let cells):
            guard let cell = cells.first else {
                throw Failure(code: .invalidFile, message: "\(path): holds no scenario")
            }
            return (cell.scenario, cell.system)
        }
    }
}
