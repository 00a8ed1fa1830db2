package import DrillCore
package import DrillStore

/// What the analysis found when a trial was closed: the report is made of it, and nothing is analysed twice.
package struct ExaminedTrial: Hashable, Sendable {
    package var report: TrialReport
    package var writes: LedgerMarks?
    /// The trial's files as they were then. A load that was given up may write on: then this is not all.
    package var files: [FileStamp]
}
