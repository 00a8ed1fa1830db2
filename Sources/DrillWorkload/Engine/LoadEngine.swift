import CLinux
import DrillCore
import Glibc

/// The open-loop engine: operations begin when the schedule says so, whatever became of those before.
///
/// One thread, one event queue, one timer. Operations that are overdue because the engine itself was late are
/// dispatched at once with the instant at which that happened; none is dropped. Nothing is allocated for an
/// operation.
final class LoadEngine {
    /// Whatever the plan and the controller say.
    static let longestRun = Duration.seconds(3600)
    /// What a crash may take with it, beside what is undecided.
    private static let flushEvery: Int64 = 200_000_000
    private static let flushBytes = 1 << 16
    /// From the start of `run` to the first intended instant.
    private static let startDelay = Duration.milliseconds(5)

    private let plan: LoadPlan
    private let stopper: LoadStopper
    private let output: LoadOutput
    private let side: LedgerSide?
    private let workspace = ClientWorkspace()
    private let clients: [any Client]
    private let queue: Int32
    private let alarm: Int32
    private var streams: [StreamState] = []
    private var slots: [ConnectionSlot] = []
    private var wakes = WakeQueue()
    private var writer: OperationsWriter
    /// Of the workspace's hosts, those that `side` was told of.
    private var hostsTold = 0
    private var alarmAt = Int64.max
    private var nextProgress: Int64 = 0
    private var nextFlush: Int64 = 0
    private var stopAt: Int64?

    private static let alarmTag = UInt64.max
    private static let stopTag = UInt64.max - 1

    init(
        plan: LoadPlan, stopper: LoadStopper, output: LoadOutput, side: LedgerSide? = nil
    ) throws(LoadError) {
        self.stopper = stopper
        self.output = output
        self.side = side
        var clients: [any Client] = []
        for stream in plan.streams {
            if let problem = stream.problem {
                throw .plan(stream: stream.name.rawValue, reason: problem)
            }
            do throws(ClientParameterError) {
                clients.append(try ClientCatalog.client(for: stream))
            } catch {
                throw .plan(stream: stream.name.rawValue, reason: error.description)
            }
        }
        self.clients = clients
        self.plan = plan.withSpares(of: clients)
        writer = OperationsWriter(streams: plan.streams.map(\.name))
        queue = clinux_event_queue()
        alarm = clinux_alarm()
        guard queue >= 0, alarm >= 0 else { throw Self.systemError("epoll") }
        for (descriptor, tag) in [(alarm, Self.alarmTag), (stopper.doorbell, Self.stopTag)] {
            guard clinux_event_queue_watch(queue, descriptor, 1, tag, 0) == 0 else {
                throw Self.systemError("epoll_ctl")
            }
        }
    }

    deinit {
        close(alarm)
        close(queue)
    }

    private static func systemError(_ call: String) -> LoadError {
        .system(call: call, reason: String(cString: strerror(errno)))
    }

    /// Until a stop was asked for and everything is decided. The calling thread is the engine's from here on.
    func run() throws(LoadError) -> LoadSummary {
        clinux_precise_timers()
        let isRealtime = clinux_realtime(5) == 0
        // Preparing takes its time, which is no lag.
        makeConnections()
        let start = RunInstant.now + Self.startDelay
        makeStreams(start)
        let end = (start + Self.longestRun).nanoseconds
        stopper.stop(at: RunInstant(nanoseconds: end))
        let first = streams.map(\.schedule.next).min() ?? start
        output.send(.started(at: first))
        nextProgress = start.nanoseconds
        nextFlush = start.nanoseconds + Self.flushEvery
        defer { for slot in slots { slot.connection.close() } }

        var ready = Array(repeating: clinux_ready(), count: 64)
        var now = clinux_monotonic_ns()
        while !isFinished(now) {
            let wake = nextWake()
            let timeout: Int32 = wake <= now ? 0 : -1
            if wake > now, wake != alarmAt {
                clinux_alarm_set(alarm, wake)
                alarmAt = wake
            }
            let count = clinux_event_queue_wait(queue, &ready, 64, timeout)
            guard count >= 0 else {
                errno = -count
                throw Self.systemError("epoll_wait")
            }
            now = dispatchDue()
            for index in 0..<Int(count) {
                now = handle(ready[index], now)
                // A long batch must not make the next operation late.
                if let next = nextIntended, next <= now { now = dispatchDue() }
            }
            expire(now)
            wakeConnections(now)
            try tick(now)
        }
        return try finish(now, isRealtime, first)
    }

