import Testing
import TwinCore

private let ms: Int64 = 1_000_000

/// One node, and what it does about one thing after another; times in milliseconds.
private final class Bench {
    private(set) var core: TwinCore
    var out: [TwinCore.Action] = []

    init(
        node: UInt8, witness: Bool = true, replicated: Bool = true,
        record: TwinRecord = TwinRecord(), epochs: [Int64] = []
    ) {
        var log = EpochLog()
        for epoch in epochs { log.append(through: log.last + 1, epoch: epoch) }
        let configuration = TwinConfiguration(
            node: node, hasWitness: witness, acknowledgesReplicated: replicated)
        core = TwinCore(configuration, record: record, log: log, now: 0)
    }

    func serves(at now: Int64) -> Bool { core.serves(now * ms) }
    func takesWrites(at now: Int64) -> Bool { core.takesWrites(now * ms) }
    func isInSync(at now: Int64) -> Bool { core.isInSync(now * ms) }

    /// What it does, without the heartbeats.
    @discardableResult
    func handle(_ event: TwinCore.Event, at now: Int64) -> [TwinCore.Action] {
        out = []
        core.handle(event, now: now * ms, into: &out)
        return out
    }

    @discardableResult
    func hear(
        _ kind: Message.Kind, from: UInt8, epoch: Int64, at now: Int64,
        _ fill: (inout Message) -> Void = { _ in }
    ) -> [Message] {
        var message = Message(kind, from: from, to: core.configuration.node, epoch: epoch)
        fill(&message)
        return Self.sent(handle(.message(message), at: now))
    }

    static func sent(_ actions: [TwinCore.Action]) -> [Message] {
        actions.compactMap { if case .send(let message) = $0 { message } else { nil } }
    }

    var committed: Int64? {
        out.reversed().compactMap { if case .committed(let through) = $0 { through } else { nil } }
            .first
    }

    var persists: Bool {
        out.contains { if case .persist = $0 { true } else { false } }
    }

    var steppedDown: TwinCore.StepDown? {
        out.compactMap { if case .steppedDown(let why) = $0 { why } else { nil } }.first
    }

    /// Node a, primary of epoch 2 since 175 ms, its standby on record as in sync since 180 ms.
    static func level() -> Bench {
        let bench = Bench(node: 0)
        bench.handle(.tick, at: 175)
        bench.hear(.granted, from: 2, epoch: 2, at: 176) { $0.stamp = 175 * ms }
        bench.hear(.follow, from: 1, epoch: 2, at: 177)
        bench.hear(.appended, from: 1, epoch: 2, at: 178)
        bench.hear(.heartbeatAnswer, from: 1, epoch: 2, at: 179) { $0.stamp = 178 * ms }
        bench.hear(.heartbeatAnswer, from: 2, epoch: 2, at: 180) {
            $0.stamp = 178 * ms
            $0.mark = 1
            $0.flag = true
        }
        return bench
    }
}

@Suite struct TwinCoreTests {
    // MARK: - The witness

    @Test func `the witness votes once for an epoch, and keeps it before it says so`() {
        let witness = Bench(node: 2)
        let first = witness.hear(.voteRequest, from: 0, epoch: 2, at: 100)
        #expect(first.map(\.kind) == [.granted])
        guard case .persist = witness.out[0] else {
            Issue.record("told before it was kept")
            return
        }
        #expect(witness.hear(.voteRequest, from: 1, epoch: 2, at: 900).map(\.kind) == [.refused])
        // The same one may be told again, and nothing new is to be kept.
        #expect(witness.hear(.voteRequest, from: 0, epoch: 2, at: 900).map(\.kind) == [.granted])
        #expect(!witness.persists)
    }

