import ArgumentParser

@main
struct Firedrill: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "firedrill",
        abstract: "Failover drills for two-host high-availability systems.",
        discussion: """
            Breaks an active/standby pair for real, measures from the client's side how long the service was
            gone, puts everything back, and writes a report that a pipeline can gate on.

            Exit codes: 0 pass; 1 the system failed; 2 inconclusive; 3 a file is invalid; 4 a capability is
            missing; 5 restore failed; 64 wrong usage; 70 our own bug; 130/143 interrupted and restored.
            """,
        version: Version.text,
        subcommands: [
            Run.self, Init.self, Validate.self, PlanCommand.self, SchemaCommand.self,
            FaultsCommand.self, ClientsCommand.self, MetricsCommand.self, Doctor.self, Heal.self,
            Calibrate.self,
            Shell.self, ReportCommand.self, Export.self, CheckCommand.self,
            SimulateCommand.self, Bench.self,
        ])

    static func main() {
        openStandardDescriptors()
        main(nil)
    }
}

enum Version {
    static let text = "0.1.0"
}
