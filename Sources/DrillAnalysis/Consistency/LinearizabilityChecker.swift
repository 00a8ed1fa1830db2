internal import DrillCore

/// Is there an order of one register's operations that respects real time and that a single register could show?
///
/// Wing and Gong's search (1993) with Lowe's cache (Testing for linearizability, 2017, section 4): operations are
/// tried in the order of their calls; a set of linearized operations together with the value it leads to is
/// never searched twice. Ties count as concurrent: an answer at the instant of a call is not before it.
///
/// Four things that hold for a register keep the search short:
/// - A read that fits the present value is put in at once: it changes nothing, and earlier it only constrains less.
/// - Of writes whose values nobody sees, the first that can comes before every other write: right before one it does no
///   harm, and after itself it allows nothing but writes.
/// - A value that somebody must still see, and that nobody will write again, is not left.
/// - Of operations that do the same and that nobody answered, the one that was called first comes first: it may be wherever
///   the others may.
package struct LinearizabilityChecker {
    package enum Answer: Hashable, Sendable {
        case linearizable
        case violated
        /// A limit ended the search: neither is known.
        case unknown(Limit)
    }

    package enum Limit: Hashable, Sendable { case steps, bytes }

    package struct Limits: Hashable, Sendable {
        /// Operations tried; the same limit gives the same answer on every machine.
        package var steps: Int
        /// Of the cache.
        package var bytes: Int
        package init(steps: Int = 50_000_000, bytes: Int = 512 << 20) {
            self.steps = steps
            self.bytes = bytes
        }

        /// `50000000 steps`
        package func spelled(_ limit: Limit) -> String {
            switch limit {
            case .steps: "\(steps) steps"
            case .bytes: "\(bytes >> 20) MiB of cache"
            }
        }
    }

    /// What a register holds before the first operation.
    package enum Start: Hashable, Sendable {
        case value(Int32)
        /// Whatever fits: for a window out of a longer history.
        case any
    }

    /// - Parameter operations: of one key, in any order.
    /// - Complexity: linear where few operations are concurrent; exponential in their number at worst.
    package static func check(
        _ operations: [RegisterOperation], from start: Start = .value(RegisterHistory.absent),
        limits: Limits = Limits()
    ) -> Answer {
        var spent = 0
        return check(operations, from: start, limits: limits, spent: &spent)
    }

    /// - Parameter spent: counts the operations that were tried.
    package static func check(
        _ operations: [RegisterOperation], from start: Start, limits: Limits, spent: inout Int
    ) -> Answer {
        var search = Search(relevant(operations), start)
        defer { spent += search.steps }
        return search.run(limits)
    }

    /// An undecided write whose value nobody saw is left out: not to take effect is always among its possibilities,
    /// and to take effect helps nobody.
    static func relevant(_ operations: [RegisterOperation]) -> [RegisterOperation] {
        guard operations.contains(where: { $0.completed == nil }) else { return operations }
        // What an undecided compare-and-set expects was seen only if that took effect, and so on: until nothing changes.
        var kept = operations
        while true {
            var seen: Set<Int32> = []
            for operation in kept {
                switch operation.action {
                case .read(let value): seen.insert(value)
                case .compareAndSet(let expected, _): seen.insert(expected)
                case .write: break
                }
            }
            let fewer = kept.filter { operation in
                guard operation.completed == nil else { return true }
                switch operation.action {
                case .read: return false
                case .write(let value), .compareAndSet(_, let value): return seen.contains(value)
                }
            }
            if fewer.count == kept.count { return fewer }
            kept = fewer
        }
    }
}

/// A value that no register holds: anything may be read first.
private let anything = Int32.min

