package enum OperationKind: String, Hashable, Sendable, Codable, CaseIterable { case read, write }

/// How operations use connections: a fresh one for each, or one that is kept. They see different outages.
package enum Lane: String, Hashable, Sendable, Codable, CaseIterable { case fresh, kept }

/// What became of a client's operation; raw values are those of the CSV files.
package enum Outcome: String, Hashable, Sendable, Codable, CaseIterable {
    case ok
    /// A read that was not answered well, or a write refused by a reply on the client's list of definite refusals.
    case failed
    /// A write that was sent and of which nobody knows whether it took effect.
    case indeterminate
    /// No connection was free before the operation's deadline. Neither good nor bad.
    case unsentConnection = "unsent:connection"
    /// Our own host could not send (EADDRNOTAVAIL, EMFILE, ENOBUFS, ENOMEM): the trial is inconclusive.
    case unsentGenerator = "unsent:generator"

    package var isUnsent: Bool { self == .unsentConnection || self == .unsentGenerator }
}

/// One client request with its four instants (docs/MEASUREMENT.md, "Requests").
package struct ClientOperation: Hashable, Sendable {
    /// From the schedule, fixed before the run.
    package var intended: RunInstant
    /// When the engine took it up; dispatched − intended is the engine's own lag.
    package var dispatched: RunInstant
    /// When its first byte (or its connect) was handed to the kernel; nil if it was never sent.
    package var sent: RunInstant?
    /// When it was decided: the answer, the error, or the time-out. A late acknowledgement changes nothing.
    package var completed: RunInstant?
    package var outcome: Outcome
    package var key: String?
    package var value: String?
    /// The host that answered, where the client could name it.
    package var host: HostName?

    package init(
        intended: RunInstant, dispatched: RunInstant, sent: RunInstant?, completed: RunInstant?,
        outcome: Outcome, key: String? = nil, value: String? = nil, host: HostName? = nil
    ) {
        self.intended = intended
        self.dispatched = dispatched
        self.sent = sent
        self.completed = completed
        self.outcome = outcome
        self.key = key
        self.value = value
        self.host = host
    }

    /// Good: ok, and no later than `slow` after it was intended. What was sent and is not good is bad.
    package func isGood(slow: Duration) -> Bool {
        guard outcome == .ok, let completed else { return false }
        return completed - intended <= slow
    }

    package func isBad(slow: Duration) -> Bool { !outcome.isUnsent && !isGood(slow: slow) }
}
