/// Which record of the log was written in which epoch; the records themselves are elsewhere. Records count from 1.
///
/// A number is given to one primary only, so two logs that have the same epoch at the same place are the same up to there.
package struct EpochLog: Hashable, Sendable {
    private struct Run: Hashable, Sendable {
        var epoch: Int64
        var first: Int64
    }

    /// Epochs and first records both grow.
    private var runs: [Run] = []
    package private(set) var last: Int64 = 0

    package init() {}

    /// Of the last record; 0 in an empty log.
    package var lastEpoch: Int64 { runs.last?.epoch ?? 0 }

    package mutating func append(through index: Int64, epoch: Int64) {
        if epoch != lastEpoch { runs.append(Run(epoch: epoch, first: last + 1)) }
        last = index
    }

    package mutating func truncate(to index: Int64) {
        while let run = runs.last, run.first > index { runs.removeLast() }
        last = min(last, index)
    }

    /// 0 before the first record and after the last.
    package func epoch(at index: Int64) -> Int64 {
        guard index >= 1, index <= last else { return 0 }
        for run in runs.reversed() where run.first <= index { return run.epoch }
        return 0
    }

    /// The last record of the epoch to which this one belongs.
    package func end(ofEpochAt index: Int64) -> Int64 {
        var end = last
        for run in runs.reversed() {
            if run.first <= index { return end }
            end = run.first - 1
        }
        return end
    }

    /// The last record, at most `index`, that is not of a later epoch than `epoch`.
    package func last(through index: Int64, notAfter epoch: Int64) -> Int64 {
        var end = min(index, last)
        for run in runs.reversed() where run.first <= end {
            if run.epoch <= epoch { return end }
            end = run.first - 1
        }
        return 0
    }
}
