/// The reference pair's protocol: what one node does about each thing that happens to it. It performs nothing; actions are
/// to be carried out in their order, each before the next (`persist` before what follows from it).
///
/// Two nodes hold data, and a third may vote. Why at most one of them is primary where there is a witness:
/// - An epoch is granted by the witness, once, to one node, and the grant is on disk before it is told.
/// - A primary serves until `lease` after it sent the last heartbeat that the witness *or* the standby answered. Each of them
///   promises with its answer not to help another primary for `detect`: the witness grants nothing, the standby does not
///   begin although it was elected. A new primary needs both, an old one has either: the promises always meet.
/// - Who restarts has forgotten its promise and waits for `detect` first.
///
/// Why no acknowledged write is lost with `acknowledgesReplicated`: a write is acknowledged when the standby has it in its
/// log, or when the authority has on disk that the standby is out of sync; and out of sync, it is not elected. None of
/// this needs a clock.
///
/// Without a witness the standby promotes itself, and a partition makes two primaries: that is the configuration's hazard.
package struct TwinCore: ~Copyable, Sendable {
    package enum Role: UInt8, Sendable {
        case witness, standby, candidate
        /// Has the epoch, and waits until its own promise to the last primary has run out.
        case elected
        case primary
    }

    /// What a primary does about its standby.
    enum Sync: UInt8, Sendable {
        /// The authority has on disk that the standby is out of sync: acknowledges without it.
        case alone
        /// Still on record as out of sync, but nothing is acknowledged without it any more.
        case joining
        /// In sync, or about to be on record as such.
        case level
        /// To be on record as out of sync; until then nothing is acknowledged without it.
        case leaving
    }

    package enum Event: Sendable {
        case tick
        case message(Message)
        /// A primary's shell has put as many records of this epoch at the end of its log; only where `takesWrites` said
        /// so at the same instant.
        case wrote(Int64)
        /// The replication link broke.
        case linkLost
        case switchover
    }

    package enum Action: Sendable {
        case send(Message)
        /// Bring `record` to disk.
        case persist
        /// Cut the log off after this record.
        case truncate(Int64)
        /// Put the records that came with the message in hand at the end of the log.
        case store(first: Int64, last: Int64)
        /// Acknowledged through this record.
        case committed(Int64)
        case becamePrimary
        /// Give the address up before anything else.
        case steppedDown(StepDown)
        /// The primary has been silent for so long.
        case noticed(Int64)
        /// This standby's log is now a part of the primary's.
        case following
        /// The primary's standby came to be in sync, or ceased to be.
        case standby(inSync: Bool)
    }

    /// Records up to this one, and when they were written.
    struct Unconfirmed: Sendable {
        var through: Int64
        var at: Int64
    }

    package enum StepDown: UInt8, Sendable { case lease, newerEpoch, switchover }

    package let configuration: TwinConfiguration
    package internal(set) var record: TwinRecord
    package internal(set) var log: EpochLog
    package internal(set) var role: Role
    package internal(set) var committed: Int64 = 0

    /// Witness and standby: whom they answered, and must not let down before then.
    var promisedUntil: Int64

    // A standby and candidate.
    var heardAt: Int64
    /// When to stand for election, unless a primary is heard.
    var standAt: Int64
    var noticed = false
    /// 0: has asked for none.
    var proposal: Int64 = 0
    var askAgainAt: Int64 = 0
    /// The epoch that a primary let go of; 0: none.
    var releasedEpoch: Int64 = 0
    /// The log is known to be a part of the primary's.
    var matched = false
    var followAt: Int64 = 0
    var grewAt: Int64 = 0
    /// As the primary of this epoch said last.
    package internal(set) var primaryLast: Int64 = 0
    package internal(set) var saidInSync = false
    /// After a switchover: the last word to the standby, said again until it acts.
    var lastWord: Message?
    var lastWordUntil: Int64 = 0

    // A primary.
    var heartbeatAt: Int64 = 0
    /// `.max` without a witness: nobody else is asked.
    var leaseUntil: Int64 = 0
    var sync = Sync.alone
    var serial: Int64 = 0
    var confirmedSerial: Int64 = 0
    var peerHeardAt: Int64 = 0
    /// The next record to send; 0: the standby does not follow.
    var nextToSend: Int64 = 0
    package internal(set) var replicated: Int64 = 0
    /// Records that wait for the standby, the oldest first. None while it is on record as out of sync.
    var unconfirmed: [Unconfirmed] = []
    var handoverUntil: Int64 = 0
    var sampleRecord: Int64 = 0
    var sampleAt: Int64 = 0
    /// From a record's writing until the standby's answer, as last measured; ns.
    package internal(set) var replicationDelay: Int64 = 0

    /// A node that starts, with what it had on disk.
    package init(
        _ configuration: TwinConfiguration, record: TwinRecord, log: EpochLog, now: Int64
    ) {
        self.configuration = configuration
        self.record = record
        self.log = log
        role = configuration.node == TwinConfiguration.witness ? .witness : .standby
        promisedUntil = now + configuration.detect
        if configuration.planted == .witnessRestartDoesNotWait { promisedUntil = now }
        heardAt = now
        // Two that start together: a is first. A host that comes back does not meet an election of its own making.
        standAt = now + configuration.detect * (configuration.node == 0 ? 5 : 8)
    }

    // MARK: - What a shell asks

    package func serves(_ now: Int64) -> Bool { role == .primary && now < leaseUntil }

    package func takesWrites(_ now: Int64) -> Bool { serves(now) && handoverUntil == 0 }

    /// Of a primary: its standby; of a standby: itself, as far as it knows.
    package func isInSync(_ now: Int64) -> Bool {
        switch role {
        case .primary: sync == .level && confirmedSerial == serial
        case .standby: matched && saidInSync && now - heardAt < configuration.detect
        case .witness: record.inSync
        case .candidate, .elected: false
        }
    }

    /// For a standby: a primary is heard and followed.
    package func isFollowing(_ now: Int64) -> Bool {
        role == .standby && matched && now - heardAt < configuration.detect
    }

    /// When `tick` is due at the latest.
    package var nextDeadline: Int64 {
        switch role {
        case .witness: .max
        case .primary: min(heartbeatAt, leaseUntil)
        case .elected: min(heartbeatAt, promisedUntil)
        case .candidate: askAgainAt
        case .standby:
            lastWord == nil ? standAt : min(heartbeatAt, standAt)
        }
    }

    // MARK: - What happens

    package mutating func handle(_ event: Event, now: Int64, into out: inout [Action]) {
        // A primary that was stopped past its lease learns it before it does anything else.
        if role == .primary, !serves(now) { stepDown(.lease, now, &out) }
        switch event {
        case .tick: tick(now, &out)
        case .message(let message): receive(message, now, &out)
        case .wrote(let count): wrote(count, now, &out)
        case .linkLost:
            nextToSend = 0
            if matched {
                matched = false
                followAt = now
            }
        case .switchover:
            guard role == .primary, sync == .level, confirmedSerial == serial else { break }
            handoverUntil = now + configuration.patience * 10
            finishHandover(now, &out)
        }
    }

    private mutating func tick(_ now: Int64, _ out: inout [Action]) {
        switch role {
        case .witness: break
        case .standby:
            if now >= standAt { lostPrimary(now, &out) } else { sayLastWord(now, &out) }
        case .candidate:
            if now >= askAgainAt { ask(now, &out) }
        case .elected:
            if now >= promisedUntil { becomePrimary(now, &out) }
            if role == .elected, now >= heartbeatAt { sendHeartbeats(now, &out) }
        case .primary:
            if now >= heartbeatAt {
                watchStandby(now, &out)
                sendHeartbeats(now, &out)
            }
        }
    }

    private mutating func receive(_ message: Message, _ now: Int64, _ out: inout [Action]) {
        if role == .witness { return witness(message, now, &out) }
        switch message.kind {
        case .heartbeat: heartbeat(message, now, &out)
        case .heartbeatAnswer: heartbeatAnswer(message, now, &out)
        case .granted: granted(message, now, &out)
        case .refused: refused(message, now, &out)
        case .released: released(message, now, &out)
        case .follow: follow(message, now, &out)
        case .cut: cut(message, now, &out)
        case .append: append(message, now, &out)
        case .appended: appended(message, now, &out)
        case .voteRequest: break
        }
    }

    /// A newer epoch than this node's: whoever is primary, it is another.
    mutating func adopt(_ epoch: Int64, _ now: Int64, _ out: inout [Action]) {
        guard epoch > record.epoch || (epoch == record.epoch && has(.adoptsEqualEpoch)) else {
            return
        }
        if role == .primary { stepDown(.newerEpoch, now, &out) }
        role = .standby
        record = TwinRecord()
        record.epoch = epoch
        record.inSync = false
        out.append(.persist)
        listenAnew(now)
    }

    mutating func stepDown(_ reason: StepDown, _ now: Int64, _ out: inout [Action]) {
        role = .standby
        handoverUntil = 0
        nextToSend = 0
        out.append(.steppedDown(reason))
        listenAnew(now)
    }

    mutating func listenAnew(_ now: Int64) {
        heardAt = now
        standAt = now + configuration.detect
        noticed = false
        matched = false
        saidInSync = false
        followAt = now
        releasedEpoch = 0
        lastWord = nil
    }

    func has(_ bug: PlantedBug) -> Bool { configuration.planted == bug }

    func message(_ kind: Message.Kind, to node: UInt8) -> Message {
        Message(kind, from: configuration.node, to: node, epoch: record.epoch)
    }
}