    private func makeConnections() {
        // Beside the connections: standard streams, files and doorbells.
        let connections = plan.streams.reduce(0) { $0 + $1.connections }
        clinux_reserve_descriptors(Int32(min(connections + 64, 1 << 20)))
        slots.reserveCapacity(connections)
        for (index, stream) in plan.streams.enumerated() {
            for _ in 0..<stream.connections {
                let connection = clients[index].connection(workspace)
                slots.append(ConnectionSlot(connection: connection, stream: index))
            }
        }
    }

    private func makeStreams(_ start: RunInstant) {
        var first = 0
        var books: [String: RegisterBook] = [:]
        for (index, stream) in plan.streams.enumerated() {
            let schedule = Schedule(
                start: start, rate: stream.rate, arrival: stream.arrival, seed: plan.seed,
                index: index, streams: plan.streams.count)
            let last = first + stream.connections
            var state = StreamState(plan: stream, schedule: schedule, slots: first..<last)
            if stream.operation == .register {
                let book = books[stream.prefix] ?? RegisterBook(prefix: stream.prefix)
                books[stream.prefix] = book
                state.registers = RegisterStream(book, stream, seed: plan.seed)
            }
            streams.append(state)
            first = last
        }
    }

    private var nextIntended: Int64? {
        var earliest: Int64?
        for index in streams.indices {
            if let next = streams[index].next { earliest = min(earliest ?? next, next) }
        }
        return earliest
    }

    private func nextWake() -> Int64 {
        var wake = min(nextProgress, nextFlush)
        for index in streams.indices {
            if let next = streams[index].next { wake = min(wake, next) }
            if let deadline = streams[index].deadline { wake = min(wake, deadline) }
        }
        return min(wake, wakes.next, stopAt ?? .max)
    }

    private func isFinished(_ now: Int64) -> Bool {
        guard let stopAt, stopAt <= now else { return false }
        return streams.allSatisfy { $0.next == nil && $0.queue.isEmpty }
    }

    /// Takes up every operation whose instant has come, in the order of the instants. Returns the time.
    private func dispatchDue() -> Int64 {
        var now = clinux_monotonic_ns()
        while true {
            var due: Int?
            for index in streams.indices {
                guard let next = streams[index].next, next <= now else { continue }
                if let found = due, streams[found].next! <= next { continue }
                due = index
            }
            guard let due, let intended = streams[due].next else { return now }
            streams[due].queue.append(UndecidedOperation(intended: intended, dispatched: now))
            streams[due].longestLag = max(streams[due].longestLag, now - intended)
            streams[due].schedule.advance()
            let next = streams[due].schedule.next.nanoseconds
            streams[due].next = stopAt.map { next < $0 ? next : nil } ?? next
            serve(due, now)
            now = clinux_monotonic_ns()
        }
    }

    /// Gives free connections to the operations that wait.
    private func serve(_ stream: Int, _ instant: Int64) {
        var now = instant
        while streams[stream].waiting < streams[stream].queue.tail {
            let number = streams[stream].waiting
            let operation = streams[stream].queue[number]
            if operation.intended + streams[stream].timeout <= now {
                streams[stream].waiting += 1
                // Past its deadline before the engine came to it: no connection was missing, we were.
                let isOurs = operation.intended + streams[stream].timeout <= operation.dispatched
                decide(stream, number, isOurs ? .unsentGenerator : .unsentConnection)
                continue
            }
            guard let slot = streams[stream].free.popLast() else { return }
            streams[stream].waiting += 1
            let wait = now - operation.dispatched
            streams[stream].longestPoolWait = max(streams[stream].longestPoolWait, wait)
            streams[stream].queue[number].sent = now
            streams[stream].queue[number].state = .sent
            streams[stream].queue[number].slot = Int32(slot)
            slots[slot].operation = number
            var request = streams[stream].request(number)
            request.deadline = RunInstant(
                nanoseconds: operation.intended + streams[stream].timeout)
            apply(slots[slot].connection.begin(request), slot)
            now = clinux_monotonic_ns()
        }
    }

