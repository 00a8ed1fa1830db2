import DrillCore
import DrillReport
import Testing

private func html(_ trials: [Synthetic] = [Synthetic()], _ language: Language = .en) -> String {
    HTMLReport.render(Synthetic.record(trials), language: language)
}

@Test func `the html report is the golden file`() throws {
    try Golden.expect(Array(html().utf8), is: "report.html")
    try Golden.expect(Array(html([Synthetic()], .zh).utf8), is: "report.zh.html")
}

@Test(arguments: Language.allCases)
func `a report is one file that asks for nothing and runs nothing`(language: Language) {
    let page = html(
        [Synthetic(), Synthetic(index: 2, lanes: [.fresh, .kept], splitBrain: true)], language)
    for forbidden in [
        "<script", "http:", "https:", "src=", "@import", "url(h", "javascript:", "\u{0}",
    ] {
        #expect(!page.contains(forbidden), "contains \(forbidden)")
    }
    #expect(TagCheck.problems(page) == [])
}

@Test func `hostile names become text everywhere`() {
    let evil = "</title><script>alert('x')</script>\" onload=\"alert(1)\u{202E}🔥 مرحبا"
    var record = Synthetic.record([
        Synthetic(step: "<script>alert(1)</script>", hosts: ["<b>\"a\"", "שלום"])
    ])
    record.scenario.title = evil
    record.scenario.knownUnsafe = evil
    record.report.run.id = evil
    record.report.run.cell = [evil: evil]
    record.report.reasons = [evil, "\u{1B}[31mred"]
    record.report.trials[0].reasons = [evil]
    record.report.trials[0].streams[0].stream = evil
    record.report.trials[0].steps[0].proof?.witnesses = [evil]
    record.report.expectations[0].reason = evil
    record.report.heal.leftBehind = [evil]
    record.report.notEvidenced = [evil]
    record.report.evidence[0].file = evil
    for language in Language.allCases {
        let page = HTMLReport.render(record, language: language)
        #expect(!page.contains("<script"))
        #expect(!page.contains("onload=\""))
        #expect(!page.unicodeScalars.contains("\u{202E}"))
        #expect(!page.unicodeScalars.contains("\u{1B}"))
        #expect(
            page.contains(
                "&lt;script&gt;alert(1)&lt;/script&gt;: node.kill @ &lt;b&gt;&quot;a&quot;"))
        #expect(page.contains("🔥 مرحبا"))
        #expect(TagCheck.problems(page) == [])
    }
}

@Test func `what is read by people who do not see is there`() {
    let page = html()
    #expect(page.contains("role=\"img\" aria-label=\"Trial 1: The whole trial\""))
    #expect(
        page.contains(
            "<desc>kill: node.kill @ a at 3.00 s until 12.30 s; web/fresh/read out of service from 3.10 s to 6.30 s"
        ))
    #expect(page.contains("<th scope=\"col\">"))
    #expect(page.contains("<th scope=\"row\">"))
    #expect(!page.contains("<th>"))
    #expect(html([Synthetic()], .zh).contains("<html lang=\"zh-CN\">"))
}

@Test func `a dead host's claim ends with it and split brain is drawn where two claim`() {
    let page = html()
    #expect(page.contains("<title>a: primary 0 ms – 3.00 s</title>"))
    #expect(page.contains("<title>b: primary 6.29 s – 15.00 s</title>"))
    #expect(page.contains("<title>a: dead, 12 ARP requests unanswered</title>"))
    #expect(!page.contains("class=\"overlap\""))
    let split = html([Synthetic(splitBrain: true)])
    #expect(split.contains("<title>split brain 1.20 s</title><rect class=\"overlap\""))
    #expect(split.contains("✗ seen"))
}

@Test func `a short outage has a close-up and a long one needs none`() {
    #expect(html([Synthetic(outage: 3.1..<3.4)]).contains("Close-up of the outage"))
    #expect(!html([Synthetic(outage: 3.1..<11.5)]).contains("Close-up of the outage"))
}

@Test func `a censored RTO is a bound and an unknown one says why`() {
    var record = Synthetic.record()
    record.report.trials[0].rto = .censored(at: 8000, reason: "recovered by the heal")
    record.report.trials[0].steps[0].rto = record.report.trials[0].rto
    #expect(HTMLReport.render(record).contains("<dd class=\"big\">&gt; 8.00 s</dd>"))
    record.report.trials[0].rto = .unknown("unsettled")
    #expect(HTMLReport.render(record).contains("<small>RTO unknown: unsettled · a → b</small>"))
}

@Test func `what is missing leaves a report that says so`() {
    var record = Synthetic.record()
    record.histories = []
    #expect(
        HTMLReport.render(record).contains(
            "The history of this trial is not in the run folder: no picture."))
    record.report.trials = []
    record.report.expectations = []
    record.report.verdict = .inconclusive
    record.report.reasons = ["steady state was never reached"]
    let page = HTMLReport.render(record)
    #expect(page.contains("<p>steady state was never reached</p>"))
    #expect(page.contains("No trial was run."))
    #expect(TagCheck.problems(page) == [])
    record = Synthetic.record()
    record.histories = [History()]
    #expect(TagCheck.problems(HTMLReport.render(record)) == [])
}

@Test func `with many trials only the one that failed is open`() {
    var record = Synthetic.record((1...5).map { Synthetic(index: $0) })
    record.report.verdict = .fail
    record.report.trials[2].verdict = .inconclusive
    record.report.trials[3].verdict = .fail
    let page = HTMLReport.render(record)
    #expect(page.components("<details class=\"trial\" open><summary>Trial 4") == 2)
    #expect(page.components("<details class=\"trial\" open>") == 2)
    #expect(page.components("<details class=\"trial\">") == 5)
}

@Test(arguments: 0..<50)
func `no label covers another and no line crosses one`(seed: Int) {
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
    func next() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 11) / 9_007_199_254_740_992
    }
    let labels = (0..<10).map { _ in
        LabelRows.Label(x: 200 + next() * 800, width: 20 + next() * 180)
    }
    .sorted { $0.x < $1.x }
    let placed = LabelRows.place(labels, right: 1000)
    for (index, label) in placed.enumerated() {
        #expect(label.endsAtX || label.right <= 1000)
        for other in placed.dropFirst(index + 1) {
            let apart = label.right <= other.left || other.right <= label.left
            #expect(apart || label.row != other.row, "labels \(label) and \(other), seed \(seed)")
        }
        // A line comes down from its label's row through all rows below it.
        for other in placed where other.row < label.row {
            #expect(
                label.x <= other.left || label.x >= other.right,
                "the line of \(label) crosses \(other), seed \(seed)")
        }
    }
}

extension String {
    fileprivate func components(_ separator: String) -> Int {
        split(separator: separator, omittingEmptySubsequences: false).count
    }
}
