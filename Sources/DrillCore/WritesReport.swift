/// What became of acknowledged writes (docs/MEASUREMENT.md, "Acknowledged writes"). Null: not known; `rpo_writes` says why.
package struct WritesReport: Hashable, Sendable, Codable {
    package var acknowledged: Int
    /// Missing in the last sweep.
    @Present package var lost: Int?
    /// Missing on the new primary before the heal; null where that sweep was not made or not finished.
    @Present package var lostAtFailover: Int?
    /// There before the heal, and missing in the last sweep.
    @Present package var lostByFailback: Int?
    /// Missing before the heal, and there in the last sweep.
    @Present package var resurrected: Int?
    /// Lost, and acknowledged after the fault: two hosts took writes.
    @Present package var divergent: Int?
    /// From the first to the last of these, in milliseconds.
    @Present package var divergence: Double?
    /// Whether hosts differ after redundancy is back.
    @Present package var diverged: Bool?
    package var indeterminate: Int
    @Present package var indeterminatePresent: Int?
    /// Refused writes that are there all the same: a phantom, or a wrong classification.
    @Present package var failedPresent: Int?
    /// Acknowledged writes that could not be read back.
    package var unread: Int

    enum CodingKeys: String, CodingKey {
        case acknowledged, lost, resurrected, divergent, diverged, indeterminate, unread
        case lostAtFailover = "lost_at_failover"
        case lostByFailback = "lost_by_failback"
        case divergence = "divergence_ms"
        case indeterminatePresent = "indeterminate_present"
        case failedPresent = "failed_present"
    }

    package init(
        acknowledged: Int, lost: Int? = nil, lostAtFailover: Int? = nil,
        lostByFailback: Int? = nil, resurrected: Int? = nil, divergent: Int? = nil,
        divergence: Double? = nil, diverged: Bool? = nil, indeterminate: Int,
        indeterminatePresent: Int? = nil, failedPresent: Int? = nil, unread: Int
    ) {
        self.acknowledged = acknowledged
        self.lost = lost
        self.lostAtFailover = lostAtFailover
        self.lostByFailback = lostByFailback
        self.resurrected = resurrected
        self.divergent = divergent
        self.divergence = divergence
        self.diverged = diverged
        self.indeterminate = indeterminate
        self.indeterminatePresent = indeterminatePresent
        self.failedPresent = failedPresent
        self.unread = unread
    }
}

/// How writes were read back.
package struct VerifyReport: Hashable, Sendable, Codable {
    /// Which sweeps were made: 1 before the heal, 2 at the end.
    package var sweeps: [Int]
    @Present package var readLevel: String?
    /// Who was asked in the last sweep, the endpoint under the asking host's name.
    package var hosts: [String]

    enum CodingKeys: String, CodingKey {
        case sweeps, hosts
        case readLevel = "read_level"
    }

    package init(sweeps: [Int], readLevel: String?, hosts: [String]) {
        self.sweeps = sweeps
        self.readLevel = readLevel
        self.hosts = hosts
    }
}

/// When writes were acknowledged and what became of each: what the picture of a trial's writes shows.
package struct LedgerMarks: Hashable, Sendable {
    /// There in the last sweep.
    package var kept: [RunInstant]
    /// Missing in the last sweep, and acknowledged no later than the fault.
    package var lost: [RunInstant]
    /// Missing, and acknowledged after the fault.
    package var divergent: [RunInstant]
    /// Missing before the heal, and there in the last sweep; among `kept`.
    package var resurrected: [RunInstant]
    /// Not read back.
    package var unread: [RunInstant]

    package init(
        kept: [RunInstant] = [], lost: [RunInstant] = [], divergent: [RunInstant] = [],
        resurrected: [RunInstant] = [], unread: [RunInstant] = []
    ) {
        self.kept = kept
        self.lost = lost
        self.divergent = divergent
        self.resurrected = resurrected
        self.unread = unread
    }
}
