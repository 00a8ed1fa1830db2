/// What must never happen in a drill of a pair with a witness that acknowledges `replicated`.
package enum DrillViolation: CaseIterable, Hashable, Sendable {
    case twoPrimaries
    case lostWrite
    case lostRead
    case staleRead
    case forked
    case epochReused
    case brokenLog
    case notRecovered
    case unservedTooLong
    case unansweredTooLong
    case endless
    case notLinearizable

    package var name: String {
        "\(self)".reduce(into: "") { $0 += $1.isUppercase ? "-" + $1.lowercased() : String($1) }
    }

    package var summary: String {
        switch self {
        case .twoPrimaries: "two nodes serve at the same instant"
        case .lostWrite: "a node became primary without a write that had been acknowledged"
        case .lostRead: "a node became primary without a record that had been read"
        case .staleRead: "a read does not show what had been acknowledged before it was asked"
        case .forked: "two different records were acknowledged, or read, under one number"
        case .epochReused: "an epoch has two reigns"
        case .brokenLog: "records were stored that do not go on where the log ends"
        case .notRecovered: "all is healed, and the pair has no primary with a standby in sync"
        case .unservedTooLong: "after a single fault nobody served for too long"
        case .unansweredTooLong: "during a single fault a write waited too long for its answer"
        case .endless: "nothing comes to rest"
        case .notLinearizable: "no order of what clients asked and were answered is a register's"
        }
    }
}

/// What must be over by when, at the timers that the pair has by default (heartbeat 10 ms, detect 35 ms); ns of true
/// time, while clocks are up to 4 % slow.
package enum DrillBounds {
    /// After all faults: a node that starts waits for 8 × detect, then the vote, then up to 2 × patience to follow. Within
    /// the same time all writes are taken and answered.
    package static let recovery: Int64 = 1_000_000_000
    /// After one fault that leaves the network to the others as it was: detect, and a vote that comes at most a heartbeat
    /// after the promise to the old primary has run out.
    package static let unserved: Int64 = 35_000_000 * 105 / 100 + 10_000_000
    /// During such a fault: patience, the next look, and the word of the witness.
    package static let unanswered: Int64 = 110_000_000 * 105 / 100 + 1_000_000
    /// In a drill; most have 235.
    package static let events = 50_000
}

/// How a drill went.
package struct DrillOutcome: Hashable, Sendable {
    /// The first one ends the drill.
    package internal(set) var violation: DrillViolation?
    package internal(set) var violatedAt: Int64 = 0
    /// A fault did something: a node stopped or was paused, a message was lost, late or doubled, a link broke, a primary
    /// handed over.
    package internal(set) var tookEffect = false
    /// `DrillBounds` hold for it.
    package internal(set) var isBounded = false
    package internal(set) var events = 0
    package internal(set) var promotions = 0
    /// Writes that were acknowledged.
    package internal(set) var acknowledged: Int64 = 0
    /// The longest time in which nobody served, once somebody had; ns.
    package internal(set) var longestGap: Int64 = 0
    /// The longest time for which a write waited, whether it was answered or not; ns.
    package internal(set) var longestWait: Int64 = 0
    /// From the end of the last fault, and half a second at least, until the pair was seen to be whole; ns.
    package internal(set) var recovery: Int64 = 0
    /// The drill's length; ns.
    package internal(set) var simulated: Int64 = 0
    /// Of every event, in its order.
    package internal(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325
}
