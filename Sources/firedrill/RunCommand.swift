import ArgumentParser
import DrillAnalysis
import DrillCore
import DrillFaults
import DrillLab
import DrillReport
import DrillRunner
import DrillScenario
import DrillStore
import FoundationEssentials
import Glibc

/// `firedrill run`: from files to a verdict.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs scenarios: breaks, measures, heals, reports.")

    @Argument(help: "Scenario files, or folders of them.") var paths: [String]
    @Option(help: "Use this system file instead of the scenario's.") var system: String?
    @Option(help: "Set a variable: name=value. May be repeated.") var set: [String] = []
    @Option(help: "How many trials, instead of the scenario's number.") var trials: Int?
    @Option(help: "The seed of jitter and arrivals; printed with every run.") var seed: UInt64?
    @Option(help: "Make this the run folder; it must be empty.") var out: String?
    @Option(help: "Also write the JUnit file here.") var junit: String?
    @Option(help: "Also write a Markdown summary here.") var markdown: String?
    @Option(help: "Language of the HTML report: en or zh.") var lang: String = "en"
    @Flag(help: "Leave the lab standing; look around with `firedrill shell HOST`.")
    var keepLab = false
    @Flag(help: "Do not ask anything.") var yes = false
    @Flag(help: "Print the plan and do nothing.") var dryRun = false
    @Flag(help: "Print report.json on standard output.") var json = false
    @Flag(help: "No progress.") var quiet = false

    func validate() throws {
        guard Language(rawValue: lang) != nil else {
            throw ValidationError("--lang is en or zh, not '\(lang)'")
        }
    }

    func run() throws {
        try Failure.reporting {
            let cells = try Loading.cells(
                paths, system: system, set: set, trials: trials, programsRequired: !dryRun)
            if dryRun {
                for cell in cells { show(RunPlan(cell.cell).rendered) }
                return
            }
            try check(cells)
            let interrupts = try Interrupts.install()
            var results: [(cell: LoadedCell, report: RunReport?, code: DrillCore.ExitCode)] = []
            for cell in cells {
                var report: RunReport?
                var code = DrillCore.ExitCode.internalError
                do {
                    (report, code) = try runCell(cell, of: cells, interrupts)
                } catch let failure as Failure {
                    // What earlier runs found is not lost by it.
                    complain("firedrill: \(failure.message)")
                    code = failure.code
                }
                results.append((cell, report, code))
                if code == .interrupted || code == .terminated { break }
                if Interrupts.caught != 0, results.count < cells.count {
                    let code = DrillCore.ExitCode.interruption(by: Interrupts.caught)
                    results.append((cells[results.count], nil, code))
                    break
                }
            }
            if results.count > 1, !json { printSummary(results) }
            let reports = results.compactMap(\.report)
            if let junit { try Files.write(JUnitReport.encode(reports), to: junit) }
            if let markdown {
                let language = Language(rawValue: lang) ?? .en
                let parts = reports.map { MarkdownSummary.encode($0, language: language) }
                try Files.write(Array(parts.joined(separator: [0x0A])), to: markdown)
            }
            try finish(DrillCore.ExitCode.worst(results.map(\.code)))
        }
    }

    /// What can be known to go wrong at the end is said before anything begins.
    private func check(_ cells: [LoadedCell]) throws {
        if let junit { try Files.checkWritable(junit, for: "--junit") }
        if let markdown { try Files.checkWritable(markdown, for: "--markdown") }
        guard let out else { return }
        var folders: Set<String> = []
        for cell in cells {
            let path = out.isEmpty ? out : folderPath(cell, RunID(""), several: cells.count > 1)
            guard folders.insert(path).inserted else {
                throw Failure(
                    code: .usage,
                    message:
                        "--out: two scenarios are called \(cell.cell.scenario.name), and both would be written to \(path)"
                )
            }
            do throws(StoreError) {
                try RunFolder.checkNew(path)
            } catch {
                throw Failure(code: .usage, message: "--out: \(error)")
            }
        }
    }

    private func finish(_ code: DrillCore.ExitCode) throws {
        flushOutput()
        if code != .pass { throw code.exit }
    }

    private func runCell(
        _ cell: LoadedCell, of cells: [LoadedCell], _ interrupts: Int32
    ) throws -> (RunReport?, DrillCore.ExitCode) {
        let scenario = cell.cell.scenario
        let missing = cell.cell.capabilities + Capabilities.missing()
        guard missing.isEmpty else {
            for text in missing { complain("firedrill: \(scenario.name): \(text)") }
            return (nil, .capability)
        }
        let seed = seed ?? UInt64.random(in: 1...999_999_999)
        let id = RunClock.newID(seed: seed)
        let folder: RunFolder
        do {
            folder = try RunFolder(new: folderPath(cell, id, several: cells.count > 1))
        } catch {
            throw Failure(code: .usage, message: error.description)
        }
        let display = Display(name: scenario.name, quiet: quiet)
        defer { display.clear() }
        let (outcome, facts, examined) = try drill(cell, folder, id, seed, display, interrupts)
        let report: RunReport
        do {
            report = try ReportProgress.during(display, interrupts: interrupts) { tell in
                try hideSecrets(of: cell.cell, in: folder)
                try write(facts, outcome, to: folder)
                let report = try ReportWriter.write(
                    folder, language: Language(rawValue: lang) ?? .en, examined: examined,
                    tell: tell)
                tell("digests of all files")
                try finishFolder(folder, report)
                return report
            }
            display.clear()
        } catch let error as StoreError {
            throw Failure(code: .internalError, message: error.description)
        }
        try printResult(cell, report, folder, cells)
        return (report, DrillCore.ExitCode(rawValue: report.exitCode) ?? .internalError)
    }

    private func folderPath(_ cell: LoadedCell, _ id: RunID, several: Bool) -> String {
        let scenario = cell.cell.scenario
        guard let out else { return "reports/\(cell.cell.system.name)/\(scenario.name)/\(id)" }
        guard several else { return out }
        let parts = scenario.cell.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return ([out, scenario.name] + (parts.isEmpty ? [] : [parts.joined(separator: ",")]))
            .joined(separator: "/")
    }

    private func drill(
        _ cell: LoadedCell, _ folder: RunFolder, _ id: RunID, _ seed: UInt64, _ display: Display,
        _ interrupts: Int32
    ) throws -> (RunOutcome, RunFacts, [TrialName: ExaminedTrial]) {
        let scenario = cell.cell.scenario
        let system = cell.cell.system
        display.line("\(scenario.name) on \(system.name): run \(id), seed \(seed), \(folder.path)")
        for warning in cell.cell.warnings { display.line(warning.rendered) }
        var facts = RunFacts(
            id: id.rawValue, scenario: scenario.name, system: system.name,
            lab: system.lab.rawValue, cell: scenario.cell, startedAt: RunClock.timestamp(),
            version: Version.text, seed: seed, kernel: RunClock.kernel())
        facts.fingerprint = SHA256.hex(
            Array(
                (cell.cell.scenarioYAML + cell.cell.systemYAML + Version.text
                    + (facts.kernel ?? "")).utf8))
        try folder.write(Array(cell.cell.scenarioYAML.utf8), to: "scenario.yaml")
        try folder.write(Array(cell.cell.systemYAML.utf8), to: "system.yaml")
        // Without an ending: whoever finds the folder after a crash knows that the run was cut off.
        try folder.write(
            Array(
                try JSONLine.encode(
                    ReportWriter.RunFile(run: facts, calibration: CalibrationFile.latest())
                ).utf8), to: "run.json")

        // Read back: with what `firedrill report` has, and without a secret, each trial's findings are the report's.
        let (written, writtenSystem) = try ReportWriter.load(folder)
        let recorder = Recorder(folder: folder, scenario: written, system: writtenSystem) { trial in
            let text = TrialLine.text(
                trial, of: scenario.trials, hasRoles: writtenSystem.roles != nil)
            display.line("  " + text)
        }
        let sweep = {
            NamespaceLab.sweep(
                id, agent: Files.beside("firedrill-agent"), log: folder.file("logs/lab.log")
            ).map(cell.cell.masked)
        }
        let shell = RunShell(
            machine: RunMachine(
                RunInput(
                    scenario: scenario, system: system, seed: seed, id: id,
                    folder: absolute(folder.path), keepLab: keepLab, version: Version.text)),
            recorder: recorder, interrupts: interrupts,
            openLab: {
                try NamespaceLab(
                    agent: Files.beside("firedrill-agent"), log: folder.file("logs/lab.log"))
            },
            sweep: sweep, mask: cell.cell.masked, show: display.show)
        do {
            var outcome = try shell.run()
            // One that hung has torn nothing down; after one that answered there is nothing to find.
            if case .failed = outcome.end, let left = sweep(),
                !outcome.leftBehind.contains(left)
            {
                outcome.leftBehind.append(left)
            }
            return (outcome, facts, recorder.examined)
        } catch let failure as LabFailure {
            let why = cell.cell.masked(failure.message)
            let end: RunOutcome.End =
                failure.kind == .capability ? .capability(why) : .failed(why)
            return (RunOutcome(end: end, leftBehind: []), facts, recorder.examined)
        }
    }

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    private func write(
        _ facts: RunFacts, _ outcome: RunOutcome, to folder: RunFolder
    ) throws {
        var facts = facts
        facts.finishedAt = RunClock.timestamp()
        var ending = ReportWriter.Ending(leftBehind: outcome.leftBehind)
        switch outcome.end {
        case .complete: break
        case .interrupted(let signal):
            ending.exitCode = DrillCore.ExitCode.interruption(by: signal).rawValue
            ending.reasons = ["interrupted by \(Signal.name(signal))"]
        case .capability(let why):
            ending.exitCode = DrillCore.ExitCode.capability.rawValue
            ending.reasons = [why]
        case .failed(let why):
            ending.exitCode = DrillCore.ExitCode.capability.rawValue
            ending.reasons = [why]
        }
        try folder.write(
            Array(
                try JSONLine.encode(
                    ReportWriter.RunFile(
                        run: facts, ending: ending, calibration: CalibrationFile.latest())
                ).utf8), to: "run.json")
    }

    /// What services and the lab's supervisor have written may quote what they were started with.
    private func hideSecrets(of cell: ScenarioCell, in folder: RunFolder) throws(StoreError) {
        guard !cell.secrets.isEmpty else { return }
        for name in folder.names(in: "logs") {
            let text = String(decoding: try folder.read(name), as: UTF8.self)
            let masked = cell.masked(text)
            guard masked != text else { continue }
            // Into the same file: a lab that is kept goes on writing.
            guard let file = fopen(folder.file(name), "w") else {
                throw StoreError("\(folder.file(name)): cannot be written")
            }
            let bytes = Array(masked.utf8)
            let count = fwrite(bytes, 1, bytes.count, file)
            guard fclose(file) == 0, count == bytes.count else {
                throw StoreError("\(folder.file(name)): cannot be written")
            }
        }
    }

    private func finishFolder(_ folder: RunFolder, _ report: RunReport) throws {
        // One that crashed has none, and the chain goes past it.
        let earlier = RunIndex().runs(of: report.run.system).last {
            $0.id < folder.id && $0.exists("manifest.json")
        }
        let manifest = try Manifest(
            of: folder, run: report.run.id, previous: earlier, known: report.evidence)
        try folder.write(Array(try JSONLine.encode(manifest).utf8), to: "manifest.json")
    }

    private func printResult(
        _ cell: LoadedCell, _ report: RunReport, _ folder: RunFolder, _ cells: [LoadedCell]
    ) throws {
        if json {
            print(String(decoding: try JSONReport.encode(report), as: UTF8.self))
            return
        }
        let next = cells.count == 1 ? NextScenario.after(cell.path) : nil
        let colour = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil
        for line in TerminalSummary.lastLines(
            report, reportPath: folder.file("report.html"), next: next, colour: colour)
        {
            print(line)
        }
        flushOutput()
    }

    private func printSummary(
        _ results: [(cell: LoadedCell, report: RunReport?, code: DrillCore.ExitCode)]
    ) {
        print("\(results.count) runs:")
        for result in results {
            let scenario = result.cell.cell.scenario
            let values = scenario.cell.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
            let verdict = result.report?.verdict.rawValue ?? "not run"
            let rto =
                result.report?.summary.rto.max.map { "  RTO max \($0.rounded() / 1000) s" } ?? ""
            print(
                "  \(verdict)  \(scenario.name)\(values.joined())\(rto)  exit \(result.code.rawValue)"
            )
        }
    }
}