    /// Returns the time.
    private func handle(_ event: clinux_ready, _ now: Int64) -> Int64 {
        if event.tag == Self.alarmTag {
            // It stays readable until it is set again.
            alarmAt = Int64.max
            return now
        }
        if event.tag == Self.stopTag {
            clinux_doorbell_clear(stopper.doorbell)
            takeStop()
            return now
        }
        let slot = Int(event.tag & 0xFFFF_FFFF)
        let connection = slots[slot].connection
        // An event of a descriptor that was closed since, in the same batch.
        guard slots[slot].isWatched, slots[slot].watched == UInt32(event.tag >> 32) else {
            return now
        }
        if slots[slot].operation < 0 {
            connection.disturbed()
            if connection.isNew { streams[slots[slot].stream].renew(slot) }
            watch(slot)
        } else {
            apply(connection.ready(), slot)
        }
        let after = clinux_monotonic_ns()
        serve(slots[slot].stream, after)
        return after
    }

    private func takeStop() {
        guard let stop = stopper.requested?.nanoseconds else { return }
        stopAt = stop
        for index in streams.indices {
            if let next = streams[index].next, next >= stop { streams[index].next = nil }
        }
    }

    /// What a turn of a connection means for its operation.
    private func apply(_ turn: ClientTurn, _ slot: Int) {
        guard case .decided(let answer) = turn else { return watch(slot) }
        let stream = slots[slot].stream
        let number = slots[slot].operation
        let completed = clinux_monotonic_ns()
        let host = slots[slot].connection.answeredBy
        let isRegister = streams[stream].registers != nil
        let said = isRegister ? slots[slot].connection.registerAnswer : nil
        release(slot)
        let deadline = streams[stream].queue[number].intended + streams[stream].timeout
        let isRead = streams[stream].plan.kind == .read
        switch answer {
        case .unable:
            streams[stream].queue[number].sent = UndecidedOperation.unset
            decide(stream, number, .unsentGenerator)
        case _ where completed > deadline:
            // Late by less than a wake-up: the time-out came first.
            decide(stream, number, isRead ? .failed : .indeterminate, completed: deadline)
        case .ok where isRegister && said == nil:
            // What it holds was asked and not told: no answer.
            decide(stream, number, isRead ? .failed : .indeterminate, completed: completed)
        case .ok:
            streams[stream].queue[number].host = Int32(host)
            if let said { streams[stream].registers?.answered(number, said) }
            decide(stream, number, .ok, completed: completed)
            if !isRead { side?.acknowledged(number, of: stream, at: completed) }
        case .refused:
            streams[stream].queue[number].host = Int32(host)
            decide(stream, number, .failed, completed: completed)
        case .broken:
            decide(stream, number, isRead ? .failed : .indeterminate, completed: completed)
        }
    }

    private func release(_ slot: Int) {
        slots[slot].operation = -1
        streams[slots[slot].stream].release(slot, isNew: slots[slot].connection.isNew)
        watch(slot)
    }

    /// Brings the event queue up to date with what a connection waits for.
    private func watch(_ slot: Int) {
        let connection = slots[slot].connection
        let wake = connection.wake
        if wake != slots[slot].wake {
            slots[slot].wake = wake
            if wake != .max { wakes.insert(at: wake, slot: slot) }
        }
        let descriptor = connection.descriptor
        guard descriptor >= 0 else {
            // Closing took it out of the queue.
            slots[slot].isWatched = false
            return
        }
        let incarnation = connection.incarnation
        let interest = connection.interest
        let isSame = slots[slot].isWatched && slots[slot].watched == incarnation
        if isSame, slots[slot].interest == interest { return }
        let tag = UInt64(incarnation) << 32 | UInt64(slot)
        let error = clinux_event_queue_watch(
            queue, descriptor, interest.rawValue, tag, isSame ? 1 : 0)
        slots[slot].isWatched = true
        slots[slot].watched = incarnation
        slots[slot].interest = interest
        guard error != 0 else { return }
        // ENOMEM or ENOSPC: without events it cannot be carried on.
        connection.close()
        slots[slot].isWatched = false
        if slots[slot].operation >= 0 { apply(.decided(.unable), slot) }
    }

    private func wakeConnections(_ now: Int64) {
        while let due = wakes.popDue(now) {
            // One that has its answer, or another instant, has left this one behind.
            guard slots[due.slot].wake == due.instant, slots[due.slot].operation >= 0 else {
                continue
            }
            slots[due.slot].wake = .max
            apply(slots[due.slot].connection.woken(), due.slot)
            serve(slots[due.slot].stream, now)
        }
    }

