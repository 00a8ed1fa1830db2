package import DrillCore

/// The undoing of what a dead holder's journal has open: the last first, past every failure, each with its verdict.
package struct HealSequence: Sendable {
    private var open: [UndoRecord]
    private let bootID: String
    private let by: HealedBy
    package private(set) var outcomes: [UndoOutcome] = []

    package enum Step: Hashable, Sendable {
        /// Compare and restore, and answer with `undone`.
        case undo(UndoRecord)
        /// Nothing to do; only the journal is told.
        case write(JournalEntry)
    }

    package init(_ open: [UndoRecord], bootID: String, by: HealedBy) {
        self.open = open
        self.bootID = bootID
        self.by = by
    }

    /// Nil: all are closed.
    package mutating func next() -> Step? {
        guard let record = open.last else { return nil }
        guard record.isVoid(in: bootID) else { return .undo(record) }
        return .write(undone(.notNeeded, nil))
    }

    /// Of the record that `next` named.
    package mutating func undone(_ verdict: HealVerdict, _ message: String?) -> JournalEntry {
        let record = open.removeLast()
        outcomes.append(UndoOutcome(record: record, verdict: verdict, message: message))
        return .closed(record.number, verdict, by: by, message: message)
    }

    package var isRestored: Bool { outcomes.allSatisfy { $0.verdict != .restoreFailed } }
}
