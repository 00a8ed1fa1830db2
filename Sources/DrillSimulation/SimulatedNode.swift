import TwinCore

/// A node of a simulated pair: the machine, the disk under it, its clock, and who waits for its answer.
struct SimulatedNode: ~Copyable, Sendable {
    /// A client that waits until the record `through` is acknowledged.
    struct Waiting: Sendable {
        var through: Int64
        var isRead: Bool
        /// ns.
        var asked: Int64
        /// What had been acknowledged when it asked.
        var floor: Int64
        /// Of the recorded operations; -1: not recorded.
        var operation: Int
    }

    var core: TwinCore
    /// The files, as a process that starts again finds them.
    var record = TwinRecord()
    var log = EpochLog()
    /// The files, as a host that lost its power finds them.
    var syncedRecord = TwinRecord()
    var syncedLog = EpochLog()
    var isUp = true
    /// So many pauses are on.
    var pauses = 0
    /// Came while it was paused.
    var held: [Message] = []
    var waiting: [Waiting] = []
    /// So many steps until it crashes; -1: it does not.
    var crashIn = -1
    /// The place of the crash in the plan that waits for its moment, or that keeps it down; -1: none.
    var crash = -1
    var losesPower = false
    /// `atOnce` where none is awaited.
    var crashMoment = CrashMoment.atOnce
    var crashSteps = 0
    /// Parts in 1,000.
    let rate: Int64
    var offset: Int64
    /// When its next tick is due, in the pair's time.
    var tickAt: Int64 = .max
    /// The last replication message to it arrives then; none overtakes it.
    var inOrder: Int64 = 0

    init(_ configuration: TwinConfiguration, rate: Int64, offset: Int64) {
        self.rate = rate
        self.offset = offset
        core = TwinCore(configuration, record: record, log: log, now: offset)
    }

    var isPaused: Bool { pauses > 0 }

    func local(_ now: Int64) -> Int64 { offset + now + now / 1000 * rate }

    /// An instant, less than 2 µs after the first one, at which its clock shows `local`.
    func global(_ local: Int64) -> Int64 { (local - offset) / (1000 + rate) * 1000 + 1000 }

    /// A step of what it does; false: the crash comes here.
    mutating func step() -> Bool {
        if crashIn < 0 { return true }
        if crashIn == 0 { return false }
        crashIn -= 1
        return true
    }
}
