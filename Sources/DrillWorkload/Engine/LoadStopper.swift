import CLinux
package import DrillCore
import Glibc
import Synchronization

/// Tells an engine from another thread from when on nothing is intended.
package final class LoadStopper: Sendable {
    let doorbell: Int32
    private let instant = Mutex<RunInstant?>(nil)

    package init() throws(LoadError) {
        doorbell = clinux_doorbell()
        guard doorbell >= 0 else {
            throw .system(call: "eventfd", reason: String(cString: strerror(errno)))
        }
    }

    deinit { close(doorbell) }

    /// The earliest of several instants holds.
    package func stop(at new: RunInstant) {
        instant.withLock { $0 = min($0 ?? new, new) }
        clinux_doorbell_ring(doorbell)
    }

    var requested: RunInstant? { instant.withLock { $0 } }
}
