import DrillCore
import Glibc

/// What a keeper's changes are made with.
@LabActor
protocol KeeperHands: AnyObject {
    /// The interval is from just before the change to the kernel's acknowledgement.
    func perform(_ change: Change) async throws(LabFailure) -> InstantInterval
    /// Whether something of a change that failed may be there, and has to be compared and restored.
    func mayBePartial(_ change: Change) -> Bool
    /// Compares and restores; never gives up before it has an answer.
    func undo(_ record: UndoRecord) async -> Undone
    /// Everything was taken back without an order.
    func healed(by: HealedBy, why: String, _ outcomes: [UndoOutcome], _ interval: InstantInterval)
    /// Another has the journal and heals: end at once.
    func abandon(why: String)
}

struct Undone: Hashable, Sendable {
    var verdict: HealVerdict
    /// Why it could not be restored.
    var message: String?
    var interval: InstantInterval
}

/// Carries out what `AgentMachine` decides: the journal, the lease, the watchdog's heartbeats. It survives every fault.
@LabActor
final class Keeper {
    private var machine: AgentMachine
    private let journal: Journal
    private let watchdog: WatchdogProcess
    private weak var hands: (any KeeperHands)?
    private var lastRequest = 0
    private var answers: [Int: Promise<AgentMachine.Answer>] = [:]
    private var intervals: [Int: InstantInterval] = [:]
    /// What a commit let through, for the caller of `change` to perform in the same breath.
    private var permitted: UndoRecord?
    private var allHealed: Promise<[UndoOutcome]>?
    private var isOver = false

    /// - Parameters:
    ///   - lock: of the run's folder, held.
    ///   - watchdog: started before the folder was made, so that at no instant there is something that nobody watches.
    init(
        _ folder: RunFolder, lock: Descriptor, hands: any KeeperHands, watchdog: WatchdogProcess
    ) throws(LabFailure) {
        journal = try Journal(folder: folder.path, lock: lock)
        guard journal.contents.open.isEmpty else {
            throw LabFailure(
                kind: .failed,
                message: "run \(folder.run) left changes behind; `firedrill heal` undoes them")
        }
        machine = AgentMachine(
            epoch: journal.epoch, bootID: try BootInstant.bootID(),
            nextNumber: journal.contents.lastNumber + 1)
        self.hands = hands
        self.watchdog = watchdog
        spawn { [weak self] in await self?.tick() }
        let ended = watchdog.ended
        spawn { [weak self] in
            _ = await ended.wait()
            guard let self, !isOver else { return }
            handle(.peerDied)
        }
    }

    private func tick() async {
        while !isOver {
            handle(.tick)
            await Reactor.shared.sleep(.milliseconds(100))
        }
    }

    // MARK: orders

    func beginLease(_ duration: Duration) { handle(.beginLease(duration)) }

    /// A kept lab needs no controller.
    func endLease() { handle(.endLease) }

    func renew() throws(LabFailure) {
        try require(ask { .renew(request: $0) }.value)
    }

    /// Epoch and lease, looked at just before a change that leaves nothing to undo.
    func check() throws(LabFailure) {
        try require(ask { .pass(request: $0) }.value)
    }

    /// Writes the record, makes the change, and answers when it was made.
    func change(_ wanted: AgentMachine.Request) async throws(LabFailure) -> InstantInterval {
        let answer = ask { .change(request: $0, wanted) }
        if let record = permitted {
            permitted = nil
            do throws(LabFailure) {
                guard let hands else {
                    throw LabFailure(kind: .failed, message: "the agent is ending")
                }
                TestHooks.point("change \(record.number): permitted")
                intervals[record.number] = try await hands.perform(record.change)
                TestHooks.point("change \(record.number): performed")
                handle(.performed(record.number))
            } catch {
                let isPartial = hands?.mayBePartial(record.change) ?? true
                handle(
                    isPartial
                        ? .failed(record.number, error) : .refused(record.number, error))
            }
            defer { intervals[record.number] = nil }
            try require(await answer.wait())
            return intervals[record.number] ?? InstantInterval(.now)
        }
        try require(await answer.wait())
        return InstantInterval(.now)
    }

    var openRecords: [UndoRecord] { machine.openRecords }

    /// The open record that the operation undoes.
    func record(undoneBy undo: Change) -> UndoRecord? { machine.record(undoneBy: undo) }

    /// The verdict of a change that was healed before this was ordered.
    func takeOutcome(ofUndo undo: Change) -> UndoOutcome? { machine.takeOutcome(ofUndo: undo) }

