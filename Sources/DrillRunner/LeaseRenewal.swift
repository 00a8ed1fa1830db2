internal import DrillCore
internal import Glibc

/// Says that the controller lives while its own thread is at work: the analysis of a long trial outlasts a lease
/// (`LabSpec.lease`), and what is in effect for the whole run must not be healed for that. A controller that is stopped
/// stops this, too.
package enum LeaseRenewal {
    /// No request of `RunMachine` has it, so that nobody waits for the answers.
    static let request = -1

    /// - Parameter pause: between one renewal and the next.
    package static func during<Result>(
        _ lab: (any LabConnection)?, every pause: Duration, _ work: () throws -> Result
    ) rethrows -> Result {
        // The other thread speaks only while this one does not.
        nonisolated(unsafe) let lab = lab
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return try work() }
        let (end, other) = (ends[0], ends[1])
        let milliseconds = Int32(pause.nanoseconds / 1_000_000)
        let renewal = JoinableThread {
            // The other end's closing wakes it.
            var ended = pollfd(fd: end, events: Int16(POLLIN), revents: 0)
            while poll(&ended, 1, milliseconds) == 0 {
                try? lab?.send(LabRequest(id: request, command: .renew))
            }
        }
        defer {
            close(other)
            renewal?.join()
            close(end)
        }
        return try work()
    }
}
