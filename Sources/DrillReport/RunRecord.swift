package import DrillCore

/// Everything a report is made from: what was found, and what it was found in.
package struct RunRecord: Sendable {
    package var report: RunReport
    /// One for each of `report.trials`, in its order; shorter where a history is lost.
    package var histories: [History]
    /// The same for what became of each write; nil without a ledger.
    package var writes: [LedgerMarks?]
    package var scenario: Scenario
    package var system: System

    package init(
        report: RunReport, histories: [History], writes: [LedgerMarks?] = [], scenario: Scenario,
        system: System
    ) {
        self.report = report
        self.histories = histories
        self.writes = writes
        self.scenario = scenario
        self.system = system
    }
}
