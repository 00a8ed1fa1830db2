import DrillCore
import DrillReport

/// The synthetic drill with a ledger beside its reads: 100 writes/s, the last 20 before the fault lost, five divergent.
enum LedgerRecord {
    static func record(lost: Int = 20, divergent: Int = 5) -> RunRecord {
        var record = Synthetic.record()
        let drill = Synthetic()
        let due = stride(from: 0.0, to: 15, by: 0.01).map { $0 }
        let before = due.filter { $0 < 3 }
        let after = due.filter { $0 > 6.3 }
        let gone = Array(before.suffix(lost))
        var marks = LedgerMarks(
            kept: (before.dropLast(lost) + after).map(drill.at), lost: gone.map(drill.at),
            divergent: (0..<divergent).map { drill.at(3.02 + Double($0) / 100) })
        marks.resurrected = [drill.at(2.5)]
        let count = Double(lost + divergent)
        record.writes = [marks]
        record.report.trials[0].rpoWrites = .measured(count, low: count, high: count)
        record.report.trials[0].rpo =
            lost > 0
            ? .measured(
                Double(lost) * 10 + 14, low: Double(lost) * 10, high: Double(lost) * 10 + 14)
            : .measured(0, low: 0, high: 14)
        record.report.trials[0].writes = WritesReport(
            acknowledged: marks.kept.count + lost + divergent, lost: lost + divergent,
            lostAtFailover: lost + divergent + 1, lostByFailback: 0, resurrected: 1,
            divergent: divergent, divergence: divergent > 0 ? Double(divergent - 1) * 10 : nil,
            diverged: false, indeterminate: 325, indeterminatePresent: 1, failedPresent: 0,
            unread: 0)
        record.report.trials[0].verify = VerifyReport(
            sweeps: [1, 2], readLevel: "primary, READ COMMITTED", hosts: ["a", "b", "client"])
        record.report.trials[0].lossPattern = lost > 0 ? "tail" : nil
        record.report.trials[0].replicationLag = .measured(4.25, low: 3.5, high: 4.25)
        record.report.summary.rpoWrites.max = count
        record.report.notEvidenced = []
        return record
    }
}
