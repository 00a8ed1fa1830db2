import DrillCore

/// How far back in time lost writes reach, and in which pattern (docs/MEASUREMENT.md, "Acknowledged writes").
struct RecoveryPoint {
    private let ledger: LedgerWrites
    /// In the order of completion.
    private let lost: [Int]
    private let anchor: InstantInterval?

    init(_ ledger: LedgerWrites, lost: [Int], anchor: InstantInterval?) {
        self.ledger = ledger
        self.lost = lost
        self.anchor = anchor
    }

    /// From the newest survivor before the first lost write to the fault. Losses that were acknowledged after the fault
    /// are divergent, and count as writes only.
    var measure: Measure {
        guard let anchor else {
            return .notApplicable("there was no fault from which to count back")
        }
        guard let first = lost.first, completed(first) <= anchor.high else {
            return withoutLoss(anchor)
        }
        let before = completed(first)
        let newest = last { $0 < before } ?? ledger.start ?? before
        let low = max(.zero, anchor.low - before)
        let high = anchor.high - newest
        return .measured(
            high.milliseconds, low: low.milliseconds, high: high.milliseconds)
    }

    private func withoutLoss(_ anchor: InstantInterval) -> Measure {
        guard let newest = last(where: { $0 <= anchor.low }) ?? ledger.start, newest <= anchor.high
        else {
            return .unknown("no write was offered before the fault")
        }
        let high = anchor.high - newest
        let tenPeriods = Duration.nanoseconds(10 * ledger.period.nanoseconds)
        if high > tenPeriods, !ledger.wasOffered(after: newest, upTo: anchor.high) {
            return .unknown(
                "no write was offered in the last \(high.milliseconds) ms before the fault")
        }
        return .measured(0, low: 0, high: high.milliseconds)
    }

    /// `scattered`: a write that was sent after the first lost one was acknowledged survived, and was acknowledged
    /// before the fault. Else all from some instant on is gone.
    var pattern: String? {
        guard let first = lost.first else { return nil }
        let gone = Set(lost)
        let since = completed(first)
        let survived = ledger.acknowledged.contains { index in
            let write = ledger.writes[index]
            return write.sent > since && !gone.contains(index)
                && (anchor.map { write.completed < $0.low } ?? true)
        }
        return survived ? "scattered" : "tail"
    }

    private func completed(_ index: Int) -> RunInstant { ledger.writes[index].completed }

    /// The newest acknowledgement that satisfies a condition which holds up to some instant.
    private func last(where holds: (RunInstant) -> Bool) -> RunInstant? {
        var low = 0
        var high = ledger.acknowledged.count
        while low < high {
            let middle = (low + high) / 2
            if holds(completed(ledger.acknowledged[middle])) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low > 0 ? completed(ledger.acknowledged[low - 1]) : nil
    }
}
