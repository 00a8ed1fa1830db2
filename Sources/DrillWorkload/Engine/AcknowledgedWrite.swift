import CLinux
import DrillCore
import Glibc
import Synchronization

/// Hands the next acknowledged write of a stream from the engine to one thread that asked for it.
///
/// The engine pays one load for each acknowledgement, and more only for those few that are awaited.
final class AcknowledgedWrite: Sendable {
    private let isAwaited = Atomic(false)
    private let number = Atomic(0)
    private let completed = Atomic<Int64>(0)
    private let doorbell: Int32

    init() throws(LoadError) {
        doorbell = clinux_doorbell()
        guard doorbell >= 0 else {
            throw .system(call: "eventfd", reason: String(cString: strerror(errno)))
        }
    }

    deinit { close(doorbell) }

    /// By the engine.
    func acknowledged(_ number: Int, at completed: Int64) {
        guard isAwaited.load(ordering: .acquiring) else { return }
        self.number.store(number, ordering: .relaxed)
        self.completed.store(completed, ordering: .relaxed)
        isAwaited.store(false, ordering: .releasing)
        clinux_doorbell_ring(doorbell)
    }

    /// The first write that is acknowledged from now on; nil where none is, or once `stop` was called.
    func next(
        within timeout: Duration, unless stop: ThreadStop
    ) -> (number: Int, completed: RunInstant)? {
        clinux_doorbell_clear(doorbell)
        isAwaited.store(true, ordering: .releasing)
        stop.wait(timeout, or: doorbell)
        guard !stop.isRequested, !isAwaited.load(ordering: .acquiring) else { return nil }
        return (
            number.load(ordering: .relaxed),
            RunInstant(nanoseconds: completed.load(ordering: .relaxed))
        )
    }
}
