import DrillCore
import DrillScenario
import Glibc

/// A cell and the file that it came from.
struct LoadedCell {
    let path: String
    let cell: ScenarioCell
}

enum Loading {
    /// All cells of all files, or every diagnostic of all of them and exit 3.
    static func cells(
        _ paths: [String], system: String?, set: [String], trials: Int?, programsRequired: Bool
    ) throws -> [LoadedCell] {
        if let trials, !(1...10_000).contains(trials) {
            throw Failure(code: .usage, message: "--trials must be from 1 to 10000, not \(trials)")
        }
        var values: [String: String] = [:]
        for assignment in set {
            let parts = assignment.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw Failure(code: .usage, message: "--set wants name=value, not '\(assignment)'")
            }
            values[String(parts[0])] = String(parts[1])
        }
        var cells: [LoadedCell] = []
        var problems: [DiagnosticList] = []
        for path in try Files.scenarios(paths) {
            let loaded = ScenarioLoader.load(
                path: path, system: system, set: values, trials: trials,
                options: .init(
                    programExists: programsRequired ? { Files.programExists($0) } : { _ in true },
                    environment: Files.environment),
                readFile: Files.read)
            switch loaded {
            case .success(let found): cells += found.map { LoadedCell(path: path, cell: $0) }
            case .failure(let list): problems.append(list)
            }
        }
        guard problems.isEmpty else {
            for list in problems { complain(list.rendered) }
            throw DrillCore.ExitCode.invalidFile.exit
        }
        return cells
    }
}

/// What is missing of our own programs; each a sentence with the remedy. What the machine lacks, the lab's supervisor
/// says before it builds anything.
enum Capabilities {
    static func missing() -> [String] {
        var missing: [String] = []
        for program in ["firedrill-agent", "firedrill-load"]
        where access(Files.beside(program), X_OK) != 0 {
            missing.append(
                "\(Files.beside(program)) is missing; build all programs with `make build`")
        }
        return missing
    }
}
