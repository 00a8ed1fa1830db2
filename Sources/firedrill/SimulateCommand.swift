import ArgumentParser
import DrillCore
import DrillSimulation
import FoundationEssentials
import Glibc
import TwinCore

/// `firedrill simulate`: drills of the reference pair in simulated time.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Simulates drills of the reference pair, many thousands a second.",
        discussion: """
            Runs the machines of twin, a pair with a witness that acknowledges a write when both have it, in simulated
            time: crashes and power losses between any two steps, pauses, clocks up to 4 % fast or slow, cuts in one
            direction or both, a cut or broken replication, lost, late, reordered and doubled messages, switchovers, and
            up to four of these at once. A drill is 500 ms or more of simulated time, 20 writes that a primary took, a read
            before and after each, and at least one fault that took effect. All of it follows from the drill's seed.

            Checks: never two nodes that serve; no acknowledged write lost; reads linearizable (and every 1000th
            drill's history by the checker of `firedrill check`); after one fault on a sound network somebody serves within
            46.75 ms and a write is answered within 116.5 ms; at most 1 s after the last fault all writes are answered and
            there is a primary with its standby in sync.

            This is evidence about a model. It says nothing about sockets, kernels and disks: `firedrill run` does.

            Exit codes: 0 no counter-example; 1 a counter-example (with --planted: a mistake that was not found; with
            --trace: the drill is a counter-example, also to a planted mistake); 2 none, but the checker of registers did not
            decide every history that it was given; 64 wrong usage.
            """)

    @Option(help: "How many drills; with --planted, at most so many for each mistake.")
    var drills: Int = 100_000
    @Option(help: "The seed of the first drill; the next one has the next seed.") var seed: UInt64 =
        0
    @Option(help: "On how many threads; the result is the same.") var threads: Int = 1
    @Option(help: "Plants a mistake that is to be found, by name; all: each in turn.")
    var planted: String?
    @Flag(help: "Print what happens in the first drill, event by event, and make no other.")
    var trace =
        false
    @Flag(help: "Print the result as JSON.") var json = false
    @Option(help: "Write the first counter-example, or the traced drill, into this folder.")
    var out: String?

    func validate() throws {
        guard (1...1_000_000_000).contains(drills) else {
            throw ValidationError("--drills is 1 to 1000000000, not \(drills)")
        }
        guard (1...256).contains(threads) else {
            throw ValidationError("--threads is 1 to 256, not \(threads)")
        }
        // Threads look for their next block behind the last one.
        let most = UInt64(drills) + UInt64(threads + 1) * SimulationRun.block
        guard seed <= UInt64.max - most else {
            throw ValidationError("--seed and --drills together are beyond 64 bits")
        }
        guard trace == false || planted != "all" else {
            throw ValidationError("--trace shows one drill: name one mistake, not all")
        }
        guard out == nil || planted != "all" else {
            throw ValidationError("--out writes one drill: name one mistake, not all")
        }
        guard planted == nil || planted == "all" || bug != nil else {
            let names = PlantedBug.allCases.map(\.name).joined(separator: ", ")
            throw ValidationError("--planted \(planted ?? ""): all, or one of \(names)")
        }
    }

    private var bug: PlantedBug? { PlantedBug.allCases.first { $0.name == planted } }

    func run() throws {
        try Failure.reporting {
            try prepareFolder()
            if planted == "all" { return try huntAll() }
            if trace { return try traceOne() }
            let start = Self.cpuTime
            var result = try SimulationRun(
                seeds: seed..<seed + UInt64(drills), threads: threads, planted: bug,
                stopsAtFind: bug != nil
            ).run()
            let spent = Self.cpuTime - start
            if bug == nil { result.checkRegisters(seed..<seed + UInt64(drills), every: 1000) }
            if json {
                show(SimulationJSON.text(result, first: seed, planted: bug, cpu: spent))
            } else {
                tell(result, spent)
            }
            if let find = result.simulation.finds.first { try write(find.seed) }
            flushOutput()
            let isFound = !result.simulation.finds.isEmpty
            if isFound != (bug != nil) { throw DrillCore.ExitCode.fail.exit }
            if result.undecided > 0 { throw DrillCore.ExitCode.inconclusive.exit }
        }
    }

    /// Of all threads.
    private static var cpuTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .nanoseconds(Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    private func tell(_ result: SimulationRun.Result, _ spent: Duration) {
        let simulation = result.simulation
        let seconds = Double(spent.nanoseconds) / 1e9
        let count = Double(simulation.drills)
        let ms = TracedDrill.milliseconds
        show("model evidence: the pair's machines in simulated time, no real system")
        if let bug { show("planted \(bug.name): \(bug.summary)") }
        show(
            "\(simulation.drills) drills, seeds \(seed) to \(seed + UInt64(simulation.drills) - 1)  "
                + "\(Int(count / seconds)) drills/s on one core  "
                + "\(Int(Double(simulation.events) / count)) events a drill  "
                + "\(Int(seconds * 1e9 / Double(simulation.events))) ns an event")
        show(
            "\(ms(simulation.simulated / Int64(simulation.drills))) a drill  \(simulation.faults) faults  "
                + "\(simulation.promotions) promotions  \(simulation.acknowledged) acknowledged writes"
        )
        show(
            "after one fault (\(simulation.bounded) drills): nobody served for at most "
                + "\(ms(simulation.longestGap)) of \(ms(DrillBounds.unserved)), a write waited at most "
                + "\(ms(simulation.longestWait)) of \(ms(DrillBounds.unanswered))")
        show(
            "whole again at most \(ms(simulation.longestRecovery)) after the last fault, of \(ms(DrillBounds.recovery))"
        )
        if bug == nil {
            show(
                "registers of \(result.registers) drills: \(result.linearizable) linearizable"
                    + (result.undecided > 0 ? ", \(result.undecided) NOT KNOWN" : ""))
        }
        show("digest \(String(simulation.digest, radix: 16))")
        if simulation.finds.isEmpty { return show("no counter-example") }
        for find in simulation.finds {
            show("COUNTER-EXAMPLE  seed \(find.seed): \(find.violation.summary)")
        }
        show("replay: \(replay(simulation.finds[0].seed))")
    }

    private func replay(_ seed: UInt64) -> String {
        "firedrill simulate --seed \(seed) --drills 1 --trace"
            + (bug.map { " --planted \($0.name)" } ?? "")
    }

    // MARK: - One drill

    private func traceOne() throws {
        let drill = TracedDrill(seed: seed, planted: bug)
        show(json ? drill.json(replay(seed)) : drill.text)
        try write(seed)
        flushOutput()
        if drill.violation != nil { throw DrillCore.ExitCode.fail.exit }
        if !drill.isDecided { throw DrillCore.ExitCode.inconclusive.exit }
    }

    /// Before the drills, which may take an hour.
    private func prepareFolder() throws {
        guard let out else { return }
        do {
            try FileManager.default.createDirectory(
                atPath: out, withIntermediateDirectories: true)
        } catch {
            throw Failure(code: .usage, message: "\(out): cannot be made")
        }
        guard access(out, W_OK | X_OK) == 0 else {
            throw Failure(code: .usage, message: "\(out): cannot be written to")
        }
    }

    private func write(_ seed: UInt64) throws {
        guard let out else { return }
        let drill = TracedDrill(seed: seed, planted: bug)
        try drill.write(to: out, replay: replay(seed))
        complain("\(out)/drill-\(seed).html")
    }

    // MARK: - Planted mistakes

    private func huntAll() throws {
        var missed = 0
        var rows: [(PlantedBug, Simulation.Find?)] = []
        if !json {
            show(
                "model evidence: mistakes planted into the pair's machines, found after so many drills"
            )
        }
        for bug in PlantedBug.allCases {
            let result = try SimulationRun(
                seeds: seed..<seed + UInt64(drills), threads: threads, planted: bug,
                stopsAtFind: true
            ).run()
            let find = result.simulation.finds.first
            rows.append((bug, find))
            if find == nil { missed += 1 }
            guard !json else { continue }
            let after = find.map { "\($0.seed - seed + 1)" } ?? "-"
            let name = bug.name + String(repeating: " ", count: max(1, 30 - bug.name.count))
            show(
                name + String(repeating: " ", count: max(0, 7 - after.count)) + after + "  "
                    + (find?.violation.name ?? "NOT FOUND in \(drills)"))
            flushOutput()
        }
        if json {
            show(SimulationJSON.text(rows, first: seed, drills: drills))
        } else {
            show("\(rows.count - missed) of \(rows.count) found")
        }
        flushOutput()
        if missed > 0 { throw DrillCore.ExitCode.fail.exit }
    }
}