    @Test(
        arguments: [
            // asked so long after the witness answered a heartbeat
            (34, Message.Kind.refused), (35, .granted),
        ] as [(Int64, Message.Kind)])
    func `the witness keeps its promise to a primary that it answered`(
        after: Int64, answer: Message.Kind
    ) {
        let witness = Bench(node: 2)
        witness.hear(.voteRequest, from: 0, epoch: 2, at: 100)
        witness.hear(.heartbeat, from: 0, epoch: 2, at: 200) {
            $0.flag = true
            $0.mark = 1
        }
        let sent = witness.hear(.voteRequest, from: 1, epoch: 3, at: 200 + after)
        #expect(sent.map(\.kind) == [answer])
    }

    @Test func `a witness that restarted has forgotten its promise, and waits`() {
        var record = TwinRecord()
        record.epoch = 2
        record.primary = 0
        let witness = Bench(node: 2, record: record)
        #expect(witness.hear(.voteRequest, from: 1, epoch: 3, at: 34).map(\.kind) == [.refused])
        #expect(witness.hear(.voteRequest, from: 1, epoch: 3, at: 35).map(\.kind) == [.granted])
    }

    @Test func `a standby that is on record as out of sync gets no vote, the last primary does`() {
        let witness = Bench(node: 2)
        witness.hear(.voteRequest, from: 0, epoch: 2, at: 100)
        #expect(witness.hear(.voteRequest, from: 1, epoch: 3, at: 900).map(\.kind) == [.refused])
        #expect(witness.hear(.voteRequest, from: 0, epoch: 4, at: 900).map(\.kind) == [.granted])
    }

    @Test func `a primary's older statement that arrives late changes nothing`() {
        let witness = Bench(node: 2)
        witness.hear(.voteRequest, from: 0, epoch: 2, at: 100)
        for (mark, inSync) in [(1, true), (2, false), (1, true)] as [(Int64, Bool)] {
            witness.hear(.heartbeat, from: 0, epoch: 2, at: 110) {
                $0.mark = mark
                $0.flag = inSync
            }
        }
        #expect(witness.hear(.voteRequest, from: 1, epoch: 3, at: 900).map(\.kind) == [.refused])
    }

    @Test func `a primary that let go need not be waited for`() {
        let witness = Bench(node: 2)
        witness.hear(.voteRequest, from: 0, epoch: 2, at: 100)
        witness.hear(.heartbeat, from: 0, epoch: 2, at: 110) {
            $0.flag = true
            $0.mark = 1
        }
        let sent = witness.hear(.voteRequest, from: 1, epoch: 3, at: 111) {
            $0.flag = true
            $0.mark = 2
        }
        #expect(sent.map(\.kind) == [.granted])
    }

    // MARK: - Writes

    @Test func `a write is acknowledged when the standby has it`() {
        let primary = Bench.level()
        #expect(primary.takesWrites(at: 181))
        primary.handle(.wrote(1), at: 181)
        #expect(primary.committed == nil)
        primary.hear(.appended, from: 1, epoch: 2, at: 182) { $0.last = 1 }
        #expect(primary.committed == 1)
    }

    @Test func `with the standby gone a write waits until that is on record`() {
        let primary = Bench.level()
        primary.handle(.wrote(1), at: 181)
        for now in stride(from: 188, through: 218, by: 10) as StrideThrough<Int64> {
            primary.handle(.tick, at: now)
            primary.hear(.heartbeatAnswer, from: 2, epoch: 2, at: now) {
                $0.stamp = now * ms
                $0.mark = 1
            }
            #expect(primary.committed == nil)
        }
        // 39 ms after the standby's last answer it says so to the witness; an answer to an older statement is none.
        #expect(!primary.isInSync(at: 218))
        primary.hear(.heartbeatAnswer, from: 2, epoch: 2, at: 219) {
            $0.stamp = 218 * ms
            $0.mark = 2
        }
        #expect(primary.committed == 1)
    }

    @Test func `a primary that nobody answers serves for a lease, and no longer`() {
        let primary = Bench.level()
        #expect(primary.serves(at: 207))
        #expect(!primary.serves(at: 208))
        primary.handle(.tick, at: 208)
        #expect(primary.steppedDown == .lease)
    }

