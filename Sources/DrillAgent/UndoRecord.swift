package import DrillCore

/// What a record of the journal is about, and what its undo is. Another kind of keeper adds a case.
package enum Change: Hashable, Sendable, Codable {
    /// In a namespace lab, by its supervisor.
    case lab(FaultOperation)
    /// On a machine that is no lab, by its agent; and the taking back of it.
    case machine(MachineChange)
    case machineUndo(MachineChange)
}

/// What is written down and synced before a change is made. Used once: pending, applied, and closed with a verdict.
package struct UndoRecord: Hashable, Sendable, Codable {
    /// Counts up from 1 over all holders of a journal.
    package var number: Int
    /// Of the holder that wrote it.
    package var epoch: Int
    package var bootID: String
    package var change: Change
    package var undo: Change
    /// What was there, and what the change makes of it, in words that only the performer reads. An undo acts only where
    /// the value is `sets` still; nothing at all was done where both are the same. Nil: the performer compares by itself.
    package var before: String?
    package var sets: String?
    /// Outlives the kernel that it was made in: a file, a clock, what a command did.
    package var isLasting: Bool

    package init(
        number: Int, epoch: Int, bootID: String, change: Change, undo: Change, before: String?,
        sets: String?, isLasting: Bool
    ) {
        self.number = number
        self.epoch = epoch
        self.bootID = bootID
        self.change = change
        self.undo = undo
        self.before = before
        self.sets = sets
        self.isLasting = isLasting
    }

    /// What it changed went with the kernel that it was changed in.
    package func isVoid(in bootID: String) -> Bool { !isLasting && bootID != self.bootID }
}

/// A line of the journal.
package enum JournalEntry: Hashable, Sendable, Codable {
    case begun(UndoRecord)
    case applied(Int)
    case closed(Int, HealVerdict, by: HealedBy, message: String?)

    var name: String {
        switch self {
        case .begun(let record): "\(record.number) begun"
        case .applied(let number): "\(number) applied"
        case .closed(let number, let verdict, _, _): "\(number) \(verdict.rawValue)"
        }
    }
}

/// What became of one change that was taken back.
package struct UndoOutcome: Hashable, Sendable {
    package var record: UndoRecord
    package var verdict: HealVerdict
    /// Why it could not be restored.
    package var message: String?

    package init(record: UndoRecord, verdict: HealVerdict, message: String? = nil) {
        self.record = record
        self.verdict = verdict
        self.message = message
    }
}

/// The entries of a journal, folded.
package struct JournalContents: Hashable, Sendable {
    /// In the order in which they were begun: pending, applied, or tried in vain to be restored. A pending one may or
    /// may not have been performed.
    package private(set) var open: [UndoRecord] = []
    package private(set) var lastNumber = 0
    /// Lines that are no entries: one that was cut off was never synced, so its change was never made.
    package private(set) var unreadable = 0

    package init(_ entries: some Sequence<JournalEntry> = []) {
        for entry in entries { add(entry) }
    }

    /// The text of a journal's file.
    package init(text: String) {
        for line in text.split(separator: "\n") {
            do {
                add(try JSONLine.decode(JournalEntry.self, from: line))
            } catch {
                unreadable += 1
            }
        }
    }

    package mutating func add(_ entry: JournalEntry) {
        switch entry {
        case .begun(let record):
            open.append(record)
            lastNumber = max(lastNumber, record.number)
        case .applied: break
        case .closed(let number, let verdict, _, _):
            switch verdict {
            case .restored, .superseded, .notNeeded: open.removeAll { $0.number == number }
            // The next who heals tries again.
            case .restoreFailed: break
            }
        }
    }
}
