/// What the registers of a trial showed. Null: not known; `reason` says why.
package struct ConsistencyReport: Hashable, Sendable, Codable {
    /// Those that took effect, or may have.
    package var operations: Int
    package var keys: Int
    /// Whether one register for each key could have shown the same (Herlihy and Wing 1990).
    @Present package var linearizable: Bool?
    @Present package var reason: String?
    /// Reads of a value that had been overwritten before the read began.
    @Present package var staleReads: Int?
    /// Successful compare-and-sets of a value that another one had replaced.
    @Present package var lostUpdates: Int?
    /// The shortest stretch that no register could show; null where none was found.
    @Present package var window: ConsistencyWindow?

    enum CodingKeys: String, CodingKey {
        case operations, keys, linearizable, reason, window
        case staleReads = "stale_reads"
        case lostUpdates = "lost_updates"
    }

    package init(
        operations: Int, keys: Int, linearizable: Bool? = nil, reason: String? = nil,
        staleReads: Int? = nil, lostUpdates: Int? = nil, window: ConsistencyWindow? = nil
    ) {
        self.operations = operations
        self.keys = keys
        self.linearizable = linearizable
        self.reason = reason
        self.staleReads = staleReads
        self.lostUpdates = lostUpdates
        self.window = window
    }
}

/// Operations on one key that contradict each other.
package struct ConsistencyWindow: Hashable, Sendable, Codable {
    package static let mostOperations = 40

    package var key: String
    /// By the instant of the call; no more than `mostOperations`.
    package var operations: [Operation]
    /// Further ones, between the first of them and the last, that are not listed.
    package var omitted: Int
    /// What the key held before all operations (`nil` is nothing), where they contradict that too. Null: they contradict
    /// each other, whatever it held.
    @Present package var start: String?

    package init(key: String, operations: [Operation], omitted: Int = 0, start: String? = nil) {
        self.key = key
        self.operations = operations
        self.omitted = omitted
        self.start = start
    }

    package struct Operation: Hashable, Sendable, Codable {
        /// Operations of one row do not overlap.
        package var row: Int
        /// `write 7`, `read nil`, `cas 7 8`
        package var action: String
        /// Milliseconds from the trial's first intended operation.
        package var invoked: Double
        /// Null: nobody knows whether, and when, it took effect.
        @Present package var completed: Double?
        @Present package var host: String?

        enum CodingKeys: String, CodingKey {
            case row, action, host
            case invoked = "invoked_ms"
            case completed = "completed_ms"
        }

        package init(
            row: Int, action: String, invoked: Double, completed: Double?, host: String?
        ) {
            self.row = row
            self.action = action
            self.invoked = invoked
            self.completed = completed
            self.host = host
        }
    }
}
