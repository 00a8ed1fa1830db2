package import DrillCore

/// What a finished engine says of itself.
package struct LoadSummary: Hashable, Sendable {
    /// The first intended instant.
    package var started: RunInstant
    package var operations: Int
    /// The largest dispatched − intended: the engine's own lateness.
    package var longestLag: Duration
    /// The longest wait of an operation for a free connection; not lag.
    package var longestPoolWait: Duration
    /// Whether SCHED_FIFO was allowed.
    package var isRealtime: Bool
}
