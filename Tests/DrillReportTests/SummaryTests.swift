import DrillCore
import DrillReport
import Testing

private func three() -> RunReport {
    Synthetic.record([
        Synthetic(), Synthetic(index: 2, outage: 3.1..<6.3458),
        Synthetic(index: 3, outage: 3.1..<5.9),
    ]).report
}

private let path = "reports/…/report.html"

@Test func `the last lines are those of the format`() {
    let next =
        "firedrill run scenarios/keepalived-nginx/keepalived-killed.yaml   (100 % success, two primaries)"
    #expect(
        TerminalSummary.lastLines(three(), reportPath: path, next: next) == [
            "PASS node-kill  RTO max 3.35 s (RFC 5798 predicts 2.61–3.61)  failover 3/3 (proves ≥ 36.8 %)  reports/…/report.html",
            "next: firedrill run scenarios/keepalived-nginx/keepalived-killed.yaml   (100 % success, two primaries)",
        ])
}

@Test
func `an RTO that leaves its band is said in both languages, in JSON, and changes no verdict`()
    throws
{
    var report = three()
    report.summary.predicted?.outside = [2, 3]
    let lines = TerminalSummary.lastLines(report, reportPath: path)
    #expect(
        lines.first
            == "  RTO outside predicted 2.61–3.61 s (RFC 5798) in trials 2, 3: either the prediction does not hold here, or something else happened"
    )
    #expect(lines.last?.hasPrefix("PASS node-kill") == true)
    let chinese = String(
        decoding: MarkdownSummary.encode(report, language: .zh), as: UTF8.self)
    #expect(chinese.contains("试验 2、3的 RTO 超出预测 2.61–3.61 s"))
    #expect(
        String(decoding: try JSONReport.encode(report), as: UTF8.self).contains(
            "\"outside\": [2, 3]"))
}

@Test func `a failure says why before the figures`() {
    var report = three()
    report.verdict = .fail
    report.reasons = []
    report.expectations[0].verdict = .fail
    report.expectations[0].threshold = "max <= 3s"
    report.trials[1].rto = .censored(at: 8000, reason: "recovered by the heal")
    report.trials[1].verdict = .fail
    report.trials[1].reasons = ["the heal brought the service back\u{1B}[2J"]
    report.summary.rto.censored = 1
    report.summary.failover.successes = 2
    report.summary.failover.provedRate95 = 0.1353
    #expect(
        TerminalSummary.lastLines(report, reportPath: path) == [
            "  rto.kill: max <= 3s, observed 3.35 s",
            "  trial 2: the heal brought the service back\u{FFFD}[2J",
            "FAIL node-kill  RTO max > 8.00 s (RFC 5798 predicts 2.61–3.61), 1 of 3 without recovery  failover 2/3 (proves ≥ 13.5 %)  reports/…/report.html",
        ])
}

@Test func `an inconclusive run gives each reason once`() {
    var report = three()
    report.verdict = .inconclusive
    report.reasons = ["the effect of kill was not proven"]
    report.trials[0].verdict = .inconclusive
    report.trials[0].reasons = report.reasons
    let lines = TerminalSummary.lastLines(report, reportPath: path)
    #expect(lines.count == 2)
    #expect(lines[0] == "  the effect of kill was not proven")
    #expect(lines[1].hasPrefix("INCONCLUSIVE node-kill  "))
}

@Test func `a soak and a split brain have their own figures`() {
    var report = three()
    for index in report.trials.indices { report.trials[index].steps = [] }
    report.summary.failover.trials = 0
    report.summary.successRate = SuccessRate(overall: 0.999999)
    #expect(
        TerminalSummary.lastLines(report, reportPath: path) == [
            "PASS node-kill  success 99.99 %  \(path)"
        ])

    report.trials[1].splitBrain.seen = true
    report.trials[1].splitBrain.atLeast = 1199
    report.run.cell = ["advert": "100ms"]
    #expect(
        TerminalSummary.lastLines(report, reportPath: path) == [
            "PASS node-kill advert=100ms  success 99.99 %  SPLIT BRAIN for at least 1.20 s  \(path)"
        ])
}

@Test func `an unknown RTO and a failed restore are said`() {
    var report = Synthetic.record().report
    report.verdict = .inconclusive
    report.trials[0].verdict = .inconclusive
    report.trials[0].reasons = ["unsettled"]
    report.trials[0].rto = .unknown("unsettled")
    report.summary.failover.trials = 0
    report.heal = HealReport(verdict: .restoreFailed, leftBehind: ["a: eth0 is down"])
    #expect(
        TerminalSummary.lastLines(report, reportPath: path) == [
            "  trial 1: unsettled", "  left behind: a: eth0 is down",
            "INCONCLUSIVE node-kill  RESTORE FAILED  RTO unknown  success during the fault 65.59 %  \(path)",
        ])
}

@Test func `a replaced attempt decides no figure but counts for safety`() {
    var report = three()
    var first = report.trials[1]
    report.trials[1].attempt = 2
    first.verdict = .inconclusive
    first.rto = .measured(9000, low: 8990, high: 9000)
    report.trials.insert(first, at: 1)
    #expect(TerminalSummary.lastLines(report, reportPath: path)[0].contains("RTO max 3.35 s"))
    report.trials[1].splitBrain.seen = true
    #expect(TerminalSummary.lastLines(report, reportPath: path)[0].contains("SPLIT BRAIN"))
}

@Test func `an unobserved role is unknown and a system without roles has none to show`() {
    for (reason, shown) in [("no role was observed", true), ("the system has no roles", false)] {
        var report = Synthetic.record().report
        report.trials[0].splitBrain = SplitBrainReport(
            seen: nil, dualClaim: nil, dualService: nil, latentClaim: false, handoverOverlap: nil,
            atLeast: nil, atMost: nil, reason: reason)
        let markdown = String(decoding: MarkdownSummary.encode(report), as: UTF8.self)
        #expect(markdown.contains("| unknown |") == shown)
    }
}

@Test func `colour is only in the verdict and only when asked for`() {
    let line = TerminalSummary.lastLines(three(), reportPath: path, colour: true)[0]
    #expect(line.hasPrefix("\u{1B}[1;32mPASS\u{1B}[0m node-kill  RTO"))
    #expect(line.filter { $0 == "\u{1B}" }.count == 2)
}

@Test func `the markdown summary is the golden file`() throws {
    var report = three()
    report.run.scenario = "a|b <script> @team"
    try Golden.expect(MarkdownSummary.encode(report), is: "summary.md")
    try Golden.expect(MarkdownSummary.encode(report, language: .zh), is: "summary.zh.md")
}

@Test func `several runs are one JUnit file with a suite for each`() {
    let report = three()
    let one = String(decoding: JUnitReport.encode(report), as: UTF8.self)
    let two = String(decoding: JUnitReport.encode([report, report]), as: UTF8.self)
    func count(_ part: String, _ text: String) -> Int { text.split(separator: part).count - 1 }
    #expect(count("<testsuites ", two) == 1)
    #expect(count("</testsuites>", two) == 1)
    #expect(count("<testsuite ", two) == 2)
    #expect(count("<testcase ", two) == 2 * count("<testcase ", one))
    #expect(
        two.contains("<testsuites name=\"firedrill\" tests=\"\(2 * count("<testcase ", one))\""))
}
