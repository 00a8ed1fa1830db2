internal import DrillCore

/// Histories of a register that works, for tests and benchmarks: each operation takes effect at a random instant
/// between its call and its answer.
package struct RegisterSimulation: Hashable, Sendable {
    package var clients: Int
    package var operationsEach: Int
    /// How many values there are; 0: each is written once.
    package var values: Int
    /// How many in a hundred writes get no answer; half of them take effect.
    package var unansweredPercent: Int

    package init(clients: Int, operationsEach: Int, values: Int = 0, unansweredPercent: Int = 0) {
        self.clients = clients
        self.operationsEach = operationsEach
        self.values = values
        self.unansweredPercent = unansweredPercent
    }

    package func history(seed: UInt64) -> [RegisterOperation] {
        var random = SeededGenerator(seed: seed)
        let below = { (limit: UInt64) in random.next() % limit }
        var calls: [(process: Int, from: Int64, effect: Int64, to: Int64)] = []
        for process in 0..<clients {
            var now = Int64(below(1000))
            for _ in 0..<operationsEach {
                let length = Int64(below(1000)) + 1
                let effect = now + Int64(below(UInt64(length + 1)))
                calls.append((process, now, effect, now + length))
                now += length + Int64(below(300)) + 1
            }
        }
        calls.sort { $0.effect < $1.effect }
        var value = RegisterHistory.absent
        var operations: [RegisterOperation] = []
        for (index, call) in calls.enumerated() {
            let isUnanswered = below(100) < UInt64(unansweredPercent)
            let takesEffect = !isUnanswered || below(2) == 0
            let new = values == 0 ? Int32(index) : Int32(below(UInt64(values)))
            let action: RegisterOperation.Action
            switch below(3) {
            case 0: action = .read(value)
            case 1: action = .write(new)
            default: action = .compareAndSet(value, new)
            }
            if case .read = action {
                if isUnanswered { continue }
            } else if takesEffect {
                value = new
            }
            operations.append(
                RegisterOperation(
                    process: call.process, key: 0, action: action, invoked: call.from,
                    completed: isUnanswered ? nil : call.to))
        }
        return operations
    }
}