    @Test func `a stopped primary that wakes steps down before anything else`() {
        let primary = Bench.level()
        primary.hear(.heartbeatAnswer, from: 1, epoch: 2, at: 500) { $0.stamp = 178 * ms }
        #expect(primary.steppedDown == .lease)
    }

    @Test func `a higher epoch ends a primary`() {
        let primary = Bench.level()
        primary.hear(.heartbeat, from: 1, epoch: 3, at: 185)
        #expect(primary.steppedDown == .newerEpoch)
        #expect(primary.core.record.epoch == 3)
        #expect(primary.persists)
    }

    // MARK: - Elections

    @Test
    func
        `a standby that answered a heartbeat waits with its election until the promise has run out`()
    {
        let standby = Bench(node: 1)
        standby.hear(.heartbeat, from: 0, epoch: 2, at: 100)
        standby.handle(.tick, at: 135)
        #expect(standby.core.role == .candidate)
        // Late, and answered: the old primary may serve on for a while.
        standby.hear(.heartbeat, from: 0, epoch: 2, at: 136)
        standby.hear(.granted, from: 2, epoch: 5, at: 137) { $0.stamp = 135 * ms }
        #expect(standby.core.role == .elected)
        #expect(!standby.serves(at: 137))
        standby.hear(.heartbeatAnswer, from: 2, epoch: 5, at: 160) { $0.stamp = 158 * ms }
        standby.handle(.tick, at: 170)
        #expect(standby.core.role == .elected)
        standby.handle(.tick, at: 171)
        #expect(standby.core.role == .primary)
    }

    @Test func `without a witness the standby promotes itself, unless it is out of sync`() {
        for isInSync in [true, false] {
            let standby = Bench(node: 1, witness: false)
            standby.hear(.heartbeat, from: 0, epoch: 2, at: 100) {
                $0.mark = 1
                $0.flag = isInSync
            }
            standby.handle(.tick, at: 135)
            #expect(standby.serves(at: 136) == isInSync)
        }
    }

    @Test func `a node that was away cuts off what the new primary does not have`() {
        let old = Bench(node: 0, epochs: [2, 2, 2])
        let asked = old.hear(.heartbeat, from: 1, epoch: 3, at: 100) { $0.last = 4 }
        #expect(asked.map(\.kind) == [.heartbeatAnswer, .follow])
        old.hear(.cut, from: 1, epoch: 3, at: 101) {
            $0.first = 3
            $0.stamp = 2
            $0.last = 2
            $0.mark = 2
        }
        #expect(old.core.log.last == 2)
        let answer = old.hear(.append, from: 1, epoch: 3, at: 102) {
            $0.first = 3
            $0.last = 4
            $0.mark = 3
            $0.stamp = 2
        }
        #expect(answer.map(\.kind) == [.appended])
        #expect(answer.first?.last == 4)
        #expect(old.core.log.lastEpoch == 3)
    }

    @Test func `an answer to an earlier question cuts nothing off`() {
        let standby = Bench(node: 1, epochs: [2, 2, 2])
        standby.hear(.heartbeat, from: 0, epoch: 2, at: 100) { $0.last = 3 }
        standby.hear(.cut, from: 0, epoch: 2, at: 101) {
            $0.first = 1
            $0.stamp = 2
            $0.last = 1
            $0.mark = 2
        }
        #expect(standby.core.log.last == 3)
    }

    @Test func `a switchover hands over a log that is level, and takes no writes meanwhile`() {
        let primary = Bench.level()
        primary.handle(.wrote(1), at: 181)
        primary.handle(.switchover, at: 182)
        #expect(primary.serves(at: 182))
        #expect(!primary.takesWrites(at: 182))
        let sent = primary.hear(.appended, from: 1, epoch: 2, at: 183) { $0.last = 1 }
        #expect(primary.committed == 1)
        #expect(primary.steppedDown == .switchover)
        #expect(sent.contains { $0.kind == .released && $0.last == 1 })
    }
}
