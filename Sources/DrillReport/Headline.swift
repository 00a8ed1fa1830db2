import DrillCore

/// The figures that every summary shows, worded once.
struct Headline {
    let report: RunReport
    let language: Language

    init(_ report: RunReport, _ language: Language = .en) {
        self.report = report
        self.language = language
    }

    /// The last attempt of each trial: what a retry replaced is listed, and decides nothing but safety.
    var current: [TrialReport] {
        var last: [Int: Int] = [:]
        for trial in report.trials {
            last[trial.index] = max(last[trial.index] ?? 0, trial.attempt)
        }
        return report.trials.filter { last[$0.index] == $0.attempt }
    }

    /// The trial that decides the run's RTO: a censored one ranks above all numbers.
    var worstTrial: TrialReport? {
        func rank(_ measure: Measure) -> (Int, Double) {
            switch measure.status {
            case .censored: (2, measure.value ?? measure.low ?? 0)
            case .measured: (1, measure.value ?? 0)
            case .unknown, .notApplicable: (0, 0)
            }
        }
        return current.filter { rank($0.rto).0 > 0 }.max { rank($0.rto) < rank($1.rto) }
    }

    var worstRTO: Measure? { worstTrial?.rto }

    /// `predicts 2.61–3.61`, in the unit of the measured value beside it.
    var prediction: String? {
        guard let predicted = report.summary.predicted else { return nil }
        let (numbers, unit) = Shown.range(predicted.low, predicted.high)
        let beside = worstRTO.flatMap { Shown.scale($0)?.unit }
        let shown = unit == beside ? numbers : "\(numbers) \(unit)"
        return language(
            "\(predicted.source) predicts \(shown)", "\(predicted.source) 预测 \(shown)")
    }

    /// Trials that contradict the prediction; it changes no verdict.
    var outsidePrediction: String? {
        guard let predicted = report.summary.predicted, !predicted.outside.isEmpty else {
            return nil
        }
        let (numbers, unit) = Shown.range(predicted.low, predicted.high)
        let trials = predicted.outside.prefix(5).map { "\($0)" }.joined(
            separator: language(", ", "、"))
        let more = predicted.outside.count - 5
        let rest = more > 0 ? language(" and \(more) more", " 等 \(predicted.outside.count) 次") : ""
        let plural = predicted.outside.count == 1 ? "" : "s"
        return language(
            "RTO outside predicted \(numbers) \(unit) (\(predicted.source)) in trial\(plural) \(trials)\(rest): either the prediction does not hold here, or something else happened",
            "试验 \(trials)\(rest)的 RTO 超出预测 \(numbers) \(unit)（\(predicted.source)）：或此预测在此不成立，或另有原因"
        )
    }

    var hasFailover: Bool { report.summary.failover.trials > 0 }

    /// `3/3`
    var failover: String {
        "\(report.summary.failover.successes)/\(report.summary.failover.trials)"
    }

    var proved: String? {
        report.summary.failover.provedRate95.map { "≥ " + Shown.percent($0, decimals: 1) }
    }

    /// The expectations that were not met, worst first.
    var unmet: [ExpectationReport] {
        report.expectations.filter { $0.verdict == .fail }
            + report.expectations.filter { $0.verdict == .inconclusive }
    }

    /// `rto.kill max <= 5s`, with the workload in front where one is named.
    static func name(_ expectation: ExpectationReport) -> String {
        var name = expectation.metric
        if let step = expectation.step { name += "." + step }
        if let workload = expectation.workload { name = workload + "." + name }
        return name
    }

    /// The step and expectation in one line: `rto.kill: max <= 5s, observed 8.2 s: reason`.
    func line(_ expectation: ExpectationReport) -> String {
        var line = "\(Self.name(expectation)): \(expectation.threshold)"
        switch expectation.observed {
        case .none: break
        case .number, .word:
            let observed = Shown.observed(expectation, language)
            line += language(", observed \(observed)", "，实测 \(observed)")
        }
        if let reason = expectation.reason { line += language(": ", "：") + reason }
        return line
    }

    /// Why the verdict is what it is, in one sentence; `knownUnsafe` is the scenario's own text.
    func sentence(knownUnsafe: String? = nil) -> String {
        switch report.verdict {
        case .fail:
            if let first = unmet.first(where: { $0.verdict == .fail }) { return line(first) }
            return report.reasons.first ?? language("The system failed.", "系统未通过。")
        case .inconclusive:
            if let first = report.reasons.first { return first }
            if let first = unmet.first { return line(first) }
            return language(
                "The evidence does not decide.", "证据不足以下结论。")
        case .pass: return passSentence(knownUnsafe: knownUnsafe)
        }
    }

    private func passSentence(knownUnsafe: String?) -> String {
        let count = report.expectations.count
        let all =
            count == 1
            ? language("the one expectation holds", "唯一一项期望成立")
            : language("all \(count) expectations hold", "全部 \(count) 项期望成立")
        let trials = report.summary.usable
        if knownUnsafe != nil {
            return language(
                "The harm that this configuration is known for was seen: \(all).",
                "已观察到该配置的已知危害：\(all)。")
        }
        guard let worst = worstRTO, worst.status == .measured, !steps.isEmpty else {
            return language("As expected: \(all).", "符合预期：\(all)。")
        }
        let rto = Shown.measure(worst, language)
        if (worst.value ?? 0) == 0 {
            return language(
                "No outage was seen in \(trials) trial\(trials == 1 ? "" : "s"), and \(all).",
                "\(trials) 次试验均未出现中断，\(all)。")
        }
        return trials == 1
            ? language("The service was back within \(rto), and \(all).", "服务在 \(rto) 内恢复，\(all)。")
            : language(
                "The service was back within \(rto) in each of \(trials) trials, and \(all).",
                "\(trials) 次试验中服务均在 \(rto) 内恢复，\(all)。")
    }

    var steps: [StepReport] { report.trials.flatMap(\.steps).filter(\.measured) }

    /// Seen in any trial is seen; unknown in any other is unknown; nil where no trial can tell.
    enum SplitBrain { case seen(Double?), never, unknown(String?), none }

    var splitBrain: SplitBrain {
        let seen = report.trials.map(\.splitBrain).filter { $0.seen == true }
        if !seen.isEmpty { return .seen(seen.compactMap(\.atLeast).max()) }
        let all = current.map(\.splitBrain)
        guard let open = all.first(where: { $0.seen == nil }) else {
            return all.isEmpty ? .none : .never
        }
        // Active-active: nobody plays a role, and there is nothing to be unknown.
        if all.allSatisfy({ $0.seen == nil && $0.reason == "the system has no roles" }) {
            return .none
        }
        return .unknown(open.reason)
    }
}
