import DrillAnalysis
import DrillCore
import DrillSimulation
import DrillWorkload
import Synchronization
import TwinCore

/// Drills on several threads. Each takes a block of seeds after the other; sums do not depend on who took which.
struct SimulationRun {
    struct Result {
        var simulation = Simulation()
        /// Histories that the checker of registers saw, how many of them a register could show, and how many it did not
        /// decide within its limits.
        var registers = 0
        var linearizable = 0
        var undecided = 0

        mutating func checkRegisters(_ seeds: Range<UInt64>, every: UInt64) {
            var pair = SimulatedPair(traced: true)
            for seed in stride(from: seeds.lowerBound, to: seeds.upperBound, by: Int(every)) {
                pair.run(seed: seed)
                registers += 1
                switch ConsistencyFinding.find(RegisterHistory(pair.operations)).linearizable {
                case true?: linearizable += 1
                case false?:
                    // One that the drill's own checks found is found already.
                    guard pair.outcome.violation == nil else { break }
                    simulation.add([.init(seed: seed, violation: .notLinearizable)])
                case nil: undecided += 1
                }
            }
        }
    }

    static let block: UInt64 = 500

    private final class Shared: Sendable {
        let next: Atomic<UInt64>
        /// No drill from here on is needed: an earlier one is a counter-example.
        let end: Atomic<UInt64>
        let sum = Mutex(Simulation())

        init(_ seeds: Range<UInt64>) {
            next = Atomic(seeds.lowerBound)
            end = Atomic(seeds.upperBound)
        }
    }

    let seeds: Range<UInt64>
    let threads: Int
    let planted: PlantedBug?
    let stopsAtFind: Bool

    func run() throws -> Result {
        let shared = Shared(seeds)
        let work: @Sendable () -> Void = { [planted, stopsAtFind] in
            while true {
                let first = shared.next.add(Self.block, ordering: .relaxed).oldValue
                let end = shared.end.load(ordering: .relaxed)
                guard first < end else { return }
                let part = Simulation.run(
                    first..<min(first + Self.block, end), planted: planted,
                    stopsAtFind: stopsAtFind)
                if stopsAtFind, let find = part.finds.first {
                    _ = shared.end.min(find.seed, ordering: .relaxed)
                }
                shared.sum.withLock { $0.merge(part) }
            }
        }
        let others = try (1..<threads).map { _ in
            guard let thread = JoinableThread(work) else {
                throw Failure(code: .internalError, message: "no thread")
            }
            return thread
        }
        work()
        for thread in others { thread.join() }
        let sum = shared.sum.withLock { $0 }
        // What other threads did meanwhile depends on how fast they were: only what leads to the first find counts.
        if stopsAtFind, threads > 1, let find = sum.finds.first {
            return Result(
                simulation: .run(
                    seeds.lowerBound..<find.seed + 1, planted: planted, stopsAtFind: true))
        }
        return Result(simulation: sum)
    }
}

extension RegisterHistory {
    /// One register, whose value is the last record: reads of a simulated pair show that.
    init(_ operations: [SimulatedOperation]) {
        self.init()
        let key = key("log")
        for (process, operation) in operations.enumerated() {
            let value = value(
                operation.record == 0 ? nil : "\(operation.record) of epoch \(operation.epoch)")
            let action: RegisterOperation.Action
            switch operation.action {
            case .write: action = .write(value)
            case .read:
                if operation.answered == nil { continue }
                action = .read(value)
            }
            append(
                RegisterOperation(
                    process: process, key: key, action: action, invoked: operation.asked,
                    completed: operation.answered, host: SimulatedEvent.names[operation.node]))
        }
    }
}
