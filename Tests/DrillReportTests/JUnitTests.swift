import DrillCore
import DrillReport
import Testing

private func xml(_ report: RunReport) -> String {
    String(decoding: JUnitReport.encode(report), as: UTF8.self)
}

@Test func `junit xml is the golden file`() throws {
    var record = Synthetic.record([Synthetic(), Synthetic(index: 2)])
    record.report.verdict = .fail
    record.report.expectations[0].verdict = .fail
    record.report.expectations[0].reason = "trial 2 took longer"
    record.report.trials[1].verdict = .inconclusive
    record.report.trials[1].reasons = ["the effect of kill was not proven", "lag of 40 ms"]
    try Golden.expect(JUnitReport.encode(record.report), is: "junit.xml")
}

@Test func `what is not decided is an error and never green`() {
    var report = Synthetic.record().report
    report.verdict = .inconclusive
    report.reasons = ["steady state never reached"]
    report.expectations = []
    report.trials = []
    let xml = xml(report)
    #expect(xml.contains("tests=\"1\" failures=\"0\" errors=\"1\""))
    #expect(xml.contains("<error message=\"steady state never reached\""))
}

@Test func `an attempt that a retry replaced is skipped and makes nothing red`() {
    var report = Synthetic.record().report
    var first = report.trials[0]
    report.trials[0].attempt = 2
    first.verdict = .inconclusive
    first.reasons = ["the effect of kill was not proven"]
    report.trials.insert(first, at: 0)
    let xml = xml(report)
    #expect(xml.contains("failures=\"0\" errors=\"0\" skipped=\"1\""))
    #expect(xml.contains("<skipped message=\"the effect of kill was not proven\"/>"))
}

@Test func `what is left behind fails a case of its own`() {
    var report = Synthetic.record().report
    report.heal = HealReport(verdict: .restoreFailed, leftBehind: ["a: eth0 is down"])
    #expect(xml(report).contains("name=\"everything is put back\""))
    #expect(xml(report).contains("<failure message=\"a: eth0 is down\""))
}

@Test(arguments: [
    ("<b> & \"c\" 'd'", "&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;"),
    ("bell\u{7} nul\u{0} esc\u{1B}[31m", "bell\u{FFFD} nul\u{FFFD} esc\u{FFFD}[31m"),
    ("two\nlines", "two&#10;lines"), ("\u{FFFE}\u{202E}", "\u{FFFD}\u{FFFD}"),
    ("]]>", "]]&gt;"), ("🔥 שלום", "🔥 שלום"),
])
func `hostile names stay valid xml`(name: String, expected: String) {
    var report = Synthetic.record().report
    report.trials[0].verdict = .fail
    report.trials[0].reasons = [name]
    #expect(
        xml(report).contains("<failure message=\"\(expected)\" type=\"fail\">\(expected)</failure>")
    )
}
