import DrillCore
import DrillReport
import FoundationEssentials
import Testing

private func lines(_ record: RunRecord) -> String {
    TerminalSummary.lastLines(record.report, reportPath: "report.html").joined(separator: "\n")
}

@Test func `the last line says what became of acknowledged writes`() {
    #expect(lines(LedgerRecord.record(divergent: 0)).contains("  lost 20 writes (RPO 214 ms)  "))
    #expect(
        lines(LedgerRecord.record(lost: 1, divergent: 0)).contains("  lost 1 write (RPO 24 ms)  "))
    #expect(lines(LedgerRecord.record(lost: 0, divergent: 0)).contains("  RPO 0 writes  "))
    #expect(!lines(Synthetic.record()).contains("RPO"))
    var record = LedgerRecord.record()
    record.report.trials[0].rpoWrites = .unknown("one key was not read")
    record.report.trials[0].rpo = .unknown("one key was not read")
    #expect(lines(record).contains("  RPO unknown  "))
    record.report.trials[0].rpoWrites.low = 3
    #expect(lines(record).contains("  lost at least 3 writes  "))
}

@Test func `the worst trial is told, also one that a retry replaced`() {
    var record = LedgerRecord.record(lost: 0, divergent: 0)
    var earlier = LedgerRecord.record(lost: 2, divergent: 0).report.trials[0]
    earlier.verdict = .inconclusive
    record.report.trials[0].attempt = 2
    record.report.trials.insert(earlier, at: 0)
    #expect(lines(record).contains("  lost 2 writes (RPO 34 ms)  "))
}

@Test func `json holds every key of the writes and satisfies the schema`() throws {
    let path = Golden.repository + "docs/report.schema.json"
    let schema = try SchemaCheck(Data(contentsOf: URL(filePath: path)))
    let bytes = try JSONReport.encode(LedgerRecord.record().report)
    #expect(try schema.problems(in: Data(bytes)) == [])
    #expect(
        try JSONReport.decode(bytes).trials[0].writes
            == LedgerRecord.record().report.trials[0].writes)
    let text = String(decoding: bytes, as: UTF8.self)
    for part in [
        "\"acknowledged\": 1174", "\"lost\": 25", "\"lost_at_failover\": 26",
        "\"divergence_ms\": 40",
        "\"read_level\": \"primary, READ COMMITTED\"", "\"loss_pattern\": \"tail\"",
        "\"replication_lag_ms\": {\"value\": 4.25",
    ] {
        #expect(text.contains(part), "\(part)")
    }
}

@Test(arguments: Language.allCases)
func `the report shows what was lost`(_ language: Language) {
    let page = HTMLReport.render(LedgerRecord.record(), language: language)
    #expect(TagCheck.problems(page) == [])
    let parts: [String] =
        switch language {
        case .en:
            [
                "<dt>Acknowledged writes lost</dt><dd class=\"big\"><span class=\"v-open\">25</span>",
                "aria-label=\"Trial 1: Acknowledged writes\"><desc>1149 kept, 20 lost, 5 divergent, 0 not read back</desc>",
                "<title>lost: 20, 2.800–2.990 s</title>",
                "<title>divergent: 5, 3.020–3.060 s</title>",
                "<title>resurrected: 1, 2.500–2.500 s</title>", "<title>t0: 3.000 s</title>",
                "lost 25 writes (RPO 214 ms)", "lost at the failover",
                "read level: primary, READ COMMITTED",
                "loss pattern: tail",
            ]
        case .zh:
            [
                "<dt>丢失的已确认写入</dt>", "<desc>保留 1149，丢失 20，分叉 5，未回读 0</desc>", "切换时丢失",
                "读取级别：primary, READ COMMITTED",
            ]
        }
    for part in parts { #expect(page.contains(part), "\(part)") }
    let none = HTMLReport.render(LedgerRecord.record(lost: 0, divergent: 0), language: language)
    #expect(!none.contains("<title>lost"))
    #expect(TagCheck.problems(none) == [])
    #expect(
        !HTMLReport.render(Synthetic.record(), language: language).contains("Acknowledged writes"))
}

@Test func `hostile names of hosts and reasons of writes become text`() {
    let evil = "</svg><script>alert(1)</script>\" onload=\"x"
    var record = LedgerRecord.record()
    record.report.trials[0].verify?.hosts = [evil]
    record.report.trials[0].verify?.readLevel = evil
    record.report.trials[0].rpo = .unknown(evil)
    record.report.trials[0].replicationLag = .unknown(evil)
    record.report.trials[0].steps[0].step = evil
    record.report.trials[0].steps.append(record.report.trials[0].steps[0])
    let page = HTMLReport.render(record)
    #expect(!page.contains("<script"))
    #expect(!page.contains("onload=\""))
    #expect(TagCheck.problems(page) == [])
    record.report.trials[0].rpoWrites = .unknown(evil)
    #expect(!HTMLReport.render(record).contains("<script"))
}

@Test func `a comment on a change and junit name the loss`() {
    let record = LedgerRecord.record(divergent: 0)
    let markdown = String(decoding: MarkdownSummary.encode(record.report), as: UTF8.self)
    #expect(
        markdown.contains("lost 20 writes \\(RPO 214 ms\\)")
            || markdown.contains("lost 20 writes (RPO 214 ms)"))
    let junit = String(decoding: JUnitReport.encode(record.report), as: UTF8.self)
    #expect(junit.contains("<property name=\"writes\" value=\"lost 20 writes (RPO 214 ms)\"/>"))
}

@Test func `events of a ledger are in the table with their own columns`() {
    let at = InstantInterval(RunInstant(nanoseconds: 5))
    let events: [HistoryEvent] = [
        HistoryEvent(at, .identity(host: "a", id: "f00d")),
        HistoryEvent(at, .visible(host: "b", key: "k1")),
        HistoryEvent(at, .verify(sweep: 2, host: "b", key: "k1", present: true)),
        HistoryEvent(
            at,
            .verified(
                VerifyFacts(
                    sweep: 2, host: "b", answeredBy: "f00d", readLevel: "primary", sweeps: 2,
                    failure: "timed out"))),
    ]
    let text = String(decoding: EventsCSV.encode(events), as: UTF8.self)
    let rows = text.split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    #expect(rows[0].suffix(2) == ["id", "read_level"])
    #expect(rows[1].suffix(2) == ["f00d", ""])
    #expect(rows[2].contains("k1"))
    #expect(rows[3].contains("true"))
    #expect(rows[4].suffix(2) == ["f00d", "primary"])
    #expect(rows[4].contains("timed out"))
}
