import DrillCore

/// What a reader sees first: verdict, figures, expectations, and whether all was put back.
extension HTMLReport {
    var banner: Markup {
        let run = report.run
        let title = record.scenario.title.isEmpty ? run.scenario : record.scenario.title
        var facts: [String] = [
            "\(run.scenario) · \(run.system)",
            language(
                "\(report.summary.trials) trial\(report.summary.trials == 1 ? "" : "s")",
                "\(report.summary.trials) 次试验")
                + (report.summary.inconclusive > 0
                    ? language(
                        " (\(report.summary.inconclusive) inconclusive)",
                        "（\(report.summary.inconclusive) 次无法判定）") : ""),
            language("lab: ", "环境：") + run.lab,
        ]
        if !run.cell.isEmpty {
            facts.append(
                run.cell.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(
                    separator: " "))
        }
        if let started = run.startedAt { facts.append(started) }
        if let unsafe = record.scenario.knownUnsafe {
            facts.append(language("known unsafe: ", "已知不安全：") + unsafe)
        }
        let sentence = headline.sentence(knownUnsafe: record.scenario.knownUnsafe)
        var more = report.reasons.filter { $0 != sentence }
        if report.heal.verdict == .restoreFailed {
            more.insert(
                language("Restore failed: not everything could be put back.", "复原失败：未能全部复原。"),
                at: 0)
        }
        return """
            <header class="banner \(Self.style(report.verdict))-banner">
            <div class="word"><span aria-hidden="true">\(Self.mark(report.verdict))</span> \(language.verdict(report.verdict))</div>
            <h1>\(title)</h1>
            <p>\(sentence)</p>
            \(list(more))
            <div class="facts">\(facts.map { "<span>\($0)</span>" as Markup })</div>
            </header>
            """
    }

    var figures: Markup {
        var cards: [Markup] = []
        if !headline.steps.isEmpty { cards.append(rtoCard) }
        cards.append(successCard)
        if headline.hasFailover { cards.append(failoverCard) }
        if headline.losses != .none { cards.append(lossCard) }
        if headline.consistency != .none { cards.append(consistencyCard) }
        if record.system.roles != nil { cards.append(splitBrainCard) }
        return "<dl class=\"figures\">\(cards)</dl>"
    }

    func card(_ name: String, _ big: Markup, _ sub: [String]) -> Markup {
        let lines = sub.map { "<dd class=\"sub\">\($0)</dd>" as Markup }
        return "<div><dt>\(name)</dt><dd class=\"big\">\(big)</dd>\(lines)</div>\n"
    }

    private var rtoCard: Markup {
        let summary = report.summary.rto
        let single = headline.current.count == 1
        let name =
            single
            ? language("RTO: out of service for", "RTO：服务中断时长")
            : language("RTO, worst trial", "RTO，最差一次")
        guard let worst = headline.worstRTO else {
            let reason = report.trials.first { $0.rto.reason != nil }?.rto.reason
            return card(name, "\(language("unknown", "未知"))", [reason].compactMap { $0 })
        }
        let interval: Markup = Shown.interval(worst).map { " <small>\($0)</small>" } ?? .none
        var sub: [String] = []
        if let prediction = headline.prediction { sub.append(prediction) }
        if let finding = headline.outsidePrediction { sub.append(finding) }
        if !single, let median = summary.median {
            sub.append(
                language("median ", "中位 ") + Shown.duration(median)
                    + (summary.min.map { language(", least ", "，最短 ") + Shown.duration($0) } ?? ""))
        }
        if summary.censored > 0 {
            sub.append(
                language(
                    "\(summary.censored) of \(headline.current.count) did not recover by themselves",
                    "\(headline.current.count) 次中 \(summary.censored) 次未自行恢复"))
        }
        return card(name, "\(Shown.measure(worst, language))\(interval)", sub)
    }

    private var successCard: Markup {
        let rate = report.summary.successRate
        var sub: [String] = []
        if rate.duringFault != nil {
            if let after = rate.after {
                sub.append(language("after the heal ", "复原后 ") + Shown.percent(after))
            }
            if let overall = rate.overall {
                sub.append(language("overall ", "全程 ") + Shown.percent(overall))
            }
        }
        sub.append(language("good of all intended, worst stream", "成功数 ÷ 计划数，最差流"))
        let name =
            rate.duringFault != nil
            ? language("Success during the fault", "故障期间成功率") : language("Success", "成功率")
        return card(
            name, "\((rate.duringFault ?? rate.overall).map { Shown.percent($0) } ?? "–")", sub)
    }

    private var failoverCard: Markup {
        let failover = report.summary.failover
        var sub: [String] = []
        if let proved = headline.proved {
            sub.append(language("proves \(proved) (95 % confidence)", "可证成功率 \(proved)（95 % 置信）"))
        }
        if let low = failover.provedRate95Pessimistic, low != failover.provedRate95 {
            let shown = Shown.percent(low, decimals: 1)
            sub.append(
                language(
                    "≥ \(shown) with the inconclusive as failures", "无法判定计为失败时 ≥ \(shown)"))
        }
        if let more = failover.trialsStillNeeded, more > 0 {
            sub.append(language("\(more) more successes needed", "还需 \(more) 次成功"))
        }
        return card(language("Failover succeeded", "故障切换成功"), "\(headline.failover)", sub)
    }

