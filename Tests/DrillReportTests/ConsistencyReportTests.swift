import DrillCore
import DrillReport
import FoundationEssentials
import Testing

private func record(violated: Bool) -> RunRecord {
    var record = Synthetic.record()
    record.report.trials[0].consistency = ConsistencyReport(
        operations: 4000, keys: 5, linearizable: !violated, staleReads: violated ? 3 : 0,
        lostUpdates: 0,
        window: violated
            ? ConsistencyWindow(
                key: "<k>:3",
                operations: [
                    .init(row: 0, action: "write w7", invoked: 3001.25, completed: 3002, host: "a"),
                    .init(row: 1, action: "cas w7 w8", invoked: 3001.5, completed: nil, host: nil),
                    .init(row: 0, action: "read w6", invoked: 3003, completed: 3004.5, host: "<b>"),
                ], omitted: 2) : nil)
    return record
}

@Test func `json holds every key of the registers and satisfies the schema`() throws {
    let path = Golden.repository + "docs/report.schema.json"
    let schema = try SchemaCheck(Data(contentsOf: URL(filePath: path)))
    for violated in [true, false] {
        let bytes = try JSONReport.encode(record(violated: violated).report)
        #expect(try schema.problems(in: Data(bytes)) == [])
        #expect(
            try JSONReport.decode(bytes).trials[0].consistency
                == record(violated: violated).report.trials[0].consistency)
    }
}

@Test(arguments: Language.allCases)
func `the report draws the window that no register could show`(_ language: Language) {
    let page = HTMLReport.render(record(violated: true), language: language)
    #expect(TagCheck.problems(page) == [])
    for part in [
        "✗ ", "<title>write w7: 3001.250–3002.000 ms, a</title>",
        "<title>cas w7 w8: 3001.500–? ms</title>", ", &lt;b&gt;</title>", "&lt;k&gt;:3",
    ] {
        #expect(page.contains(part), "\(part)")
    }
    #expect(!page.contains("<b>"))
    let good = HTMLReport.render(record(violated: false), language: language)
    #expect(TagCheck.problems(good) == [])
    #expect(!good.contains("class=\"natural\""))
    #expect(good.contains(language == .en ? "<dt>Linearizable</dt>" : "<dt>线性一致</dt>"))
}

@Test func `a window that hangs on the first value says so`() throws {
    var record = record(violated: true)
    record.report.trials[0].consistency?.window?.start = "<nil>"
    let page = HTMLReport.render(record, language: .en)
    #expect(page.contains("No register that starts with &lt;nil&gt; could show this"))
    #expect(!page.contains("whatever it held before"))
    let path = Golden.repository + "docs/report.schema.json"
    let bytes = try JSONReport.encode(record.report)
    let schema = try SchemaCheck(Data(contentsOf: URL(filePath: path)))
    #expect(try schema.problems(in: Data(bytes)) == [])
    #expect(try JSONReport.decode(bytes).trials[0].consistency?.window?.start == "<nil>")
}

@Test func `the last line says that registers were violated`() {
    let lines = TerminalSummary.lastLines(
        record(violated: true).report, reportPath: "report.html"
    ).joined(separator: "\n")
    #expect(lines.contains("  NOT LINEARIZABLE (stale reads 3, lost updates 0)  "))
}
