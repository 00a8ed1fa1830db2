import DrillCore

/// One line a trial, as soon as it is judged.
enum TrialLine {
    /// - Parameter hasRoles: whether there is a split brain to look for.
    static func text(_ trial: TrialReport, of trials: Int, hasRoles: Bool) -> String {
        var parts = ["trial \(trial.index)/\(trials): \(trial.verdict.rawValue)"]
        for step in trial.steps where step.measured {
            parts.append("\(step.step): RTO \(text(step.rto))")
        }
        if let rate = trial.streams.compactMap(\.successRate.overall).min() {
            parts.append("success \((rate * 10000).rounded() / 100) %")
        }
        switch trial.splitBrain.seen {
        case true?: parts.append("split brain")
        case false?: break
        case nil: if hasRoles { parts.append("split brain unknown") }
        }
        if let reason = trial.reasons.first { parts.append(reason) }
        return parts.joined(separator: "  ")
    }

    private static func text(_ measure: Measure) -> String {
        func ms(_ value: Double?) -> String { value.map { "\(($0 * 10).rounded() / 10)" } ?? "?" }
        switch measure.status {
        case .measured: return "\(ms(measure.value)) ms [\(ms(measure.low)), \(ms(measure.high))]"
        case .censored: return "> \(ms(measure.low)) ms"
        case .unknown: return "unknown"
        case .notApplicable: return "none"
        }
    }
}
