import DrillCore

/// `report.html`: one file, no script, nothing fetched from anywhere.
package struct HTMLReport {
    let record: RunRecord
    let language: Language
    let headline: Headline

    package static func render(_ record: RunRecord, language: Language = .en) -> String {
        HTMLReport(record: record, language: language, headline: Headline(record.report, language))
            .page.text
    }

    var report: RunReport { record.report }

    private var page: Markup {
        let tongue: Markup =
            switch language {
            case .en: "en"
            case .zh: "zh-CN"
            }
        let title =
            "\(language.verdict(report.verdict)): \(report.run.scenario) – \(report.run.system)"
        return """
            <!doctype html>
            <html lang="\(tongue)">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="generator" content="firedrill \(report.run.version)">
            <link rel="icon" href="data:,">
            <title>\(title)</title>
            <style>
            \(Stylesheet.text)
            </style>
            </head>
            <body>
            \(Stylesheet.patterns)
            <main>
            \(banner)
            \(figures)
            \(expectations)
            \(heal)
            \(strip)
            \(trials)
            \(method)
            \(notEvidenced)
            \(evidence)
            <footer>firedrill \(report.run.version) · \(report.schema) · \(report.run.id)</footer>
            </main>
            </body>
            </html>

            """
    }

    // MARK: Pieces that all sections use

    static func mark(_ verdict: Verdict) -> String {
        switch verdict {
        case .pass: "✓"
        case .fail: "✗"
        case .inconclusive: "?"
        }
    }

    static func style(_ verdict: Verdict) -> Markup {
        switch verdict {
        case .pass: "pass"
        case .fail: "fail"
        case .inconclusive: "open"
        }
    }

    func badge(_ verdict: Verdict) -> Markup {
        "<span class=\"v v-\(Self.style(verdict))\">\(Self.mark(verdict)) \(language.verdict(verdict))</span>"
    }

    /// A reason is the analysis' own sentence, which is English in every report.
    func reason(_ text: String) -> Markup {
        language == .en ? "\(text)" : "<span lang=\"en\">\(text)</span>"
    }

    func list(_ reasons: [String]) -> Markup {
        guard !reasons.isEmpty else { return .none }
        return "<ul>\(reasons.map { "<li>\(reason($0))</li>" as Markup })</ul>"
    }

    func table(
        _ caption: String? = nil, _ heads: [Head], _ rows: [[Markup]], stacked: Bool = false,
        compact: Bool = false
    ) -> Markup {
        let caption: Markup = caption.map { "<caption>\($0)</caption>" } ?? .none
        let head = heads.map { head -> Markup in
            "<th scope=\"col\"\(head.isNumber ? " class=\"n\"" : .none as Markup)>\(head.text)</th>"
        }
        let body = rows.map { row -> Markup in
            let cells = zip(row, heads).enumerated().map { index, cell -> Markup in
                let (content, head) = cell
                let style: Markup = head.isNumber ? " class=\"n\"" : .none
                if index == 0 { return "<th scope=\"row\"\(style)>\(content)</th>" }
                let label: Markup = stacked ? " data-label=\"\(head.text)\"" : .none
                return "<td\(style)\(label)>\(content)</td>"
            }
            return "<tr>\(cells)</tr>\n"
        }
        let style: Markup = stacked ? " class=\"stack\"" : compact ? " class=\"compact\"" : .none
        return
            "<div class=\"scroll\"><table\(style)>\(caption)<thead><tr>\(head)</tr></thead><tbody>\n\(body)</tbody></table></div>\n"
    }

    struct Head {
        var text: String
        var isNumber = false

        static func text(_ text: String) -> Head { Head(text: text) }
        static func number(_ text: String) -> Head { Head(text: text, isNumber: true) }
    }
}
