package import DrillCore

/// Decides what the keeper of a journal does (docs/HEALING.md): what is written before what is changed, whether a change
/// may still be made, and what is undone when nobody orders it any more. It performs nothing.
///
/// The shell carries directives out in order, and answers `commit`, `perform` and `undo` with an event each. Several
/// changes may be under way at once; an order to heal undoes one after the other, the last first.
package struct AgentMachine: Sendable {
    package struct Request: Hashable, Sendable {
        package var change: Change
        package var undo: Change
        package var before: String?
        package var sets: String?
        package var isLasting: Bool

        package init(
            change: Change, undo: Change, before: String? = nil, sets: String? = nil,
            isLasting: Bool = false
        ) {
            self.change = change
            self.undo = undo
            self.before = before
            self.sets = sets
            self.isLasting = isLasting
        }
    }

    /// What a look at epoch and clock is for.
    package enum Ticket: Hashable, Sendable {
        case change(Int)
        case undo(Int)
        /// A request without a record: it leaves nothing that could be undone.
        case pass(request: Int)
    }

    package enum Event: Hashable, Sendable {
        /// From now on changes may stay for as long, and again from each renewal.
        case beginLease(Duration)
        case change(request: Int, Request)
        case pass(request: Int)
        /// The journal is on the disk. The epoch was read after that; nil: the lock's file is gone.
        case committed(Ticket, epoch: Int?)
        /// The journal or the epoch could not be written or read. A change is not made then; an undoing is.
        case unwritten(Ticket, LabFailure)
        case performed(Int)
        /// It may have been made in part: it is compared and restored.
        case failed(Int, LabFailure)
        /// Nothing was changed.
        case refused(Int, LabFailure)
        case undo(request: Int, record: Int)
        case undone(Int, HealVerdict, String?)
        /// Another undoing took it back as well.
        case settled(Int)
        case renew(request: Int)
        /// Changes may stay without a renewal: a lab is kept.
        case endLease
        case tick
        case peerDied
        /// Everything is taken back; changes may follow.
        case heal(by: HealedBy, why: String)
        /// Everything is taken back, for good.
        case end(by: HealedBy, why: String)
    }

    package enum Directive: Hashable, Sendable {
        case append(JournalEntry)
        /// Sync what was appended, then read the lock's epoch, then say `committed` before anything else happens.
        case commit(Ticket)
        case perform(UndoRecord)
        case permit(request: Int)
        /// Compare and restore.
        case undo(UndoRecord)
        case answer(request: Int, Answer)
        /// To the watchdog: alive, and until when the lease holds; nil: nothing is held.
        case beat(until: BootInstant?)
        case healed(by: HealedBy, why: String, [UndoOutcome])
        /// Another holds the journal: touch nothing any more, not even to undo.
        case abandon(why: String)
    }

    package enum Answer: Hashable, Sendable {
        case done
        case undone(HealVerdict, String?)
        case failed(LabFailure)
    }

    enum Progress: Hashable, Sendable {
        case committing(request: Int)
        case performing(request: Int)
        case applied
        /// Its undoing waits for the look at the epoch.
        case checking
        case undoing
    }

    struct Held: Hashable, Sendable {
        var record: UndoRecord
        var progress: Progress
        /// Who waits for its undoing.
        var waiting: [Int] = []
        /// Why the change is taken back before it was answered.
        var failure: LabFailure?
        var request: Int?
    }

    struct Healing: Hashable, Sendable {
        var by: HealedBy
        var why: String
        var outcomes: [UndoOutcome] = []
    }

    /// How often the watchdog hears of the agent.
    package static let beatInterval = Duration.milliseconds(250)

    /// How long the last heal of all may be silent: an undoing may take a minute.
    static let endLimit = Duration.seconds(90)

    package let epoch: Int
    package let bootID: String
    var held: [Held] = []
    var healing: Healing?
    /// What was taken back without an order, for one who orders it later.
    var healed: [UndoOutcome] = []
    /// What could not be taken back, ordered or not: its records stay open in the journal.
    package internal(set) var unrestored: [UndoOutcome] = []
    /// Why nothing is changed any more.
    package internal(set) var stopped: String?
    package internal(set) var isAbandoned = false
    private var nextNumber: Int
    private var lease: Duration?
    package private(set) var leaseEnd: BootInstant?
    private var lastBeat: BootInstant?

    package init(epoch: Int, bootID: String, nextNumber: Int = 1) {
        self.epoch = epoch
        self.bootID = bootID
        self.nextNumber = nextNumber
    }

    /// The open record that this undoes, the newest first.
    package func record(undoneBy undo: Change) -> UndoRecord? {
        held.last { $0.record.undo == undo }?.record
    }

    /// The verdict of a change that was taken back before its undoing was ordered; told once.
    package mutating func takeOutcome(ofUndo undo: Change) -> UndoOutcome? {
        guard let index = healed.lastIndex(where: { $0.record.undo == undo }) else { return nil }
        return healed.remove(at: index)
    }

    package var openRecords: [UndoRecord] { held.map(\.record) }

    package var hasOpenChanges: Bool { !held.isEmpty }

    package var isUndoing: Bool {
        held.contains { $0.progress == .checking || $0.progress == .undoing }
    }

    package mutating func handle(_ event: Event, now: BootInstant, into out: inout [Directive]) {
        if isAbandoned { return refuse(event, &out) }
        expire(now, &out)
        switch event {
        case .beginLease(let duration):
            lease = duration
            leaseEnd = now + duration
            beat(now, &out)
        case .change(let request, let wanted): begin(request, wanted, &out)
        case .pass(let request):
            if let reason = refusal {
                out.append(.answer(request: request, .failed(reason)))
            } else {
                out.append(.commit(.pass(request: request)))
            }
        case .committed(let ticket, let epoch): commit(ticket, epoch, &out)
        case .unwritten(let ticket, let failure): unwritten(ticket, failure, &out)
        case .performed(let number):
            guard let index = index(of: number) else { break }
            performed(index, &out)
        case .failed(let number, let failure):
            guard let index = index(of: number) else { break }
            held[index].failure = held[index].failure ?? failure
            performed(index, &out)
        case .refused(let number, let failure):
            guard let index = index(of: number),
                case .performing(let request) = held[index].progress
            else { break }
            held[index].failure = failure
            held[index].request = request
            close(index, .notNeeded, nil, &out)
        case .undo(let request, let number): undo(number, for: request, &out)
        case .undone(let number, let verdict, let message):
            guard let index = index(of: number) else { break }
            close(index, verdict, message, &out)
        case .settled(let number):
            guard let index = index(of: number), held[index].progress == .applied else { break }
            close(index, .restored, nil, &out)
        case .renew(let request): renew(request, now, &out)
        case .endLease:
            lease = nil
            leaseEnd = nil
            beat(now, &out)
        case .tick: break
        case .peerDied:
            stopped = stopped ?? "the watchdog has ended"
            heal(by: .watchdog, why: "the watchdog ended", &out)
        case .heal(let by, let why): heal(by: by, why: why, &out)
        case .end(let by, let why):
            stopped = stopped ?? "it is being taken down"
            lease = nil
            // Nobody renews any more; one that hangs over its last undoing is the watchdog's all the same.
            leaseEnd = now + Self.endLimit
            heal(by: by, why: why, &out)
        }
        if lastBeat.map({ now - $0 >= Self.beatInterval }) ?? false { beat(now, &out) }
    }

    // MARK: the lease

    private mutating func expire(_ now: BootInstant, _ out: inout [Directive]) {
        guard let leaseEnd, let lease, now > leaseEnd, stopped == nil else { return }
        stopped = "the lease is over: no renewal came for \(lease.spelled)"
        heal(by: .lease, why: "no renewal came for \(lease.spelled)", &out)
    }

    private mutating func renew(
        _ request: Int, _ now: BootInstant, _ out: inout [Directive]
    ) {
        // A late renewal gives nothing back: what it was for has been taken back.
        if let stopped {
            let failure = LabFailure(kind: .failed, message: "cannot renew: \(stopped)")
            return out.append(.answer(request: request, .failed(failure)))
        }
        if let lease { leaseEnd = now + lease }
        beat(now, &out)
        out.append(.answer(request: request, .done))
    }

    private mutating func beat(_ now: BootInstant, _ out: inout [Directive]) {
        lastBeat = now
        out.append(.beat(until: leaseEnd))
    }

    // MARK: changes

    var refusal: LabFailure? {
        if let stopped {
            return LabFailure(kind: .failed, message: "nothing is changed any more: \(stopped)")
        }
        if let healing {
            return LabFailure(
                kind: .failed, message: "everything is being healed: \(healing.why)")
        }
        return nil
    }

    private mutating func begin(
        _ request: Int, _ wanted: Request, _ out: inout [Directive]
    ) {
        if let refusal {
            return out.append(.answer(request: request, .failed(refusal)))
        }
        let record = UndoRecord(
            number: nextNumber, epoch: epoch, bootID: bootID, change: wanted.change,
            undo: wanted.undo, before: wanted.before, sets: wanted.sets,
            isLasting: wanted.isLasting)
        nextNumber += 1
        held.append(Held(record: record, progress: .committing(request: request)))
        out.append(.append(.begun(record)))
        out.append(.commit(.change(record.number)))
    }

    private mutating func commit(
        _ ticket: Ticket, _ found: Int?, _ out: inout [Directive]
    ) {
        guard found == epoch else {
            return abandon(
                "another holds the journal (epoch \(found.map(String.init) ?? "gone"))", &out)
        }
        switch ticket {
        case .change(let number):
            guard let index = index(of: number),
                case .committing(let request) = held[index].progress
            else { return }
            if let refusal {
                held[index].failure = refusal
                held[index].request = request
                return close(index, .notNeeded, nil, &out)
            }
            held[index].progress = .performing(request: request)
            out.append(.perform(held[index].record))
        case .undo(let number):
            guard let index = index(of: number), held[index].progress == .checking else { return }
            held[index].progress = .undoing
            out.append(.undo(held[index].record))
        case .pass(let request):
            if let refusal {
                out.append(.answer(request: request, .failed(refusal)))
            } else {
                out.append(.permit(request: request))
            }
        }
    }

    private mutating func unwritten(
        _ ticket: Ticket, _ failure: LabFailure, _ out: inout [Directive]
    ) {
        switch ticket {
        case .change(let number):
            guard let index = index(of: number),
                case .committing(let request) = held[index].progress
            else { return }
            held[index].failure = failure
            held[index].request = request
            close(index, .notNeeded, nil, &out)
        case .undo: commit(ticket, epoch, &out)
        case .pass(let request): out.append(.answer(request: request, .failed(failure)))
        }
    }

    private mutating func performed(_ index: Int, _ out: inout [Directive]) {
        guard case .performing(let request) = held[index].progress else { return }
        held[index].progress = .applied
        let number = held[index].record.number
        out.append(.append(.applied(number)))
        if let healing, held[index].failure == nil {
            held[index].failure = LabFailure(
                kind: .failed, message: "taken back at once: \(healing.why)")
        }
        if held[index].failure != nil {
            held[index].request = request
            if healing == nil { startUndo(index, &out) }
        } else {
            out.append(.answer(request: request, .done))
        }
        healNext(&out)
    }

    func index(of number: Int) -> Int? { held.firstIndex { $0.record.number == number } }
}
