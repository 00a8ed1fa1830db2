import DrillCore
import DrillReport
import FoundationEssentials
import Testing

private func text(_ report: RunReport) throws -> String {
    String(decoding: try JSONReport.encode(report), as: UTF8.self)
}

@Test func `report json is the golden file`() throws {
    try Golden.expect(JSONReport.encode(Synthetic.record().report), is: "report.json")
}

@Test func `a report comes back from its json as it was, numbers to the digits that are kept`()
    throws
{
    let bytes = try JSONReport.encode(Synthetic.record().report)
    let read = try JSONReport.decode(bytes)
    #expect(try JSONReport.encode(read) == bytes)
    #expect(read.run.seed == 18_446_744_073_709_551_557)
    #expect(read.trials[0].rto.value == 3301.6)
    #expect(read.trials[0].steps[0].proof?.witnesses.count == 2)
}

@Test(arguments: [
    (0.00001, "0.00001"), (1e-7, "0"), (-0.0000001, "0"), (3345.0000000001, "3345"),
    (3345.678901, "3345.679"), (0.1 + 0.2, "0.3"), (1e15, "1000000000000000"),
])
func `a number has no noise and no exponent`(number: Double, expected: String) throws {
    var report = Synthetic.record().report
    if number.magnitude < 1 {
        report.summary.successRate.overall = number
        #expect(try text(report).contains("\"overall\": \(expected)}"))
    } else {
        report.trials[0].lagMax = number
        #expect(try text(report).contains("\"lag_max_ms\": \(expected),"))
    }
}

@Test func `observed durations have milliseconds' digits and observed ratios have six`() throws {
    var report = Synthetic.record().report
    report.expectations[0].observed = .number(3345.678901)
    report.expectations[1].observed = .number(0.987654321)
    let text = try text(report)
    #expect(text.contains("\"observed\": 3345.679"))
    #expect(text.contains("\"observed\": 0.987654,"))
}

@Test func `hostile names are escaped`() throws {
    var report = Synthetic.record().report
    report.run.scenario = "\"\\\n\u{1}\u{2028}</script>🔥"
    let bytes = try JSONReport.encode(report)
    #expect(String(decoding: bytes, as: UTF8.self).contains(#""\"\\\n\u0001\u2028</script>🔥""#))
    #expect(try JSONReport.decode(bytes).run.scenario == report.run.scenario)
}

@Test func `another schema is refused by name`() throws {
    var report = Synthetic.record().report
    report.schema = "firedrill.report/v9"
    let bytes = try JSONReport.encode(report)
    #expect {
        try JSONReport.decode(bytes)
    } throws: { error in
        "\(error)".contains(
            "schema is 'firedrill.report/v9', this version reads 'firedrill.report/v1'")
    }
}

@Test func `reports satisfy the schema in docs`() throws {
    let path = Golden.repository + "docs/report.schema.json"
    let schema = try SchemaCheck(Data(contentsOf: URL(filePath: path)))
    var empty = Synthetic.record().report
    empty.trials = []
    empty.verdict = .inconclusive
    empty.heal.verdict = nil
    for report in [
        Synthetic.record().report, Synthetic.record([Synthetic(splitBrain: true)]).report, empty,
    ] {
        #expect(try schema.problems(in: Data(JSONReport.encode(report))) == [])
    }
    // The check itself finds what is wrong.
    var wrong = try text(Synthetic.record().report)
    wrong = wrong.replacing(
        "\"verdict\": \"pass\"", with: "\"verdict\": \"maybe\"", maxReplacements: 1)
    wrong = wrong.replacing("\"gate\": null", with: "\"gates\": null")
    let found = try schema.problems(in: Data(wrong.utf8)).sorted()
    #expect(
        found == [
            "/verdict: none of the listed values", ": lacks 'gate'", ": unknown key 'gates'",
        ])
}

@Test func `a calibration of the machine is in the report and satisfies the schema`() throws {
    let path = Golden.repository + "docs/report.schema.json"
    let schema = try SchemaCheck(Data(contentsOf: URL(filePath: path)))
    let part = CalibrationReport.Comparison(
        count: 400, holding: 400, within: 399, errorMedian: 0.12, errorLowest: -0.8,
        errorHighest: 1.4, widthMedian: 2.1, widthHighest: 9.7)
    var record = Synthetic.record()
    record.report.calibration = CalibrationReport(
        at: "2026-11-22T10:00:00Z", version: "0.1.0", kernel: nil, rate: 1000,
        lengths: [50, 100, 300, 1000], outage: part, rto: part,
        lostWrites: [.init(told: 7, measured: nil)])
    let bytes = try JSONReport.encode(record.report)
    #expect(try schema.problems(in: Data(bytes)) == [])
    #expect(try JSONReport.decode(bytes).calibration == record.report.calibration)
    #expect(
        HTMLReport.render(record).contains(
            "calibrated at 2026-11-22T10:00:00Z: of 400 known outages 400 lay in the stated interval"
        ))
}
