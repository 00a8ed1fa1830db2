/// One write of a ledger: a key that no other write has, and a value that says by itself whether it is whole.
///
/// Key and value follow from the stream's prefix and the number alone, so that whoever reads back needs no list.
package struct LedgerEntry: Hashable, Sendable {
    package let key: String
    package let value: String

    package init(prefix: String, number: Int) {
        key = prefix + String(number)
        value = "\(number):" + String(Self.checksum(key), radix: 16)
    }

    /// Whether `value` is what was written under the key.
    package func isWhole(_ value: some StringProtocol) -> Bool { value == self.value }

    /// FNV-1a, 64 bits (draft-eastlake-fnv, section 2): finds a value that was cut or mixed up; it guards against
    /// accidents, not against forgers.
    private static func checksum(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }
}

/// The writes of one ledger stream from 0 to before `count`.
package struct LedgerRange: Hashable, Sendable, Codable {
    package var prefix: String
    package var count: Int

    package init(prefix: String, count: Int) {
        self.prefix = prefix
        self.count = count
    }
}

/// A server that can be asked by itself, beside the endpoint that clients use. The client knows the port.
package struct LoadServer: Hashable, Sendable, Codable {
    package var host: HostName
    /// Numeric, without a port.
    package var address: String

    package init(host: HostName, address: String) {
        self.host = host
        self.address = address
    }
}

/// Reads a trial's ledgers back (docs/MEASUREMENT.md, "Acknowledged writes"); work of a firedrill-load of its own.
package struct VerifyPlan: Hashable, Sendable, Codable {
    /// 1: from the new primary, before the heal. 2: at the end.
    package var sweep: Int
    package var client: String
    /// The workload's own keys: the endpoint that clients use.
    package var parameters: [String: String]
    package var ledgers: [LedgerRange]
    /// The name under which the endpoint's answers are told: the host that asks, which is none of the servers.
    /// Nil: the endpoint is not asked (only the servers are).
    package var endpoint: HostName?
    /// Asked one by one, too.
    package var servers: [LoadServer]
    /// When to give up.
    package var until: RunInstant

    package init(
        sweep: Int, client: String, parameters: [String: String], ledgers: [LedgerRange],
        endpoint: HostName?, servers: [LoadServer], until: RunInstant
    ) {
        self.sweep = sweep
        self.client = client
        self.parameters = parameters
        self.ledgers = ledgers
        self.endpoint = endpoint
        self.servers = servers
        self.until = until
    }
}

/// A part of what one sweep found on one host: `present[i]` is the ledger's entry `first + i`, there and whole.
package struct VerifyBatch: Hashable, Sendable, Codable {
    package var sweep: Int
    /// The plan's `endpoint`, or a server's host.
    package var host: HostName
    /// Index into the plan's ledgers.
    package var ledger: Int
    package var first: Int
    package var present: [Bool]
    /// From the first question of the sweep that counts to its last answer.
    package var interval: InstantInterval

    package init(
        sweep: Int, host: HostName, ledger: Int, first: Int, present: [Bool],
        interval: InstantInterval
    ) {
        self.sweep = sweep
        self.host = host
        self.ledger = ledger
        self.first = first
        self.present = present
        self.interval = interval
    }
}

/// How reading back one host went.
package struct VerifyFacts: Hashable, Sendable, Codable {
    package var sweep: Int
    package var host: HostName
    /// Who answered for the endpoint, where the client can tell (an identity: `HistoryEvent.Kind.identity`).
    package var answeredBy: String?
    /// The strongest kind of read that the client has, in its own words: `primary, READ COMMITTED`.
    package var readLevel: String
    /// How often all keys were read until two sweeps agreed.
    package var sweeps: Int
    /// Nil: done. Else why keys stayed unread.
    package var failure: String?

    package init(
        sweep: Int, host: HostName, answeredBy: String? = nil, readLevel: String, sweeps: Int,
        failure: String? = nil
    ) {
        self.sweep = sweep
        self.host = host
        self.answeredBy = answeredBy
        self.readLevel = readLevel
        self.sweeps = sweeps
        self.failure = failure
    }
}

/// A question asked of each server again and again, by a client and not by a program on the host (`query:` probes).
package struct WatchPlan: Hashable, Sendable, Codable {
    /// `role`; comes back with each answer.
    package var id: String
    package var client: String
    /// The query's own keys: `sql`, `command`, and those that tell how to connect.
    package var parameters: [String: String]
    package var equals: String
    package var every: Duration
    package var servers: [LoadServer]

    package init(
        id: String, client: String, parameters: [String: String], equals: String, every: Duration,
        servers: [LoadServer]
    ) {
        self.id = id
        self.client = client
        self.parameters = parameters
        self.equals = equals
        self.every = every
        self.servers = servers
    }
}

/// One answered question of a `WatchPlan`.
package struct WatchAnswer: Hashable, Sendable, Codable {
    package var id: String
    package var host: HostName
    package var value: Bool
    package var asked: RunInstant
    package var answered: RunInstant
    /// The server's identity: another one means that it was started anew in between. Empty where it refused to talk.
    package var identity: String
    /// `HistoryEvent.RoleObservation.term`.
    package var term: Int64?

    package init(
        id: String, host: HostName, value: Bool, asked: RunInstant, answered: RunInstant,
        identity: String, term: Int64? = nil
    ) {
        self.id = id
        self.host = host
        self.value = value
        self.asked = asked
        self.answered = answered
        self.identity = identity
        self.term = term
    }
}
