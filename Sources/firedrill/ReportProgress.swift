import DrillCore
import Glibc
import Synchronization

/// Says how far a run's report is, and answers signals, while the thread that does both otherwise is at work: with many
/// trials it takes a while, and who sees nothing and hears nothing takes it for a hang.
///
/// A signal ends nothing here: every trial is over, all is healed, and what is left to do is to write it down.
package enum ReportProgress {
    private static let phase = "writing the report"
    /// A terminal's line is drawn as often as while a trial runs.
    private static let pause: Int32 = 100

    /// - Parameters:
    ///   - interrupts: see `Interrupts`; nobody else reads from it meanwhile.
    ///   - work: gets what it calls with each part of the report.
    package static func during<Result>(
        _ display: Display, interrupts: Int32, _ work: ((String) -> Void) throws -> Result
    ) rethrows -> Result {
        // The other thread speaks only while this one does not.
        nonisolated(unsafe) let display = display
        let part = Mutex("")
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return try work { _ in } }
        let (end, other) = (ends[0], ends[1])
        let watch = JoinableThread {
            while true {
                display.show(phase: phase, detail: part.withLock { $0 })
                // The other end's closing wakes it.
                var wanted = [
                    pollfd(fd: end, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: interrupts, events: Int16(POLLIN), revents: 0),
                ]
                guard poll(&wanted, 2, pause) > 0 else { continue }
                var signal: UInt8 = 0
                if wanted[1].revents != 0, read(interrupts, &signal, 1) == 1 {
                    let now = part.withLock { $0 }
                    display.line("  still \(phase)" + (now.isEmpty ? "" : ": \(now)"))
                }
                if wanted[0].revents != 0 { return }
            }
        }
        defer {
            close(other)
            watch?.join()
            close(end)
        }
        return try work { text in part.withLock { $0 = text } }
    }
}
