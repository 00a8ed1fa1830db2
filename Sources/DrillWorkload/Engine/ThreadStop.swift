import CLinux
import DrillCore
import Glibc
import Synchronization

/// Ends threads that wait: each of their waits ends with it.
final class ThreadStop: Sendable {
    private let requested = Atomic(false)
    private let doorbell: Int32

    init() throws(LoadError) {
        doorbell = clinux_doorbell()
        guard doorbell >= 0 else {
            throw .system(call: "eventfd", reason: String(cString: strerror(errno)))
        }
    }

    deinit { close(doorbell) }

    var isRequested: Bool { requested.load(ordering: .acquiring) }

    func request() {
        requested.store(true, ordering: .releasing)
        // Never cleared: all waits end, those that begin later too.
        clinux_doorbell_ring(doorbell)
    }

    /// Waits for so long, or until the stop is requested, or until `other` can be read.
    func wait(_ duration: Duration, or other: Int32 = -1) {
        var entries = [
            clinux_poll(descriptor: doorbell, asked: Int16(POLLIN), seen: 0),
            clinux_poll(descriptor: other, asked: Int16(POLLIN), seen: 0),
        ]
        let count = other >= 0 ? 2 : 1
        _ = clinux_ppoll(&entries, count, max(0, duration.nanoseconds))
    }
}