private struct Search {
    /// Calls and returns in the order of time, as a doubly linked list; 0 is its head and 1… are its entries.
    private var next: [Int32]
    private var previous: [Int32]
    /// Of a call: the entry of its return, or 0 where it has none. Of a return: -1.
    private var match: [Int32]
    /// The operation of each entry.
    private var number: [Int32]
    /// By operation: what it sees, `anything` for a write; what it leaves; whether its answer came.
    private var expects: [Int32] = []
    private var leaves: [Int32] = []
    private var isKnown: [Bool] = []
    /// By operation: the one before it that does the same, where nobody knows the end of either; -1 without one.
    private var twin: [Int] = []
    /// By value + 1: the operations that are not in the order yet and must see it, and those that may write it.
    private var observers: [Int32]
    private var sources: [Int32]
    /// By value + 1: nobody ever sees it.
    private var isUnseen: [Bool]
    private var marks: [UInt64]
    /// Operations that are in the order so far.
    private var done: LinearizedSet
    private var stack: [Taken] = []
    private var value: Int32
    private var hash: UInt64 = 0
    private var returnsLeft: Int
    private(set) var steps = 0

    /// One operation put into the order, with what was before it.
    private struct Taken {
        var entry: Int32
        var value: Int32
        /// There was nothing to choose.
        var isForced: Bool
        /// A write that nobody sees was among those tried before it, or is it.
        var sawUnseen: Bool
    }

    init(_ operations: [RegisterOperation], _ start: LinearizabilityChecker.Start) {
        switch start {
        case .value(let first): value = first
        case .any: value = anything
        }
        let sorted = operations.sorted { $0.invoked < $1.invoked }
        let count = sorted.count
        var events: [(at: Int64, isReturn: Bool, operation: Int32)] = []
        events.reserveCapacity(count * 2)
        for (index, operation) in sorted.enumerated() {
            events.append((operation.invoked, false, Int32(index)))
            if let completed = operation.completed {
                events.append((max(completed, operation.invoked), true, Int32(index)))
            }
        }
        events.sort { ($0.at, $0.isReturn ? 1 : 0) < ($1.at, $1.isReturn ? 1 : 0) }
        returnsLeft = events.count - count
        next = Array(repeating: 0, count: events.count + 1)
        previous = next
        match = next
        number = next
        var calls = Array(repeating: Int32(0), count: count)
        for (index, event) in events.enumerated() {
            let entry = Int32(index + 1)
            previous[index + 1] = Int32(index)
            next[index] = entry
            number[index + 1] = event.operation
            if event.isReturn {
                match[index + 1] = -1
                match[Int(calls[Int(event.operation)])] = entry
            } else {
                calls[Int(event.operation)] = entry
            }
        }
        done = LinearizedSet(count: count)
        var random = SeededGenerator(seed: 1, stream: 0)
        marks = (0..<count).map { _ in random.next() }
        var undecided: [Int64: Int] = [:]
        for (index, operation) in sorted.enumerated() {
            switch operation.action {
            case .read(let value):
                expects.append(value)
                leaves.append(value)
            case .write(let value):
                expects.append(anything)
                leaves.append(value)
            case .compareAndSet(let old, let new):
                expects.append(old)
                leaves.append(new)
            }
            isKnown.append(operation.completed != nil)
            let same = Int64(expects[index]) << 32 | Int64(UInt32(bitPattern: leaves[index]))
            twin.append(
                operation.completed == nil
                    ? undecided.updateValue(index, forKey: same) ?? -1 : -1)
        }
        let values = Int(max(expects.max() ?? -1, leaves.max() ?? -1, value)) + 2
        observers = Array(repeating: 0, count: values)
        sources = observers
        isUnseen = Array(repeating: true, count: values)
        for operation in 0..<count {
            tally(operation, 1)
            if expects[operation] != anything { isUnseen[Int(expects[operation]) + 1] = false }
        }
    }

