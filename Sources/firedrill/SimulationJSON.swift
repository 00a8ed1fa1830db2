import DrillCore
import DrillSimulation
import FoundationEssentials
import TwinCore

/// What `firedrill simulate --json` prints.
enum SimulationJSON {
    private struct Find: Encodable {
        var seed: UInt64
        var violation: String
    }

    private struct Run: Encodable {
        var schema = "firedrill/simulation/v1"
        var evidence = "model"
        var first_seed: UInt64
        var planted: String?
        var drills: Int
        var drills_per_s: Double
        var events: Int
        var cpu_s: Double
        var simulated_s: Double
        var faults: Int
        var promotions: Int
        var acknowledged: Int64
        var bounded_drills: Int
        var longest_unserved_ms: Double
        var longest_unanswered_ms: Double
        var longest_recovery_ms: Double
        var registers_checked: Int
        var registers_linearizable: Int
        var registers_undecided: Int
        var digest: String
        var counter_examples: [Find]
    }

    private struct Hunt: Encodable {
        struct Row: Encodable {
            var planted: String
            var summary: String
            /// Nil: not found.
            var found_after_drills: UInt64?
            var seed: UInt64?
            var violation: String?
        }
        var schema = "firedrill/planted/v1"
        var evidence = "model"
        var first_seed: UInt64
        var at_most_drills: Int
        var planted: [Row]
    }

    static func text(
        _ result: SimulationRun.Result, first: UInt64, planted: PlantedBug?, cpu: Duration
    ) -> String {
        let simulation = result.simulation
        let seconds = Double(cpu.nanoseconds) / 1e9
        func ms(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 1e6 }
        return encode(
            Run(
                first_seed: first, planted: planted?.name, drills: simulation.drills,
                drills_per_s: (Double(simulation.drills) / seconds).rounded(),
                events: simulation.events, cpu_s: seconds,
                simulated_s: Double(simulation.simulated) / 1e9, faults: simulation.faults,
                promotions: simulation.promotions, acknowledged: simulation.acknowledged,
                bounded_drills: simulation.bounded, longest_unserved_ms: ms(simulation.longestGap),
                longest_unanswered_ms: ms(simulation.longestWait),
                longest_recovery_ms: ms(simulation.longestRecovery),
                registers_checked: result.registers, registers_linearizable: result.linearizable,
                registers_undecided: result.undecided,
                digest: String(simulation.digest, radix: 16),
                counter_examples: simulation.finds.map {
                    Find(seed: $0.seed, violation: $0.violation.name)
                }))
    }

    static func text(_ rows: [(PlantedBug, Simulation.Find?)], first: UInt64, drills: Int) -> String
    {
        encode(
            Hunt(
                first_seed: first, at_most_drills: drills,
                planted: rows.map { bug, find in
                    Hunt.Row(
                        planted: bug.name, summary: bug.summary,
                        found_after_drills: find.map { $0.seed - first + 1 }, seed: find?.seed,
                        violation: find?.violation.name)
                }))
    }

    static func encode(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            // Integers, finite numbers and texts: nothing that cannot be encoded.
            preconditionFailure("\(error)")
        }
    }
}
