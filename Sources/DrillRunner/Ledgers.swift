internal import DrillCore

/// A stream of writes that is read back at the end, and where its counts come from.
struct LedgerStream: Hashable, Sendable {
    let prefix: String
    /// The load process, and the stream's place in its plan.
    let load: String
    let index: Int
}

/// Who reads the ledgers of a trial back.
struct LedgerReader: Hashable, Sendable {
    let host: HostName
    let client: String
    let parameters: [String: String]
    /// The load process of the same workload: it knows when its clients are served again.
    let load: String
    /// It uses the endpoint that clients use. What runs on a host of the pair speaks for that host alone.
    let isOutside: Bool
}

/// A firedrill-load that reads the ledgers back.
struct Reading: Hashable, Sendable {
    let load: String
    let plan: VerifyPlan
    let begun: RunInstant
    /// What it has not told until then stays unread.
    let limit: RunInstant
    /// Hosts of which it has not said yet how it went.
    var open: [HostName]

    var writes: Int { plan.ledgers.reduce(0) { $0 + $1.count } }
}