    mutating func run(_ limits: LinearizabilityChecker.Limits) -> LinearizabilityChecker.Answer {
        var cache = SearchCache()
        takeReads()
        var entry = next[0]
        var sawUnseen = false
        // Calls without a return may stay behind: they need not have taken effect.
        while returnsLeft > 0 {
            if entry != 0, match[Int(entry)] >= 0 {
                let operation = Int(number[Int(entry)])
                if steps >= limits.steps { return .unknown(.steps) }
                steps += 1
                if isCandidate(operation, &sawUnseen) {
                    let before = value
                    take(entry, isForced: false, sawUnseen)
                    if cache.insert(done, value: value, hash: hash) {
                        if cache.bytes > limits.bytes {
                            return .unknown(.bytes)
                        }
                        if before != value || before == anything { takeReads() }
                        entry = next[0]
                        sawUnseen = false
                        continue
                    }
                    giveBack(stack.removeLast())
                }
                entry = next[Int(entry)]
                continue
            }
            // A return that is still here: its operation must come before it, and nothing tried allows that.
            var last = stack.popLast()
            while let forced = last, forced.isForced {
                giveBack(forced)
                last = stack.popLast()
            }
            guard let last else { return .violated }
            giveBack(last)
            sawUnseen = last.sawUnseen
            entry = next[Int(last.entry)]
        }
        return .linearizable
    }

    /// Whether the operation may come next, and is worth a try.
    private func isCandidate(_ operation: Int, _ sawUnseen: inout Bool) -> Bool {
        if twin[operation] >= 0, !done.contains(twin[operation]) { return false }
        let expected = expects[operation]
        if expected == anything {
            guard !sawUnseen else { return false }
            sawUnseen = isUnseen(operation)
        } else if value != expected, value != anything {
            return false
        }
        guard value != anything, leaves[operation] != value else { return true }
        let slot = Int(value) + 1
        let stillSeen = observers[slot] - (expected != anything && isKnown[operation] ? 1 : 0)
        return stillSeen == 0 || sources[slot] > 0
    }

    /// A write whose answer came, of a value that nobody sees.
    private func isUnseen(_ operation: Int) -> Bool {
        expects[operation] == anything && isKnown[operation]
            && isUnseen[Int(leaves[operation]) + 1]
    }

    /// Puts every read in that fits the present value and may come now.
    private mutating func takeReads() {
        guard value != anything else { return }
        var entry = next[0]
        while entry != 0, match[Int(entry)] >= 0 {
            let operation = Int(number[Int(entry)])
            guard expects[operation] == value, leaves[operation] == value else {
                entry = next[Int(entry)]
                continue
            }
            // Its own return may have been the next one, and is gone with it.
            let before = previous[Int(entry)]
            take(entry, isForced: true, false)
            entry = next[Int(before)]
        }
    }

    private mutating func take(_ entry: Int32, isForced: Bool, _ sawUnseen: Bool) {
        let operation = Int(number[Int(entry)])
        stack.append(Taken(entry: entry, value: value, isForced: isForced, sawUnseen: sawUnseen))
        value = leaves[operation]
        hash ^= marks[operation]
        done.insert(operation)
        tally(operation, -1)
        unlink(entry)
        if match[Int(entry)] > 0 {
            unlink(match[Int(entry)])
            returnsLeft -= 1
        }
    }

    private mutating func giveBack(_ taken: Taken) {
        let operation = Int(number[Int(taken.entry)])
        if match[Int(taken.entry)] > 0 {
            relink(match[Int(taken.entry)])
            returnsLeft += 1
        }
        relink(taken.entry)
        tally(operation, 1)
        done.remove(operation)
        hash ^= marks[operation]
        value = taken.value
    }

    private mutating func tally(_ operation: Int, _ change: Int32) {
        if expects[operation] != anything, isKnown[operation] {
            observers[Int(expects[operation]) + 1] += change
        }
        if expects[operation] != leaves[operation] {
            sources[Int(leaves[operation]) + 1] += change
        }
    }

    private mutating func unlink(_ entry: Int32) {
        let index = Int(entry)
        next[Int(previous[index])] = next[index]
        if next[index] != 0 { previous[Int(next[index])] = previous[index] }
    }

    private mutating func relink(_ entry: Int32) {
        let index = Int(entry)
        next[Int(previous[index])] = entry
        if next[index] != 0 { previous[Int(next[index])] = entry }
    }
}
