/// What firedrill-load is to do; the first line on its standard input.
package struct LoadPlan: Hashable, Sendable, Codable {
    package var seed: UInt64
    package var streams: [LoadStream]
    /// Where the operations file is written.
    package var output: String
    package var progressEvery: Duration

    package init(
        seed: UInt64, streams: [LoadStream], output: String,
        progressEvery: Duration = .milliseconds(50)
    ) {
        self.seed = seed
        self.streams = streams
        self.output = output
        self.progressEvery = progressEvery
    }
}

/// One workload in one lane.
package struct LoadStream: Hashable, Sendable, Codable {
    package var name: StreamName
    package var client: String
    package var parameters: [String: String]
    package var lane: Lane
    package var kind: OperationKind
    /// Operations a second.
    package var rate: Double
    package var arrival: Arrival
    package var timeout: Duration
    package var slow: Duration
    package var connections: Int
    /// What ends an outage: fewer than `k` bad and at least `leastSent` sent in a stretch of `stable`.
    package var stable: Duration
    package var k: Int
    package var leastSent: Int
    package var operation: WorkloadOperation
    /// What the keys of a ledger begin with: no other stream of any trial has it. Those of a register: no other
    /// workload of any trial has it, and all its streams share it. Empty for `get`.
    package var prefix: String
    /// The system's data hosts, where the client can ask each by itself: who answered under which identity, and how
    /// late a write is seen there.
    package var servers: [LoadServer]

    package init(
        name: StreamName, client: String, parameters: [String: String], lane: Lane,
        kind: OperationKind, rate: Double, arrival: Arrival, timeout: Duration, slow: Duration,
        connections: Int, stable: Duration, k: Int, leastSent: Int,
        operation: WorkloadOperation = .get, prefix: String = "", servers: [LoadServer] = []
    ) {
        self.name = name
        self.client = client
        self.parameters = parameters
        self.lane = lane
        self.kind = kind
        self.rate = rate
        self.arrival = arrival
        self.timeout = timeout
        self.slow = slow
        self.connections = connections
        self.stable = stable
        self.k = k
        self.leastSent = leastSent
        self.operation = operation
        self.prefix = prefix
        self.servers = servers
    }
}

package enum LoadCommand: Hashable, Sendable, Codable {
    case run(LoadPlan)
    /// Nothing is intended from this instant on; what is under way is decided, then the file is closed.
    case stop(at: RunInstant)
    /// As the first command in place of `run`: reads back, tells `verified` and then `finished`.
    case verify(VerifyPlan)
    /// As the first command in place of `run`: asks until the end of its input, or `stop`.
    case watch(WatchPlan)
}

package enum LoadEvent: Hashable, Sendable, Codable {
    /// The first operation's intended instant.
    case started(at: RunInstant)
    case progress([StreamProgress], at: RunInstant)
    /// The operations file is complete and synced.
    case finished(longestPoolWait: Duration)
    case failed(String)
    /// The host answers under this identity from here on: operations name hosts by identity.
    case identified(HostName, identity: String, at: RunInstant)
    /// A write was first seen on the host at some instant of the interval; not `present`: it was not there at the
    /// interval's begin, and at its end it was given up.
    case visible(HostName, key: String, present: Bool, InstantInterval)
    /// Parts of what was read back, and how it went for one host: the batches first.
    case verified([VerifyBatch], VerifyFacts?)
    case answered(WatchAnswer)
}

/// Counts since the start of the stream; the same order as the plan's streams.
package struct StreamProgress: Hashable, Sendable, Codable {
    /// Operations whose intended instant has come.
    package var intended: Int
    /// All operations intended before this instant are decided.
    package var decidedBefore: RunInstant
    /// Of the operations intended before `decidedBefore`: all, sent, good.
    package var decided: Int
    package var sent: Int
    package var good: Int
    package var unsentGenerator: Int
    /// The latest start of a stretch of `stable` that is wholly decided, holds fewer than k bad and enough sent
    /// operations; never goes back.
    package var stableFrom: RunInstant?
    /// The largest dispatched − intended so far: the engine's own lateness.
    package var longestLag: Duration

    package init(
        intended: Int, decidedBefore: RunInstant, decided: Int, sent: Int, good: Int,
        unsentGenerator: Int, stableFrom: RunInstant?,
        longestLag: Duration = .zero
    ) {
        self.intended = intended
        self.decidedBefore = decidedBefore
        self.decided = decided
        self.sent = sent
        self.good = good
        self.unsentGenerator = unsentGenerator
        self.stableFrom = stableFrom
        self.longestLag = longestLag
    }
}