    private func expire(_ now: Int64) {
        for stream in streams.indices {
            while let deadline = streams[stream].deadline, deadline <= now {
                let number = streams[stream].queue.head
                if number == streams[stream].waiting {
                    streams[stream].waiting += 1
                    decide(stream, number, .unsentConnection, completed: UndecidedOperation.unset)
                } else {
                    let slot = Int(streams[stream].queue[number].slot)
                    slots[slot].connection.close()
                    release(slot)
                    let isRead = streams[stream].plan.kind == .read
                    decide(stream, number, isRead ? .failed : .indeterminate, completed: deadline)
                }
            }
            serve(stream, now)
        }
    }

    private func decide(
        _ stream: Int, _ number: Int, _ state: UndecidedOperation.State,
        completed: Int64 = UndecidedOperation.unset
    ) {
        if state == .unsentConnection { streams[stream].waitedInVain(number) }
        streams[stream].queue[number].state = state
        streams[stream].queue[number].completed = completed
        while !streams[stream].queue.isEmpty {
            let number = streams[stream].queue.head
            let operation = streams[stream].queue[number]
            guard operation.isDecided else { return }
            streams[stream].queue.removeFirst()
            record(operation, number, stream)
        }
    }

    private func record(_ operation: UndecidedOperation, _ number: Int, _ stream: Int) {
        let outcome: Outcome
        switch operation.state {
        case .ok: outcome = .ok
        case .failed, .waiting, .sent: outcome = .failed
        case .indeterminate: outcome = .indeterminate
        case .unsentConnection: outcome = .unsentConnection
        case .unsentGenerator: outcome = .unsentGenerator
        }
        let isSent = !outcome.isUnsent
        let isGood =
            outcome == .ok && operation.completed - operation.intended <= streams[stream].slow
        if isSent { streams[stream].sent += 1 }
        if isGood { streams[stream].good += 1 }
        if outcome == .unsentGenerator { streams[stream].unsentGenerator += 1 }
        let intended = RunInstant(nanoseconds: operation.intended)
        streams[stream].watch.add(intended: intended, isSent: isSent, isGood: isGood)
        let at = { (instant: Int64) in
            instant == UndecidedOperation.unset ? nil : RunInstant(nanoseconds: instant)
        }
        let host = operation.host < 0 ? nil : workspace.hosts[Int(operation.host)]
        while hostsTold < workspace.hosts.count {
            side?.met(workspace.hosts[hostsTold].rawValue)
            hostsTold += 1
        }
        let (key, value) = streams[stream].record(number)
        writer.append(
            ClientOperation(
                intended: intended, dispatched: RunInstant(nanoseconds: operation.dispatched),
                sent: at(operation.sent), completed: at(operation.completed), outcome: outcome,
                key: key, value: value, host: host),
            stream: stream)
    }

    /// Progress and the file, when their time has come.
    private func tick(_ now: Int64) throws(LoadError) {
        if now >= nextFlush || writer.pending >= Self.flushBytes {
            if let failure = output.failure { throw failure }
            output.write(writer.take())
            nextFlush = now + Self.flushEvery
        }
        if now >= nextProgress {
            sendProgress(now)
            // Without a burst of reports after the engine was late.
            let every = max(1_000_000, plan.progressEvery.nanoseconds)
            nextProgress += (1 + (now - nextProgress) / every) * every
        }
    }

    private func sendProgress(_ now: Int64) {
        let progress = streams.indices.map { streams[$0].progress(now: now) }
        output.send(.progress(progress, at: RunInstant(nanoseconds: now)))
    }

    private func finish(
        _ now: Int64, _ isRealtime: Bool, _ started: RunInstant
    ) throws(LoadError) -> LoadSummary {
        writer.finish()
        output.write(writer.take())
        sendProgress(now)
        return LoadSummary(
            started: started, operations: streams.reduce(0) { $0 + $1.queue.tail },
            longestLag: .nanoseconds(streams.map(\.longestLag).max() ?? 0),
            longestPoolWait: .nanoseconds(streams.map(\.longestPoolWait).max() ?? 0),
            isRealtime: isRealtime)
    }
}