    private var splitBrainCard: Markup {
        let name = language("Split brain", "脑裂")
        switch headline.splitBrain {
        case .seen(let atLeast):
            let sub = atLeast.map { [language("for at least ", "至少 ") + Shown.duration($0)] } ?? []
            // Where a scenario is about this harm, seeing it is what was expected, and still no good news.
            let expected = record.scenario.expectations.contains {
                $0.metric == "split_brain" && $0.condition == .seen
            }
            let style: Markup = expected ? "v-open" : "v-fail"
            return card(
                name, "<span class=\"\(style)\">✗ \(language("seen", "出现"))</span>",
                sub + (expected ? [language("as expected", "符合预期")] : []))
        case .never:
            return card(
                name, "\(language("never", "未出现"))",
                [language("two hosts never were primary at once", "未见两台主机同时为主")])
        case .unknown(let reason):
            return card(
                name, "<span class=\"v-open\">? \(language("unknown", "未知"))</span>",
                [reason].compactMap { $0 })
        case .none: return card(name, "–", [])
        }
    }

    var expectations: Markup {
        guard !report.expectations.isEmpty else {
            return
                "<h2>\(language("Expectations", "期望"))</h2><p class=\"muted\">\(language("The scenario expects nothing: this run only measures.", "场景未设期望：本次只测量。"))</p>"
        }
        let implied = Set(
            record.scenario.expectations.filter(\.implied).map { "\($0.metric) \($0.text)" })
        let rows = report.expectations.map { expectation -> [Markup] in
            let isImplied = implied.contains("\(expectation.metric) \(expectation.threshold)")
            let note: Markup =
                isImplied ? " <small>(\(language("implied", "隐含")))</small>" : .none
            return [
                "<code>\(Headline.name(expectation))</code>\(note)",
                "<code>\(expectation.threshold)</code>",
                "\(Shown.observed(expectation, language))", badge(expectation.verdict),
                expectation.reason.map { reason($0) } ?? .none,
            ]
        }
        return "<h2>\(language("Expectations", "期望"))</h2>"
            + table(
                nil,
                [
                    .text(language("Measure", "度量")), .text(language("Threshold", "阈值")),
                    .text(language("Observed", "实测")), .text(language("Verdict", "结论")),
                    .text(language("Reason", "原因")),
                ], rows, stacked: true)
    }

    var heal: Markup {
        let heal = report.heal
        guard let verdict = heal.verdict else { return .none }
        let sentence: String
        switch verdict {
        case .restored:
            sentence = language(
                "Everything that was changed was put back, and read back.", "所有改动均已复原并回读确认。")
        case .superseded:
            sentence = language(
                "Put back, except for what somebody else had changed meanwhile: that was left alone.",
                "已复原；期间被他人改动之处保持原样。")
        case .notNeeded: sentence = language("Nothing had to be put back.", "无需复原。")
        case .restoreFailed: sentence = language("Not everything could be put back.", "未能全部复原。")
        }
        let bad = verdict == .restoreFailed || !heal.leftBehind.isEmpty
        let mark = bad ? "✗" : "✓"
        let style: Markup = bad ? "v-fail" : "v-pass"
        return
            "<p><span class=\"v \(style)\">\(mark)</span> \(sentence)</p>\(list(heal.leftBehind))"
    }

    var strip: Markup {
        guard report.trials.count > 1,
            let wide = StripPlot.draw(record, width: TimelinePicture.wide, language),
            let narrow = StripPlot.draw(record, width: TimelinePicture.narrow, language)
        else { return .none }
        var strata: Markup = .none
        if report.summary.rto.byPrimary.count > 1 {
            let rows = report.summary.rto.byPrimary.sorted { $0.key < $1.key }.map {
                host, stratum -> [Markup] in
                [
                    "\(host)", "\(stratum.trials)",
                    "\(stratum.min.map(Shown.duration) ?? "–")",
                    "\(stratum.median.map(Shown.duration) ?? "–")",
                    "\(stratum.max.map(Shown.duration) ?? "–")", "\(stratum.censored)",
                ]
            }
            strata = table(
                language("By the host that was primary before", "按故障前的主分组"),
                [
                    .text(language("Primary", "主")), .number(language("Trials", "试验数")),
                    .number(language("Least", "最短")), .number(language("Median", "中位")),
                    .number(language("Most", "最长")), .number(language("Without recovery", "未恢复")),
                ], rows, compact: true)
        }
        return """
            <h2>\(language("RTO of each trial", "每次试验的 RTO"))</h2>
            <figure>\(wide)\(narrow)</figure>
            <small>\(language("● passed, ✗ failed, ○ inconclusive, ▷ did not recover before the heal; the bar is the interval.", "● 通过，✗ 未通过，○ 无法判定，▷ 复原前未恢复；横条为区间。"))</small>
            \(strata)
            """
    }
}
