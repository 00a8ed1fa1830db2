package import DrillCore

/// The last lines of a run.
package enum TerminalSummary {
    /// For a verdict that is not pass, a line for each reason; then the line of figures; then, where there is one, the
    /// next thing to try.
    ///
    /// - Parameters:
    ///   - next: a command and, in brackets, why: what follows `next: `.
    ///   - colour: ANSI colours for the verdict; only where a terminal asked for them.
    package static func lastLines(
        _ report: RunReport, reportPath: String, next: String? = nil, colour: Bool = false
    ) -> [String] {
        var lines = findings(report)
        lines.append(figures(report, reportPath: reportPath, colour: colour))
        if let next { lines.append("next: " + PlainText.safe(next)) }
        return lines
    }

    /// Every reason once, one line each: the run's own, then the expectations that were not met, then the trials'.
    package static func findings(_ report: RunReport) -> [String] {
        let headline = Headline(report)
        var seen: Set<String> = []
        var lines: [String] = []
        func add(_ text: String) {
            let text = PlainText.safe(text)
            if seen.insert(text).inserted { lines.append("  " + text) }
        }
        if report.verdict != .pass {
            let unmet = headline.unmet
            // The run's reasons name each unmet expectation too; once is enough.
            let named = unmet.map { Headline.name($0) + ": expected " }
            for reason in report.reasons where !named.contains(where: reason.hasPrefix) {
                add(reason)
            }
            for expectation in unmet { add(headline.line(expectation)) }
            for trial in report.trials where trial.verdict != .pass {
                for reason in trial.reasons where !report.reasons.contains(reason) {
                    add("trial \(trial.index): \(reason)")
                }
            }
        }
        if let finding = headline.outsidePrediction { add(finding) }
        for left in report.heal.leftBehind { add("left behind: \(left)") }
        return lines
    }

    private static func figures(_ report: RunReport, reportPath: String, colour: Bool) -> String {
        let headline = Headline(report)
        let cell = report.run.cell.sorted { $0.key < $1.key }
            .map { " \($0.key)=\($0.value)" }.joined()
        var parts = [verdict(report.verdict) + " " + report.run.scenario + cell]
        if report.heal.verdict == .restoreFailed { parts.append("RESTORE FAILED") }
        if let rto = headline.worstRTO, !headline.steps.isEmpty {
            let censored = report.summary.rto.censored
            var text = "RTO max " + Shown.measure(rto)
            if let prediction = headline.prediction { text += " (\(prediction))" }
            if censored > 0, headline.current.count > 1 {
                text += ", \(censored) of \(headline.current.count) without recovery"
            }
            parts.append(text)
        } else if !headline.steps.isEmpty {
            parts.append("RTO unknown")
        } else if let rate = report.summary.successRate.overall {
            parts.append("success " + Shown.percent(rate))
        }
        if headline.hasFailover {
            let proved = headline.proved.map { " (proves \($0))" } ?? ""
            parts.append("failover " + headline.failover + proved)
        } else if !headline.steps.isEmpty, let rate = report.summary.successRate.duringFault {
            parts.append("success during the fault " + Shown.percent(rate))
        }
        if let loss = headline.loss { parts.append(loss) }
        if case .violated(let stale, let lost) = headline.consistency {
            parts.append("NOT LINEARIZABLE (stale reads \(stale), lost updates \(lost))")
        }
        if case .seen(let atLeast) = headline.splitBrain {
            let length = atLeast.map { " for at least " + Shown.duration($0) } ?? ""
            parts.append("SPLIT BRAIN" + length)
        }
        parts.append(reportPath)
        return parts.map(PlainText.safe).joined(separator: "  ")
            .withVerdict(report.verdict, coloured: colour)
    }

    private static func verdict(_ verdict: Verdict) -> String {
        switch verdict {
        case .pass: "PASS"
        case .fail: "FAIL"
        case .inconclusive: "INCONCLUSIVE"
        }
    }
}

extension String {
    /// Colours go in last: nothing else of the line may hold a control character.
    fileprivate func withVerdict(_ verdict: Verdict, coloured colour: Bool) -> String {
        guard colour, let end = firstIndex(of: " ") else { return self }
        let code =
            switch verdict {
            case .pass: "32"
            case .fail: "31"
            case .inconclusive: "33"
            }
        return "\u{1B}[1;\(code)m" + self[..<end] + "\u{1B}[0m" + self[end...]
    }
}