    func undo(_ record: UndoRecord) async throws(LabFailure) -> Undone {
        let low = RunInstant.now
        let answer = await ask { .undo(request: $0, record: record.number) }.wait()
        let interval = intervals.removeValue(forKey: -record.number)
        switch answer {
        case .undone(let verdict, let message):
            return Undone(
                verdict: verdict, message: message,
                interval: interval ?? InstantInterval(low: low, high: .now))
        case .failed(let failure): throw failure
        case .done:
            return Undone(verdict: .restored, interval: InstantInterval(low: low, high: .now))
        }
    }

    /// A change that another's undoing took back as well.
    func settle(undoneBy undo: Change) {
        if let record = machine.record(undoneBy: undo) { handle(.settled(record.number)) }
    }

    /// Takes every open change back, the last first, past failures; `KeeperHands.healed` is told. Changes may follow.
    @discardableResult
    func healAll(by: HealedBy, why: String) async -> [UndoOutcome] {
        await healing(.heal(by: by, why: why)).wait()
    }

    /// The same, for good; what is still being performed is awaited. The lease ends with it; the watchdog stays until
    /// `farewell`.
    func end(by: HealedBy, why: String) -> Promise<[UndoOutcome]> {
        healing(.end(by: by, why: why))
    }

    var isUndoing: Bool { machine.isUndoing }

    /// What could not be taken back so far, ordered or not: the journal has it open.
    var unrestored: [UndoOutcome] { machine.unrestored }

    /// Nothing is left to be healed: the watchdog goes.
    func farewell() async {
        isOver = true
        await watchdog.dismiss()
    }

    private func healing(_ event: AgentMachine.Event) -> Promise<[UndoOutcome]> {
        let promise = allHealed ?? Promise()
        allHealed = promise
        handle(event)
        return promise
    }

    // MARK: the machine

    private func ask(_ event: (Int) -> AgentMachine.Event) -> Promise<AgentMachine.Answer> {
        lastRequest += 1
        let promise = Promise<AgentMachine.Answer>()
        answers[lastRequest] = promise
        handle(event(lastRequest))
        return promise
    }

    private func require(_ answer: AgentMachine.Answer?) throws(LabFailure) {
        switch answer {
        case .failed(let failure): throw failure
        case .done, .undone: break
        case nil: throw LabFailure(kind: .failed, message: "the keeper did not answer")
        }
    }

    private func handle(_ event: AgentMachine.Event) {
        var directives: [AgentMachine.Directive] = []
        machine.handle(event, now: .now, into: &directives)
        for directive in directives { carryOut(directive) }
    }

    private func carryOut(_ directive: AgentMachine.Directive) {
        switch directive {
        case .append(let entry): append(entry)
        case .commit(let ticket): commit(ticket)
        case .perform(let record): permitted = record
        case .permit(let request): answers.removeValue(forKey: request)?.fulfil(.done)
        case .undo(let record):
            spawn { [self] in
                TestHooks.point("undo \(record.number): permitted")
                let undone = await hands?.undo(record)
                TestHooks.point("undo \(record.number): performed")
                intervals[-record.number] = undone?.interval
                handle(
                    .undone(
                        record.number, undone?.verdict ?? .restoreFailed,
                        undone.map(\.message) ?? "the agent is ending"))
            }
        case .answer(let request, let answer):
            answers.removeValue(forKey: request)?.fulfil(answer)
        case .beat(let until): watchdog.beat(until: until)
        case .healed(let by, let why, let outcomes):
            let low = outcomes.compactMap { intervals[-$0.record.number]?.low }.min() ?? .now
            for outcome in outcomes { intervals[-outcome.record.number] = nil }
            hands?.healed(by: by, why: why, outcomes, InstantInterval(low: low, high: .now))
            allHealed?.fulfil(outcomes)
            allHealed = nil
        case .abandon(let why): hands?.abandon(why: why)
        }
    }

    private func append(_ entry: JournalEntry) {
        do throws(LabFailure) {
            try journal.append(entry)
            TestHooks.point("journal: \(entry.name)")
            // What lasts must not be undone twice, not even after a power cut.
            if case .closed(let number, _, _, _) = entry, lasting.remove(number) != nil {
                try journal.sync(always: true)
            }
            if case .begun(let record) = entry, record.isLasting { lasting.insert(record.number) }
        } catch {
            journalFailure = journalFailure ?? error
        }
    }

    private var lasting: Set<Int> = []
    private var journalFailure: LabFailure?

    private func commit(_ ticket: AgentMachine.Ticket) {
        do throws(LabFailure) {
            if let journalFailure { throw journalFailure }
            try journal.sync()
            TestHooks.point("journal: synced")
            handle(.committed(ticket, epoch: try journal.currentEpoch()))
        } catch {
            journalFailure = error
            // A disk that takes no record lets no change be made, but it keeps none in place either.
            handle(.unwritten(ticket, error))
        }
    }
}
