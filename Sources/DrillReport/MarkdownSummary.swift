package import DrillCore

/// What fits into a comment on a change: verdict, figures, expectations; the trials are folded.
package enum MarkdownSummary {
    package static func encode(_ report: RunReport, language: Language = .en) -> [UInt8] {
        let headline = Headline(report, language)
        let word = PlainText.markdown
        var out = "### \(mark(report.verdict)) \(language.verdict(report.verdict)) · "
        out += "\(word(report.run.scenario)) · \(word(report.run.system))\n\n"
        out += word(headline.sentence()) + "\n\n"
        if let finding = headline.outsidePrediction { out += word(finding) + "\n\n" }

        var cells: [(String, String)] = []
        if let rto = headline.worstRTO, !headline.steps.isEmpty {
            let interval = Shown.interval(rto).map { " \($0)" } ?? ""
            cells.append((language("RTO max", "最大 RTO"), Shown.measure(rto, language) + interval))
        }
        if let prediction = headline.prediction {
            cells.append((language("Predicted", "理论预测"), prediction))
        }
        if let rate = report.summary.successRate.duringFault {
            cells.append((language("Success during fault", "故障期间成功率"), Shown.percent(rate)))
        } else if let rate = report.summary.successRate.overall {
            cells.append((language("Success", "成功率"), Shown.percent(rate)))
        }
        if headline.hasFailover {
            let proved = headline.proved.map { language(" (proves \($0))", "（可证 \($0)）") } ?? ""
            cells.append((language("Failover", "故障切换"), headline.failover + proved))
        }
        if headline.losses != .none, let loss = headline.loss {
            cells.append((language("Writes", "写入"), loss))
        }
        switch headline.splitBrain {
        case .seen(let atLeast):
            let length = atLeast.map { " ≥ " + Shown.duration($0) } ?? ""
            cells.append((language("Split brain", "脑裂"), language("seen", "出现") + length))
        case .never: cells.append((language("Split brain", "脑裂"), language("never", "未出现")))
        case .unknown: cells.append((language("Split brain", "脑裂"), language("unknown", "未知")))
        case .none: break
        }
        if !cells.isEmpty {
            out += "| " + cells.map { word($0.0) }.joined(separator: " | ") + " |\n"
            out += "|" + String(repeating: " --- |", count: cells.count) + "\n"
            out += "| " + cells.map { word($0.1) }.joined(separator: " | ") + " |\n\n"
        }

        if !report.expectations.isEmpty {
            out += language(
                "| | Expectation | Threshold | Observed |\n", "| | 期望 | 阈值 | 实测 |\n")
            out += "| --- | --- | --- | --- |\n"
            for expectation in report.expectations {
                let reason = expectation.reason.map { ": " + $0 } ?? ""
                let observed = Shown.observed(expectation, language) + reason
                out += "| \(mark(expectation.verdict)) | \(word(Headline.name(expectation))) | "
                out += "\(word(expectation.threshold)) | \(word(observed)) |\n"
            }
            out += "\n"
        }
        if report.heal.verdict == .restoreFailed || !report.heal.leftBehind.isEmpty {
            let left = report.heal.leftBehind.map(word).joined(separator: ", ")
            out += language("**Restore failed.** ", "**复原失败。** ") + left + "\n\n"
        }
        out += trials(report, language)
        let seed = report.run.seed.map { language(", seed \($0)", "，种子 \($0)") } ?? ""
        out += "<sub>firedrill \(word(report.run.version)), \(word(report.run.id))\(seed)</sub>\n"
        return [UInt8](out.utf8)
    }

    private static let mostTrials = 30

    private static func trials(_ report: RunReport, _ language: Language) -> String {
        guard !report.trials.isEmpty else { return "" }
        let word = PlainText.markdown
        var out = "<details><summary>\(report.trials.count) "
        out += language("trials", "次试验") + "</summary>\n\n"
        out += language("| # | | RTO | Primary | Reason |\n", "| # | | RTO | 主角色 | 原因 |\n")
        out += "| --- | --- | --- | --- | --- |\n"
        for trial in report.trials.prefix(mostTrials) {
            let interval = Shown.interval(trial.rto).map { " \($0)" } ?? ""
            let roles = "\(trial.primaryBefore ?? "–") → \(trial.primaryAfter ?? "–")"
            out += "| \(trial.index) | \(mark(trial.verdict)) | "
            out += "\(word(Shown.measure(trial.rto, language) + interval)) | \(word(roles)) | "
            out += "\(word(trial.reasons.joined(separator: "; "))) |\n"
        }
        if report.trials.count > mostTrials { out += "| … | | | | |\n" }
        return out + "\n</details>\n\n"
    }

    private static func mark(_ verdict: Verdict) -> String {
        switch verdict {
        case .pass: "✅"
        case .fail: "❌"
        case .inconclusive: "❔"
        }
    }
}
