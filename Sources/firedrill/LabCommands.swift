import ArgumentParser
import DrillCore
import DrillScenario
import Glibc

/// Commands that hand over to firedrill-agent, which does what has to be done on this machine.
enum Agent {
    /// Replaces this process; returns only when that fails.
    static func exec(_ arguments: [String]) throws -> Never {
        let program = Files.beside("firedrill-agent")
        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        argv.append(nil)
        flushOutput()
        execv(program, argv)
        complain(
            "firedrill: \(program): \(String(cString: strerror(errno))); build all programs with `make build`"
        )
        throw DrillCore.ExitCode.capability.exit
    }
}

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says what this machine can do and what earlier runs left; only looks.")

    @Flag(help: "Tries every link fault in a scratch lab instead, and measures it (half a minute).")
    var prove = false

    func run() throws { try Agent.exec([prove ? "prove-links" : "doctor"]) }
}

struct Heal: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Removes what earlier runs and kept labs left on this machine, and nothing else.")

    @Argument(help: "A system file: only what its runs left, not all of ours on this machine.")
    var system: String?

    func run() throws {
        try Failure.reporting {
            if let system {
                let loaded = ScenarioLoader.loadSystem(
                    path: system,
                    options: .init(templatesRequired: false, environment: Files.environment),
                    readFile: Files.read)
                switch loaded {
                case .success(let system) where system.lab != .namespaces:
                    throw Failure(
                        code: .capability,
                        message: "\(system.lab.rawValue) labs cannot be healed by this version")
                case .success(let system):
                    // Its hosts are namespaces of this machine.
                    try Agent.exec(["heal", "--system", system.name])
                case .failure(let list):
                    complain(list.rendered)
                    throw DrillCore.ExitCode.invalidFile.exit
                }
            }
            try Agent.exec(["heal"])
        }
    }
}

struct Shell: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Opens a shell in a host of a lab kept with --keep-lab.")
    @Argument(help: "The host.") var host: String
    @Option(name: .customLong("run"), help: "The run, where several labs are kept.")
    var runID: String?
    @Argument(parsing: .postTerminator, help: "A program to run instead of the shell.")
    var command: [String] = []

    func run() throws {
        try Agent.exec(["shell", host] + (runID.map { ["--run", $0] } ?? []) + ["--"] + command)
    }
}

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures Firedrill's own speed beside its peers, in one run.")

    enum Part: String, ExpressibleByArgument, CaseIterable { case load, link, check }

    @Argument(
        help: "What to measure: load, link (the emulator and the cost of an injection), or check.")
    var part: Part = .load

    func run() throws {
        if part == .check { return CheckBench.run() }
        if part == .link { try Agent.exec(["bench-link"]) }
        let program = Files.beside("firedrill-load")
        var argv: [UnsafeMutablePointer<CChar>?] = [strdup(program), strdup("bench"), nil]
        execv(program, &argv)
        complain("firedrill: \(program): \(String(cString: strerror(errno)))")
        throw DrillCore.ExitCode.capability.exit
    }
}
