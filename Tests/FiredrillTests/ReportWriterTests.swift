import DrillCore
import DrillReport
import DrillStore
import Testing
import firedrill

private let reports = ["report.json", "junit.xml", "report.html"]

@Suite struct ReportWriterTests {
    @Test func `a report of what was found as trials were closed is the folder's, byte for byte`()
        throws
    {
        let run = try RecordedRun(trials: 2)
        let examined = run.recorder.examined
        #expect(Set(examined.keys) == Set(RunFiles(of: run.folder).trials))
        #expect(examined.values.allSatisfy { $0.writes?.lost.count == 1 })
        let report = try ReportWriter.write(run.folder, language: .en, examined: examined)
        let kept = try reports.map(run.folder.read)
        #expect(try ReportWriter.write(run.folder, language: .en) == report)
        #expect(try reports.map(run.folder.read) == kept)
        #expect(String(decoding: kept[2], as: UTF8.self).contains("Acknowledged writes"))
    }

    @Test func `what is known of a trial is not analysed again, and what is not known is`() throws {
        let run = try RecordedRun(trials: 2)
        var examined = run.recorder.examined
        let trials = RunFiles(of: run.folder).trials
        let (first, second) = (trials[0], trials[1])
        examined[first]?.report.reasons = ["as it was found"]
        examined[second] = nil
        let report = try ReportWriter.write(run.folder, language: .en, examined: examined)
        #expect(report.trials[0].reasons == ["as it was found"])
        #expect(report.trials[1] == run.recorder.examined[second]?.report)
    }

    @Test func `a trial whose files changed after its end is analysed again`() throws {
        let run = try RecordedRun(trials: 1)
        let trial = RunFiles(of: run.folder).trials[0]
        let operations = run.operations(of: trial)
        try run.folder.write(
            Array(try run.folder.read(operations).dropLast()), to: operations)
        let report = try ReportWriter.write(
            run.folder, language: .en, examined: run.recorder.examined)
        #expect(report.trials[0] != run.recorder.examined[trial]?.report)
        #expect(report == (try ReportWriter.write(run.folder, language: .en)))
        #expect(report.trials[0].reasons.contains { $0.contains("cut off before its end") })
    }
}
