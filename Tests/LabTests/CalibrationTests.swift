import DrillCore
import Testing

/// Known outages and known losses, against what any trial would say of them. All of it: `firedrill calibrate --outages 400`.
@Suite(.serialized) struct CalibrationTests {
    @Test(.timeLimit(.minutes(5)))
    func `every stated interval holds the truth, and every lost write is counted`() throws {
        let result = try Programs.run(
            [try Programs.firedrill, "calibrate", "--outages", "24", "--discard", "--json"],
            within: .seconds(240))
        let report = try JSONLine.decode(
            CalibrationReport.self, from: result.output.split(separator: "\n").last ?? "")
        for part in [report.outage, report.rto] {
            #expect(part.count == 24)
            #expect(part.holding == 24, "\(part)")
            #expect(part.within >= 23, "\(part)")
            // An interval as wide as the outage would hold every truth and say nothing. The shortest one takes 50 ms.
            #expect(part.widthMedian < 25, "\(part)")
        }
        #expect(report.lostWrites.map(\.told) == [1, 37])
        #expect(report.lostWrites.map(\.measured) == [1, 37])
    }
}
