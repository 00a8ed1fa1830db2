import DrillCore

/// One stream while it runs.
struct StreamState {
    let plan: LoadStream
    let timeout: Int64
    let slow: Int64
    var schedule: Schedule
    /// The next intended instant; nil when the stream has ended.
    var next: Int64?
    var queue: UndecidedQueue
    /// The number of the first operation that waits for a connection; those after it wait too.
    var waiting = 0
    /// Free places, those last that are used first: a kept connection that was just used is used again.
    var free: [Int]
    var watch: StableWatch
    /// Of a register workload; nil for others.
    var registers: RegisterStream?
    /// Of those that left the queue.
    var sent = 0
    var good = 0
    var unsentGenerator = 0
    var longestLag: Int64 = 0
    var longestPoolWait: Int64 = 0

    init(plan: LoadStream, schedule: Schedule, slots: Range<Int>) {
        self.plan = plan
        self.schedule = schedule
        timeout = plan.timeout.nanoseconds
        slow = plan.slow.nanoseconds
        next = schedule.next.nanoseconds
        queue = UndecidedQueue(
            capacity: Int(plan.rate * Double(plan.timeout.nanoseconds) / 1e9 * 1.5) + 64)
        free = slots.reversed()
        watch = StableWatch(stable: plan.stable, k: plan.k, leastSent: plan.leastSent)
    }

    /// What begins anew is used after all others, which gives it the longest time for it.
    mutating func release(_ slot: Int, isNew: Bool) {
        if isNew { free.insert(slot, at: 0) } else { free.append(slot) }
    }

    /// The free place begins anew.
    mutating func renew(_ slot: Int) {
        free.removeAll { $0 == slot }
        release(slot, isNew: true)
    }

    /// When the oldest operation times out.
    var deadline: Int64? { queue.isEmpty ? nil : queue[queue.head].intended + timeout }

    /// What a connection is asked for the operation of that number.
    mutating func request(_ number: Int) -> ClientRequest {
        ClientRequest(
            kind: plan.kind, number: number,
            entry: plan.operation == .ledger
                ? LedgerEntry(prefix: plan.prefix, number: number) : nil,
            register: registers?.request(number))
    }

    /// What the file keeps of it, beside instants and outcome. A ledger's value follows from its key.
    mutating func record(_ number: Int) -> (key: String?, value: String?) {
        switch plan.operation {
        case .get: return (nil, nil)
        case .ledger: return (plan.prefix + String(number), nil)
        case .register:
            let note = registers?.record(number)
            return (note?.key, note?.value)
        }
    }

    /// It found no connection until its time-out.
    mutating func waitedInVain(_ number: Int) {
        let wait = queue[number].intended + timeout - queue[number].dispatched
        longestPoolWait = max(longestPoolWait, wait)
    }

    func decidedBefore(now: Int64) -> Int64 {
        if !queue.isEmpty { return queue[queue.head].intended }
        return min(now, next ?? now)
    }

    mutating func progress(now: Int64) -> StreamProgress {
        let decided = RunInstant(nanoseconds: decidedBefore(now: now))
        watch.advance(decidedBefore: decided)
        return StreamProgress(
            intended: queue.tail, decidedBefore: decided, decided: queue.head, sent: sent,
            good: good, unsentGenerator: unsentGenerator, stableFrom: watch.stableFrom,
            longestLag: .nanoseconds(longestLag))
    }
}
