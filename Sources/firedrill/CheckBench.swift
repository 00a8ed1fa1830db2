import DrillAnalysis
import DrillCore

/// `firedrill bench check`: what the checker does in a second.
enum CheckBench {
    static func run() {
        print("histories of a register that works, three kinds of operations; median of 21")
        for (clients, each, values) in [
            (5, 100, 0), (5, 100, 5), (10, 1_000, 0), (10, 1_000, 5), (50, 200, 0),
        ] {
            let kind = RegisterSimulation(clients: clients, operationsEach: each, values: values)
            var times: [Duration] = []
            var decided = 0
            for seed in 1...21 as ClosedRange<UInt64> {
                let history = kind.history(seed: seed)
                let start = RunInstant.now
                if LinearizabilityChecker.check(history) == .linearizable { decided += 1 }
                times.append(RunInstant.now - start)
            }
            times.sort()
            let median = Double(times[times.count / 2].nanoseconds) / 1e3
            let rate = Int(Double(clients * each) / median * 1e6)
            let of = values == 0 ? "each value once" : "\(values) values"
            print(
                "\(clients) clients × \(each), \(of): \(Int(median)) µs, \(rate) operations/s, \(decided) of 21 decided"
            )
        }
    }
}
