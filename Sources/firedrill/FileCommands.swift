import ArgumentParser
import DrillCore
import DrillFaults
import DrillScenario
import DrillWorkload
import FoundationEssentials
import Glibc

struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks scenario files; prints every mistake with its place.")

    @Argument(help: "Scenario files, or folders of them.") var paths: [String]
    @Option(help: "Use this system file instead of the scenario's.") var system: String?
    @Option(help: "Set a variable: name=value. May be repeated.") var set: [String] = []

    func run() throws {
        try Failure.reporting {
            let cells = try Loading.cells(
                paths, system: system, set: set, trials: nil, programsRequired: true)
            for cell in cells {
                for warning in cell.cell.warnings { complain(warning.rendered) }
                // A run here would end with 4; the file is no worse for it.
                for text in cell.cell.capabilities { complain("\(cell.path): \(text)") }
            }
            var seen: [String] = []
            for cell in cells where !seen.contains(cell.path) {
                seen.append(cell.path)
                let count = cells.filter { $0.path == cell.path }.count
                show("\(cell.path): valid" + (count > 1 ? ", \(count) cells" : ""))
            }
        }
    }
}

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Prints what a run would do, and does nothing.")

    @Argument(help: "A scenario file.") var scenario: String
    @Option(help: "Use this system file instead of the scenario's.") var system: String?
    @Option(help: "Set a variable: name=value. May be repeated.") var set: [String] = []
    @Option(help: "How many trials, instead of the scenario's number.") var trials: Int?

    func run() throws {
        try Failure.reporting {
            let cells = try Loading.cells(
                [scenario], system: system, set: set, trials: trials, programsRequired: false)
            for (index, cell) in cells.enumerated() {
                if index > 0 { print("") }
                show(RunPlan(cell.cell).rendered)
            }
        }
    }
}

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Prints the JSON Schema of scenario or system files.")

    enum Kind: String, ExpressibleByArgument, CaseIterable { case scenario, system }

    @Argument(help: "scenario or system") var kind: Kind

    func run() {
        switch kind {
        case .scenario: print(JSONSchema.scenario)
        case .system: print(JSONSchema.system)
        }
    }
}

struct FaultsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "faults", abstract: "Lists the faults, or says all about one.")
    @Argument(help: "A fault.") var name: String?
    @Flag(help: "The reference of all faults, docs/FAULTS.md.") var markdown = false
    func run() throws {
        try Listed.show({ markdown ? FaultReference.markdown() : Listing.faults($0) }, name)
    }
}

struct ClientsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clients", abstract: "Lists the clients, or says all about one.")
    @Argument(help: "A client.") var name: String?
    @Flag(help: "The reference of all clients, docs/CLIENTS.md.") var markdown = false
    func run() throws {
        try Listed.show(
            { markdown ? .success(ClientReference.markdown) : Listing.clients($0) }, name)
    }
}

struct MetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Lists the metrics, or says all about one.")
    @Argument(help: "A metric.") var name: String?
    func run() throws { try Listed.show(Listing.metrics, name) }
}

enum Listed {
    static func show(_ list: (String?) -> Result<String, DiagnosticList>, _ name: String?) throws {
        try Failure.reporting {
            switch list(name) {
            case .success(let text): print(text, terminator: "")
            case .failure(let problems):
                complain(problems.rendered)
                throw DrillCore.ExitCode.usage.exit
            }
        }
    }
}

struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes a commented starter scenario for a system.")

    @Argument(help: "The scenario's name; NAME.yaml is written beside the system file.")
    var name: String
    @Option(name: .customLong("from"), help: "The system file, or its folder.") var source: String

    func run() throws {
        try Failure.reporting {
            guard Starter.isName(name) else {
                throw Failure(
                    code: .usage,
                    message:
                        "'\(name)' is no scenario's name: a letter, then letters, digits, - and _, all small, and no metric's name"
                )
            }
            var isFolder = false
            _ = FileManager.default.fileExists(atPath: source, isDirectory: &isFolder)
            let path = isFolder ? "\(source)/system.yaml" : source
            let loaded = ScenarioLoader.loadSystem(
                path: path, options: .init(environment: Files.environment), readFile: Files.read)
            let system: System
            switch loaded {
            case .success(let found): system = found
            case .failure(let list):
                complain(list.rendered)
                throw DrillCore.ExitCode.invalidFile.exit
            }
            let file = path.split(separator: "/").last.map(String.init) ?? path
            let text = Starter.scenario(name: name, system: system, systemPath: file)
            let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            let target = (parts.isEmpty ? ["."] : parts).joined(separator: "/") + "/\(name).yaml"
            guard !FileManager.default.fileExists(atPath: target) else {
                throw Failure(
                    code: .usage, message: "\(target): exists already; choose another name")
            }
            try Files.write(Array(text.utf8), to: target)
            print("\(target)\nnext: firedrill plan \(target)")
        }
    }
}
