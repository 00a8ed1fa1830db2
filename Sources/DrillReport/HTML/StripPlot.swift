import DrillCore

/// The RTO of every trial as a mark with its interval, on one axis with the predicted window and the thresholds.
struct StripPlot {
    static func draw(_ record: RunRecord, width: Double, _ language: Language) -> Markup? {
        let trials = record.report.trials.filter {
            $0.rto.status == .measured || $0.rto.status == .censored
        }
        let values = trials.compactMap { $0.rto.value ?? $0.rto.low }
        guard !trials.isEmpty, let largest = values.max(), largest > 0 else { return nil }
        let narrow = width < 600
        let predicted = record.report.summary.predicted
        let thresholds = record.scenario.expectations.compactMap {
            expectation -> (Double, String)? in
            guard expectation.metric == "rto",
                case .threshold(_, _, let value) = expectation.condition,
                value <= largest * 3
            else { return nil }
            return (value, expectation.text)
        }
        let most = max(largest, predicted?.high ?? 0, thresholds.map(\.0).max() ?? 0) * 1.06
        let scale = TimeScale(
            range: 0...most, left: narrow ? 30 : 64, right: width - (narrow ? 62 : 90))
        let row = trials.count > 40 ? 7.0 : trials.count > 12 ? 12 : 20
        let top = 20.0
        let bottom = top + row * Double(trials.count) + 4
        var body: Markup = .none

        if let predicted {
            let x = scale.clamped(predicted.low)
            let length = max(2, scale.clamped(predicted.high) - x)
            let (numbers, unit) = Shown.range(predicted.low, predicted.high)
            let text = language("predicted \(numbers) \(unit)", "预测 \(numbers) \(unit)")
            let long = narrow ? text : "\(predicted.source): \(text)"
            body +=
                "<g><title>\(predicted.source): \(text)</title><rect class=\"predicted\" x=\"\(x)\" y=\"\(top - 4)\" width=\"\(length)\" height=\"\(bottom - top + 4)\"/>"
            let half = LabelRows.width(of: long, size: 11.5) / 2
            let middle = min(max(x + length / 2, scale.left + half), width - half - 2)
            body +=
                "<text class=\"muted\" text-anchor=\"middle\" x=\"\(middle)\" y=\"11\">\(long)</text></g>"
        }
        for (value, text) in thresholds {
            let x = scale.clamped(value)
            body +=
                "<g><title>\(text)</title><path class=\"threshold\" d=\"M\(x) \(top - 4)V\(bottom)\"/>"
            let free = predicted.map { scale.clamped($0.high) + 110 < x } ?? true
            if free {
                body +=
                    "<text class=\"muted\" text-anchor=\"middle\" x=\"\(x)\" y=\"11\">\(text)</text>"
            }
            body += "</g>"
        }
        for (index, trial) in trials.enumerated() {
            body += mark(trial, y: top + row * (Double(index) + 0.5), row: row, scale, language)
        }
        body += "<path class=\"axis\" d=\"M\(scale.left) \(bottom)H\(scale.right)\"/>"
        for (at, label) in scale.ticks(gap: narrow ? 44 : 70) {
            let x = scale.x(at)
            body +=
                "<path class=\"axis\" d=\"M\(x) \(bottom)v4\"/><text class=\"muted tick\" text-anchor=\"middle\" x=\"\(x)\" y=\"\(bottom + 16)\">\(label)</text>"
        }
        body +=
            "<text class=\"muted tick\" x=\"\(scale.right + 6)\" y=\"\(bottom + 16)\">\(language("s", "秒"))</text>"
        let label = language("RTO of each trial", "每次试验的 RTO")
        let kind: Markup = narrow ? "narrow" : "wide"
        let spoken = trials.map { "\($0.index): \(Shown.measure($0.rto, language))" }
            .joined(separator: "; ")
        return
            "<svg class=\"picture \(kind)\" viewBox=\"0 0 \(width) \(bottom + 24)\" role=\"img\" aria-label=\"\(label)\"><desc>\(spoken)</desc>\(body)</svg>\n"
    }

    private static func mark(
        _ trial: TrialReport, y: Double, row: Double, _ scale: TimeScale, _ language: Language
    ) -> Markup {
        let value = trial.rto.value ?? trial.rto.low ?? 0
        let x = scale.clamped(value)
        let size = min(5, row / 2 - 0.5)
        let shown = Shown.measure(trial.rto, language)
        let interval = Shown.interval(trial.rto).map { " " + $0 } ?? ""
        let kind: Markup =
            switch trial.verdict {
            case .pass: "pass"
            case .fail: "fail"
            case .inconclusive: "inconclusive"
            }
        var body: Markup =
            "<g class=\"\(kind)\"><title>\(language("trial", "试验")) \(trial.index): \(shown)\(interval), \(language.verdict(trial.verdict))</title>"
        if row >= 10 {
            body +=
                "<path class=\"grid\" d=\"M\(scale.left) \(y)H\(scale.right)\"/><text class=\"muted tick\" text-anchor=\"end\" x=\"\(scale.left - 8)\" y=\"\(y + 4)\">\(trial.index)</text>"
        }
        if let low = trial.rto.low, let high = trial.rto.high {
            let from = scale.clamped(low)
            body +=
                "<rect class=\"interval\" x=\"\(from)\" y=\"\(y - 1.5)\" width=\"\(max(1, scale.clamped(high) - from))\" height=\"3\"/>"
        }
        // Shape and not colour alone: a disc passed, a cross failed, a ring is not decided, an arrow has no end.
        if trial.rto.status == .censored {
            body +=
                "<path class=\"dot\" d=\"M\(x) \(y - size)l\(size * 1.8) \(size)l\(-size * 1.8) \(size)z\"/>"
        } else {
            switch trial.verdict {
            case .pass: body += "<circle class=\"dot\" cx=\"\(x)\" cy=\"\(y)\" r=\"\(size)\"/>"
            case .fail:
                body +=
                    "<path class=\"cross\" d=\"M\(x - size) \(y - size)l\(2 * size) \(2 * size)m0 \(-2 * size)l\(-2 * size) \(2 * size)\"/>"
            case .inconclusive:
                body += "<circle class=\"ring\" cx=\"\(x)\" cy=\"\(y)\" r=\"\(size)\"/>"
            }
        }
        if row >= 10 { body += "<text x=\"\(scale.right + 8)\" y=\"\(y + 4)\">\(shown)</text>" }
        return body + "</g>"
    }
}
