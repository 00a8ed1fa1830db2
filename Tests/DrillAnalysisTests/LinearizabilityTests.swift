import DrillAnalysis
import DrillCore
import Testing

/// Tries every order; for histories of a handful of operations.
private func hasLegalOrder(
    _ operations: [RegisterOperation], from initial: Int32 = RegisterHistory.absent
) -> Bool {
    var used = Array(repeating: false, count: operations.count)
    func search(_ value: Int32) -> Bool {
        if operations.indices.allSatisfy({ used[$0] || operations[$0].completed == nil }) {
            return true
        }
        for index in operations.indices where !used[index] {
            let operation = operations[index]
            let mustWait = operations.indices.contains { other in
                !used[other] && other != index
                    && (operations[other].completed ?? .max) < operation.invoked
            }
            if mustWait { continue }
            var next = value
            switch operation.action {
            case .read(let seen): if seen != value { continue }
            case .write(let new): next = new
            case .compareAndSet(let old, let new):
                if old != value { continue }
                next = new
            }
            used[index] = true
            if search(next) { return true }
            used[index] = false
        }
        return false
    }
    return search(initial)
}

@Suite struct LinearizabilityTests {
    @Test(arguments: [
        (
            RegisterSimulation(clients: 3, operationsEach: 2, values: 3, unansweredPercent: 20),
            100_000
        ),
        // Several equal writes that nobody answered.
        (
            RegisterSimulation(clients: 5, operationsEach: 1, values: 1, unansweredPercent: 60),
            20_000
        ),
        (
            RegisterSimulation(clients: 3, operationsEach: 2, values: 2, unansweredPercent: 50),
            20_000
        ),
    ])
    func `it agrees with trying every order of small histories`(
        kind: RegisterSimulation, count: Int
    ) {
        var random = SeededGenerator(seed: 41)
        var violated = 0
        for seed in 0..<UInt64(count) {
            var history = kind.history(seed: seed)
            for _ in 0..<(random.next() % 3) where !history.isEmpty {
                let index = Int(random.next() % UInt64(history.count))
                let wrong = Int32(random.next() % 4) - 1
                switch history[index].action {
                case .read: history[index].action = .read(wrong)
                case .compareAndSet(_, let new):
                    history[index].action = .compareAndSet(wrong, new)
                case .write: break
                }
            }
            let expected = hasLegalOrder(history)
            if !expected { violated += 1 }
            let answer = LinearizabilityChecker.check(history)
            #expect(
                answer == (expected ? .linearizable : .violated), "seed \(seed): \(history)")
            guard answer == (expected ? .linearizable : .violated) else { return }
            if !expected {
                let window = OffendingWindow.shortest(history)
                let starts: ClosedRange<Int32> = window.isForAnyStart ? -1...3 : -1 ... -1
                let isRefuted = starts.allSatisfy { !hasLegalOrder(window.operations, from: $0) }
                #expect(!window.operations.isEmpty && isRefuted, "seed \(seed): \(window)")
                #expect(Set(window.operations).isSubset(of: history))
            }
        }
        // Both answers must have been asked for.
        #expect(violated > count / 20 && violated < count * 19 / 20)
    }

    @Test(arguments: [(5, 100, 0), (5, 100, 5), (10, 400, 0), (50, 40, 0)])
    func `a register that works is linearizable, one whose read is moved is not`(
        clients: Int, each: Int, values: Int
    ) {
        for seed in 1...5 as ClosedRange<UInt64> {
            let kind = RegisterSimulation(clients: clients, operationsEach: each, values: values)
            var history = kind.history(seed: seed)
            #expect(LinearizabilityChecker.check(history) == .linearizable)
            // A value that nobody ever wrote.
            let index = history.lastIndex { if case .read = $0.action { true } else { false } }
            history[index!].action = .read(1_000_000)
            #expect(LinearizabilityChecker.check(history) == .violated)
        }
    }

    @Test func `an unfinished search is unknown and never a pass`() {
        let kind = RegisterSimulation(clients: 10, operationsEach: 200, values: 5)
        let history = kind.history(seed: 1)
        let few = LinearizabilityChecker.Limits(steps: 100)
        #expect(LinearizabilityChecker.check(history, limits: few) == .unknown(.steps))
        let small = LinearizabilityChecker.Limits(bytes: 1)
        #expect(LinearizabilityChecker.check(history, limits: small) == .unknown(.bytes))
        var register = RegisterHistory()
        _ = register.key("x")
        for operation in history { register.append(operation) }
        let finding = ConsistencyFinding.find(register, limits: few)
        #expect(finding.linearizable == nil)
        #expect(finding.reason == "the search ended after 100 steps")
        // A stale read is proof enough, whether the search ends or not.
        let end = history.compactMap(\.completed).max() ?? 0
        let later: [RegisterOperation.Action] = [.write(800_001), .write(800_002), .read(800_001)]
        for (index, action) in later.enumerated() {
            let at = end + Int64(index) * 10
            register.append(
                RegisterOperation(
                    process: 99, key: 0, action: action, invoked: at + 1, completed: at + 2))
        }
        let stale = ConsistencyFinding.find(register, limits: few)
        #expect(stale.staleReads == 1)
        #expect(stale.linearizable == false && stale.reason == nil)
    }

    @Test(arguments: [
        // Two histories that differ in one line: ok, and bad.
        ("w1 w1. r1 r1.", true), ("w1 w1. r- r-.", false),
        ("w1 r- w1. r-.", true), ("w1 r1 w1. r1.", true),
        // Read 2, then 1, with both writes concurrent to the first read only.
        ("w1 w1. w2 r2 r2. r1 r1. w2.", false), ("w1 w1. w2 r1 r1. r2 r2. w2.", true),
        ("w1 w1. c1,2 c1,2. r2 r2.", true), ("w1 w1. c3,2 c3,2.", false),
        // Nobody knows whether it was written: both are legal, and once seen it stays.
        ("w1 w1. w2 r1 r1.", true), ("w1 w1. w2 r2 r2.", true),
        ("w1 w1. w2 r2 r2. r1 r1.", false),
    ])
    func `small histories are judged as by hand`(text: String, isLinearizable: Bool) {
        let history = Self.history(text)
        #expect(
            LinearizabilityChecker.check(history) == (isLinearizable ? .linearizable : .violated))
        #expect(hasLegalOrder(history) == isLinearizable)
    }

    /// `w1` begins, `w1.` ends; each word is an instant; `-` is the absent value.
    private static func history(_ text: String) -> [RegisterOperation] {
        let words = text.split(separator: " ").map(String.init)
        func value(_ text: Substring) -> Int32 { text == "-" ? -1 : Int32(text) ?? 0 }
        return words.enumerated().compactMap { index, word in
            guard !word.hasSuffix(".") else { return nil }
            let parts = word.dropFirst().split(separator: ",")
            let action: RegisterOperation.Action =
                switch word.first {
                case "w": .write(value(parts[0]))
                case "r": .read(value(parts[0]))
                default: .compareAndSet(value(parts[0]), value(parts[1]))
                }
            return RegisterOperation(
                process: index, key: 0, action: action, invoked: Int64(index),
                completed: words.firstIndex(of: word + ".").map(Int64.init))
        }
    }

    @Test func `stale reads and lost updates are counted, and only those that are certain`() {
        let stale = Self.history("w1 w1. w2 w2. r1 r1.")
        #expect(StaleReads.count(stale) == 1)
        #expect(StaleReads.count(Self.history("w1 w1. w2 r1 w2. r1.")) == 0)
        #expect(StaleReads.count(Self.history("w1 w1. r- r-.")) == 1)
        #expect(LostUpdates.count(Self.history("w1 w1. c1,2 c1,3 c1,2. c1,3.")) == 1)
        #expect(LostUpdates.count(Self.history("w1 w1. c1,2 c2,3 c1,2. c2,3.")) == 0)
        let early = Self.history("w1 w1. r5 r5.")
        #expect(StaleReads.count(early) == 0 && StaleReads.count(early, from: 5) == 1)
    }

    @Test func `the window is the shortest one`() {
        // A stale read among 200 good operations of one client.
        var operations: [RegisterOperation] = []
        for index in 0..<100 as Range<Int64> {
            operations.append(
                RegisterOperation(
                    process: 0, key: 0, action: .write(Int32(index)), invoked: index * 10,
                    completed: index * 10 + 2))
            let seen = index == 50 ? 48 : index
            operations.append(
                RegisterOperation(
                    process: 1, key: 0, action: .read(Int32(seen)), invoked: index * 10 + 4,
                    completed: index * 10 + 6))
        }
        let window = OffendingWindow.shortest(operations)
        #expect(window.operations.map(\.action) == [.write(50), .read(48)])
        #expect(window.isForAnyStart)
    }

    @Test(arguments: ["w1 w1. w- w-. r- r-.", "c-,1 c-,1. w- w-. c-,2 c-,2."])
    func `the first value may be written again`(text: String) {
        let history = Self.history(text)
        #expect(StaleReads.count(history) == 0 && LostUpdates.count(history) == 0)
        #expect(LinearizabilityChecker.check(history) == .linearizable)
        let unfinished = ConsistencyFinding.find(
            Self.register([history]), limits: LinearizabilityChecker.Limits(steps: 1))
        #expect(unfinished.linearizable == nil)
    }

    @Test func `a window says whether it hangs on the first value`() {
        let zero = Self.history("r0 r0. w1 w1.")
        let window = OffendingWindow.shortest(zero)
        #expect(!window.isForAnyStart && window.operations.map(\.action) == [.read(0)])
        var register = Self.register([zero])
        #expect(ConsistencyFinding.find(register).linearizable == false)
        register.initial = 0
        #expect(ConsistencyFinding.find(register).linearizable == true)
        let stale = Self.register([Self.history("r0 r0. w1 w1. r2 r2.")], from: 0)
        let found = ConsistencyFinding.find(stale)
        #expect(found.linearizable == false && found.window?.isForAnyStart == true)
    }

    @Test func `a write that is answered after the window is not one that nobody answered`() {
        let history = Self.history("w1 w1. w2 r2 r2. r1 r1. w2.")
        let window = OffendingWindow.shortest(history)
        #expect(window.operations.first { $0.action == .write(2) }?.completed == 7)
    }

    @Test func `of a long window the begin, the end and the contradiction are listed`() {
        let operations = (0..<100 as Range<Int64>).map { index in
            RegisterOperation(
                process: 0, key: 0, action: .write(Int32(index)), invoked: index * 2,
                completed: index == 50 ? 500 : index * 2 + 1)
        }
        func listed(_ end: Int64) -> [Int64] {
            OffendingWindow(operations: operations, isForAnyStart: true, end: end).listed(40)
                .map { $0.invoked / 2 }
        }
        #expect(listed(199) == Array(0..<10) + Array(70..<100))
        #expect(listed(500) == Array(0..<9) + [50] + Array(70..<100))
    }

    /// One key for each history.
    private static func register(
        _ histories: [[RegisterOperation]], from initial: Int32 = RegisterHistory.absent
    ) -> RegisterHistory {
        var register = RegisterHistory()
        register.initial = initial
        for (index, history) in histories.enumerated() {
            let key = register.key("\(index)")
            for var operation in history {
                operation.key = key
                register.append(operation)
            }
        }
        return register
    }

    @Test func `a key that is hard does not keep the search from the others`() {
        let kind = RegisterSimulation(clients: 10, operationsEach: 200, values: 5)
        let hard = kind.history(seed: 1)
        let few = LinearizabilityChecker.Limits(steps: 100)
        let both = Self.register([hard, Self.history("w1 w1. r2 r2.")])
        let found = ConsistencyFinding.find(both, limits: few)
        #expect(found.linearizable == false && found.window?.operations.first?.key == 1)
        let unknown = ConsistencyFinding.find(
            Self.register([hard, hard, Self.history("w1 w1.")]), limits: few)
        #expect(unknown.linearizable == nil)
        #expect(unknown.reason == "the search ended after 100 steps")
    }

    @Test func `the window is narrowed with the steps that are left`() {
        let kind = RegisterSimulation(clients: 10, operationsEach: 200, values: 5)
        var history = kind.history(seed: 1)
        let index = history.lastIndex { if case .read = $0.action { true } else { false } }
        history[index!].action = .read(1_000_000)
        var most = 0
        let shortest = OffendingWindow.shortest(
            history, from: RegisterHistory.absent, limits: LinearizabilityChecker.Limits(),
            spent: &most)
        for steps in [0, most / 10, most / 2] {
            var spent = 0
            let window = OffendingWindow.shortest(
                history, from: RegisterHistory.absent,
                limits: LinearizabilityChecker.Limits(steps: steps), spent: &spent)
            #expect(spent <= steps)
            #expect(LinearizabilityChecker.check(window.operations) == .violated)
            #expect(window.operations.count >= shortest.operations.count)
        }
    }

    @Test func `reads that nothing is in the way of are no steps`() {
        var history = Self.history("w1 w1.")
        for index in 1...50 as ClosedRange<Int64> {
            history.append(
                RegisterOperation(
                    process: 0, key: 0, action: .read(1), invoked: index * 10,
                    completed: index * 10 + 1))
        }
        var spent = 0
        let answer = LinearizabilityChecker.check(
            history, from: .value(RegisterHistory.absent), limits: LinearizabilityChecker.Limits(),
            spent: &spent)
        #expect(answer == .linearizable && spent == 1)
    }

    @Test func `equal writes that nobody answered are tried in one order`() {
        // Each read of 1 takes one of twenty: which one does not matter.
        var history: [RegisterOperation] = []
        func add(_ action: RegisterOperation.Action, answered: Bool = true) {
            let at = Int64(history.count) * 10
            history.append(
                RegisterOperation(
                    process: history.count, key: 0, action: action, invoked: at,
                    completed: answered ? at + 1 : nil))
        }
        for _ in 0..<20 { add(.write(1), answered: false) }
        for round in 0..<10 as Range<Int32> {
            add(.write(round + 2))
            add(.read(1))
        }
        add(.read(99))
        let few = LinearizabilityChecker.Limits(steps: 10_000)
        #expect(LinearizabilityChecker.check(history, limits: few) == .violated)
    }
}
