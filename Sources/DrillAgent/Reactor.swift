import CLinux
import DrillCore
import Glibc
import Synchronization

/// The one thread of the supervisor: runs the jobs of `LabActor`, then waits for descriptors and times.
///
/// It never starts a thread, because `unshare`, `setns` and a child's namespaces belong to threads.
final class Reactor: SerialExecutor, TaskExecutor, Sendable {
    static let shared = Reactor()

    /// Why a wait ended.
    enum Wake: Sendable {
        case ready
        case expired
        /// `forget` was called: the descriptor is about to be closed.
        case forgotten
    }

    private struct Waiter {
        var descriptor: Int32
        var events: Int16
        var deadline: RunInstant?
        var continuation: CheckedContinuation<Wake, Never>
    }

    private struct State: ~Copyable {
        var jobs: [UnownedJob] = []
        var waiters: [Waiter] = []
        var tick: Duration?
        var previousWake = RunInstant.now
        var wake = RunInstant.now
        var exitStatus: Int32?
        var lastTimer: Int32 = -1
    }

    private let state = Mutex(State())

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// Longest time between two looks at the descriptors; what was found at a look came after the one before.
    func setTick(_ tick: Duration?) { state.withLock { $0.tick = tick } }

    /// [the previous look at the descriptors, now]: when something happened that this wake reports.
    var arrival: InstantInterval {
        InstantInterval(low: state.withLock { $0.previousWake }, high: .now)
    }

    /// Until the descriptor can be read, the deadline comes, or `forget`.
    @LabActor
    func readable(_ descriptor: Int32, until deadline: RunInstant? = nil) async -> Wake {
        await wait(descriptor, Int16(POLLIN), deadline)
    }

    @LabActor
    func writable(_ descriptor: Int32, until deadline: RunInstant? = nil) async -> Wake {
        await wait(descriptor, Int16(POLLOUT), deadline)
    }

    @LabActor
    func sleep(_ duration: Duration) async {
        _ = await wait(-1, 0, .now + duration)
    }

    /// A negative number, which poll ignores and `forget` knows.
    func makeTimer() -> Int32 {
        state.withLock { state in
            state.lastTimer = state.lastTimer == .min ? -2 : state.lastTimer - 1
            return state.lastTimer
        }
    }

    @LabActor
    func expiry(of timer: Int32, at deadline: RunInstant) async -> Wake {
        await wait(timer, 0, deadline)
    }

    @LabActor
    private func wait(
        _ descriptor: Int32, _ events: Int16, _ deadline: RunInstant?
    ) async -> Wake {
        await withCheckedContinuation { continuation in
            state.withLock {
                $0.waiters.append(
                    Waiter(
                        descriptor: descriptor, events: events, deadline: deadline,
                        continuation: continuation))
            }
        }
    }

    /// Ends the waits for a descriptor; before it is closed.
    func forget(_ descriptor: Int32) {
        let ended = state.withLock { state in
            let ended = state.waiters.filter { $0.descriptor == descriptor }
            state.waiters.removeAll { $0.descriptor == descriptor }
            return ended
        }
        for waiter in ended { waiter.continuation.resume(returning: .forgotten) }
    }

    /// `run` returns this after the jobs that are ready now.
    func stop(status: Int32) { state.withLock { $0.exitStatus = status } }

    /// Runs on the program's first thread until `stop`.
    func run() -> Int32 {
        while true {
            while true {
                let jobs = state.withLock { state in
                    let jobs = state.jobs
                    state.jobs = []
                    return jobs
                }
                if jobs.isEmpty { break }
                for job in jobs {
                    job.runSynchronously(
                        isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor()
                    )
                }
            }
            if let status = state.withLock({ $0.exitStatus }) { return status }
            look()
        }
    }

    private func look() {
        let (waiters, tick) = state.withLock { ($0.waiters, $0.tick) }
        var entries = waiters.map {
            clinux_poll(descriptor: $0.descriptor, asked: $0.events, seen: 0)
        }
        var deadline = waiters.compactMap(\.deadline).min()
        if let tick { deadline = min(deadline ?? .now + tick, .now + tick) }
        let timeout = deadline.map { max(0, ($0 - .now).nanoseconds) } ?? -1
        let ready = clinux_ppoll(&entries, entries.count, timeout)
        let now = RunInstant.now
        var resumed: [(CheckedContinuation<Wake, Never>, Wake)] = []
        var waiting: [Waiter] = []
        for (waiter, entry) in zip(waiters, entries) {
            if ready > 0, entry.seen != 0 {
                resumed.append((waiter.continuation, .ready))
            } else if let deadline = waiter.deadline, deadline <= now {
                resumed.append((waiter.continuation, .expired))
            } else {
                waiting.append(waiter)
            }
        }
        state.withLock {
            $0.previousWake = $0.wake
            $0.wake = now
            $0.waiters = waiting
        }
        for (continuation, wake) in resumed { continuation.resume(returning: wake) }
    }
}

/// A task of the supervisor. The preference keeps it off the runtime's thread pool, through which a resumed
/// continuation goes otherwise, whatever actor waits for it.
func spawn(_ body: @escaping @LabActor () async -> Void) {
    Task(executorPreference: Reactor.shared) { await body() }
}
