import ArgumentParser
import DrillCore
import DrillReport
import DrillStore

/// `firedrill report`: repeats the analysis of a run from what was written down.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Rebuilds report.json, junit.xml and report.html from a run folder.")

    @Argument(help: "A run: an id, a unique prefix, a folder, a report.json, or 'latest'.")
    var id: String
    @Option(help: "Language of the HTML report: en or zh.") var lang: String = "en"
    @Flag(help: "Print report.json on standard output.") var json = false

    func run() throws {
        try Failure.reporting {
            guard let language = Language(rawValue: lang) else {
                throw Failure(code: .usage, message: "--lang is en or zh, not '\(lang)'")
            }
            let folder = try Runs.find(id)
            let report: RunReport
            do {
                report = try ReportWriter.write(folder, language: language)
            } catch let error as StoreError {
                throw Failure(code: .invalidFile, message: error.description)
            }
            if json {
                print(String(decoding: try JSONReport.encode(report), as: UTF8.self))
            } else {
                for line in TerminalSummary.lastLines(
                    report, reportPath: folder.file("report.html"))
                {
                    print(line)
                }
            }
            let code = DrillCore.ExitCode(rawValue: report.exitCode) ?? .internalError
            if code != .pass { throw code.exit }
        }
    }
}

/// `firedrill export`: operations and events as CSV, for people and other programs.
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes a run's operations and events as CSV into its folder.")

    @Argument(help: "A run: an id, a unique prefix, a folder, a report.json, or 'latest'.")
    var id: String
    @Flag(help: "As CSV, which is the one format so far.") var csv = false
    @Option(help: "Write into this folder instead.") var out: String?

    func run() throws {
        try Failure.reporting {
            guard csv else { throw Failure(code: .usage, message: "say --csv") }
            let folder = try Runs.find(id)
            let target = out ?? folder.path
            let files = RunFiles(of: folder)
            guard !files.trials.isEmpty else {
                throw Failure(
                    code: .invalidFile, message: "\(folder.path): holds no trial of a run")
            }
            do {
                for trial in files.trials {
                    let history = try files.history(of: trial)
                    for gap in history.gaps {
                        complain("firedrill: \(folder.path): \(gap); the CSV cannot tell")
                    }
                    for (name, bytes) in [
                        ("\(trial.stem).ops.csv", OperationsCSV.encode(history.streams)),
                        ("\(trial.stem).events.csv", EventsCSV.encode(history.events)),
                    ] {
                        try Files.write(bytes, to: "\(target)/\(name)")
                        print("\(target)/\(name)")
                    }
                }
            } catch let error as StoreError {
                throw Failure(code: .invalidFile, message: error.description)
            }
        }
    }
}

enum Runs {
    static func find(_ run: String) throws -> RunFolder {
        do {
            return try RunIndex().find(run)
        } catch {
            throw Failure(code: .usage, message: error.description)
        }
    }
}
