package import DrillCore

/// Judges one expectation over the trials of a run.
package enum ExpectationJudge {
    /// - Parameters:
    ///   - current: the trials, without the attempts that a retry replaced.
    ///   - all: every attempt. A safety violation counts wherever it was seen.
    ///   - planned: how many trials the scenario asks for.
    /// - Returns: nil for an implied expectation on something that no trial has.
    package static func judge(
        _ expectation: Expectation, current: [TrialReport], all: [TrialReport], planned: Int,
        failover: Summary.Failover?
    ) -> ExpectationReport? {
        switch expectation.condition {
        case .never: return never(expectation, current: current, all: all, planned: planned)
        case .seen: return seen(expectation, current: current, planned: planned)
        case .threshold(let aggregate, let comparison, let threshold):
            if expectation.metric == "failover_proved" {
                let missing =
                    current.count { $0.isFailoverUnknown }
                    + max(0, planned - current.count)
                return proved(expectation, comparison, threshold, failover, missing: missing)
            }
            let judged = judge(
                expectation, aggregate, comparison, threshold, current: current, planned: planned)
            guard let judged, judged.verdict != .fail, aggregate == .max else { return judged }
            return harmed(expectation, comparison, threshold, all: all) ?? judged
        }
    }

    /// How much of a harm to data a trial surely showed; nil for other metrics.
    private static func harm(_ metric: String, in trial: TrialReport) -> Double? {
        switch metric {
        case "rpo_writes": trial.rpoWrites.value ?? trial.rpoWrites.low
        case "stale_reads": trial.consistency?.staleReads.map(Double.init)
        case "lost_updates": trial.consistency?.lostUpdates.map(Double.init)
        default: nil
        }
    }

    /// Writes that are surely lost, and reads that are surely stale, refute an expectation wherever they were seen: in an
    /// attempt that a retry replaced, in a trial whose fault is not proven, beside others that nobody could read back.
    private static func harmed(
        _ expectation: Expectation, _ comparison: Comparison, _ threshold: Double,
        all: [TrialReport]
    ) -> ExpectationReport? {
        for trial in all {
            guard let surely = harm(expectation.metric, in: trial) else { continue }
            let refuted: Bool
            switch comparison {
            case .less, .lessOrEqual: refuted = !comparison.holds(surely, threshold)
            case .equal: refuted = surely > threshold
            case .greater, .greaterOrEqual: refuted = false
            }
            guard refuted else { continue }
            let reason = expectation.metric == "rpo_writes" ? trial.rpoWrites.reason : nil
            let doubt = reason.map { ": at least so many, \($0)" } ?? ""
            return report(
                expectation, observed: .number(surely), .fail, "trial \(trial.index)\(doubt)")
        }
        return nil
    }

    /// A sentence for the reasons of a run or trial.
    package static func sentence(_ report: ExpectationReport) -> String {
        let name =
            ([report.workload].compactMap { $0 } + [report.metric] + [report.step].compactMap { $0 })
            .joined(separator: ".")
        let observed: String
        switch report.observed {
        case .number(let number): observed = withUnit(number, of: report.metric)
        case .word(let word): observed = word
        case .none: observed = "nothing"
        }
        let reason = report.reason.map { " (\($0))" } ?? ""
        return "\(name): expected \(report.threshold), observed \(observed)\(reason)"
    }

    private static func withUnit(_ number: Double, of metric: String) -> String {
        let base = metric.split(separator: ".").first.map(String.init) ?? metric
        switch MetricCatalog.named(base)?.unit {
        case .duration?: return "\(rounded(number)) ms"
        case .ratio?: return "\(rounded(number * 100)) %"
        case .count?, .occurrence?, nil:
            return Int(exactly: number).map(String.init) ?? "\(rounded(number))"
        }
    }

    private static func rounded(_ number: Double) -> Double {
        abs(number) < 2
            ? (number * 1e6).rounded() / 1e6 : (number * 1e3).rounded() / 1e3
    }

    private static func judge(
        _ expectation: Expectation, _ aggregate: Expectation.Aggregate, _ comparison: Comparison,
        _ threshold: Double, current: [TrialReport], planned: Int
    ) -> ExpectationReport? {
        var known: [TrialEvidence] = []
        var missing = max(0, planned - current.count)
        var why: [String] = []
        var without = 0
        for trial in current {
            switch MetricEvidence.find(expectation, in: trial) {
            case .known(let evidence):
                if trial.verdict == .inconclusive {
                    missing += 1
                    why.append("trial \(trial.index) is inconclusive")
                } else {
                    known.append(evidence)
                }
            case .missing(let reason):
                missing += 1
                why.append("trial \(trial.index): \(reason)")
            case .notApplicable(let reason):
                missing += 1
                without += 1
                why.append(reason)
            }
        }
        if expectation.implied, !current.isEmpty, without == current.count { return nil }
        let result = Judgement.judge(
            aggregate, comparison, threshold, known: known, missing: missing)
        var reason = result.reason
        if result.verdict == .inconclusive, let first = why.first {
            reason = [result.reason, first].compactMap { $0 }.joined(separator: ": ")
        }
        if result.observed?.censored == true, result.verdict != .inconclusive {
            reason = "censored: it was still going on"
        }
        return report(
            expectation, observed: result.observed.map { .number($0.value) } ?? .none,
            result.verdict, reason)
    }

    private static func never(
        _ expectation: Expectation, current: [TrialReport], all: [TrialReport], planned: Int
    ) -> ExpectationReport? {
        let harms = { (trials: [TrialReport]) in
            trials.map { (trial: $0, harm: HarmEvidence.find(expectation.metric, in: $0)) }
        }
        let words = HarmEvidence.words(of: expectation.metric)
        let everywhere = harms(all)
        if expectation.implied, !all.isEmpty, !everywhere.contains(where: \.harm.applies) {
            return nil
        }
        for (trial, harm) in everywhere {
            guard case .seen(let what) = harm else { continue }
            return report(
                expectation, observed: .word(words.seen), .fail, "trial \(trial.index): \(what)")
        }
        for (trial, harm) in harms(current) {
            guard let doubt = harm.doubt(about: trial) else { continue }
            return report(
                expectation, observed: .word("unknown"), .inconclusive,
                "trial \(trial.index): \(doubt)")
        }
        guard current.count >= planned, !current.isEmpty else {
            return report(
                expectation, observed: .word(current.isEmpty ? "unknown" : words.unseen),
                .inconclusive, "\(current.count) of \(planned) trials ran")
        }
        return report(expectation, observed: .word(words.unseen), .pass, nil)
    }

    /// The harm was seen if one usable trial shows it; that it was not seen takes all of them.
    private static func seen(
        _ expectation: Expectation, current: [TrialReport], planned: Int
    ) -> ExpectationReport? {
        let words = HarmEvidence.words(of: expectation.metric)
        let usable = current.filter { $0.verdict != .inconclusive }
        let harms = usable.map { HarmEvidence.find(expectation.metric, in: $0) }
        if harms.contains(where: \.isSeen) {
            return report(expectation, observed: .word(words.seen), .pass, nil)
        }
        if !usable.isEmpty, usable.count >= planned, harms.allSatisfy({ $0 == .unseen }) {
            return report(
                expectation, observed: .word(words.unseen), .fail,
                "the expected harm was not seen in any trial")
        }
        for trial in current {
            let harm = HarmEvidence.find(expectation.metric, in: trial)
            guard let doubt = harm.doubt(about: trial) else { continue }
            return report(
                expectation, observed: .word("unknown"), .inconclusive,
                "trial \(trial.index): \(doubt)")
        }
        return report(
            expectation, observed: .word("unknown"), .inconclusive,
            "\(usable.count) of \(planned) trials are usable")
    }

    /// Passes on what the trials prove, counting missing ones as failures; fails only where they refute the rate
    /// even if the missing ones succeeded; few trials are neither. An attempt that a retry replaced is not missing.
    private static func proved(
        _ expectation: Expectation, _ comparison: Comparison, _ threshold: Double,
        _ failover: Summary.Failover?, missing: Int
    ) -> ExpectationReport? {
        guard let failover, let rate = failover.provedRate95 else {
            return report(
                expectation, observed: .none, .inconclusive,
                "no conclusive trial asks for a failover")
        }
        let pessimistic = BinomialBound.lower(
            successes: failover.successes, trials: failover.trials + missing)
        let possible = BinomialBound.upper(
            successes: failover.successes + missing, trials: failover.trials + missing)
        let verdict: Verdict
        var reason: String?
        switch comparison {
        case .greaterOrEqual, .greater:
            if comparison.holds(pessimistic, threshold) {
                verdict = .pass
            } else if !comparison.holds(possible, threshold) {
                verdict = .fail
                reason =
                    "\(failover.successes) of \(failover.trials) succeeded: the rate is at most \(rounded(possible))"
            } else {
                verdict = .inconclusive
                reason =
                    failover.trialsStillNeeded.map {
                        "\($0) more successes in a row would prove it"
                    }
                    ?? "no number of trials proves it"
            }
        case .less, .lessOrEqual, .equal:
            verdict = comparison.holds(rate, threshold) ? .pass : .fail
        }
        return report(expectation, observed: .number(rate), verdict, reason)
    }

    private static func report(
        _ expectation: Expectation, observed: ExpectationReport.Observed, _ verdict: Verdict,
        _ reason: String?
    ) -> ExpectationReport {
        ExpectationReport(
            metric: expectation.metric, step: expectation.step?.rawValue,
            workload: expectation.workload?.rawValue, threshold: expectation.text,
            observed: observed, verdict: verdict, reason: reason)
    }
}
