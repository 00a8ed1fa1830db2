package import DrillCore

/// Trials -> the run's report: expectations, summary, verdict and exit code. Pure.
package enum RunAnalysis {
    /// - Parameters:
    ///   - trials: every attempt in the order in which it ran; of one index the highest attempt counts.
    ///   - leftBehind: what the lab could not remove, one sentence each.
    package static func judge(
        scenario: Scenario, system: System, trials: [TrialReport], facts: RunFacts,
        leftBehind: [String] = []
    ) -> RunReport {
        let current = Self.current(trials)
        let summary = RunSummary.make(
            scenario: scenario, system: system, current: current, all: trials)
        var expectations: [ExpectationReport] = []
        var notEvidenced: [String] = []
        for expectation in scenario.expectations {
            let judged = ExpectationJudge.judge(
                expectation, current: current, all: trials, planned: scenario.trials,
                failover: summary.failover)
            if let judged {
                expectations.append(judged)
            } else {
                notEvidenced.append(
                    "\(expectation.metric): \(expectation.text): nothing in this run could show it")
            }
        }
        notEvidenced += limits(scenario: scenario, system: system, current: current)

        var verdicts = expectations.map(\.verdict)
        var reasons = expectations.filter { $0.verdict == .fail }.map(ExpectationJudge.sentence)
        for trial in current where trial.verdict == .fail {
            verdicts.append(.fail)
            reasons += own(trial, expectations: expectations)
        }
        reasons += expectations.filter { $0.verdict == .inconclusive }
            .map(ExpectationJudge.sentence)
        if let doubt = doubt(scenario: scenario, current: current, summary: summary) {
            verdicts.append(.inconclusive)
            reasons.append(doubt)
        }
        if scenario.knownUnsafe != nil, !scenario.expectations.contains(where: \.showsHarm) {
            verdicts.append(.inconclusive)
            reasons.append("no expectation shows whether the harm of known_unsafe was seen")
        }
        for trial in current where trial.verdict == .inconclusive {
            reasons += trial.reasons.map { "trial \(trial.index): \($0)" }
        }
        let heal = heal(trials, leftBehind: leftBehind)
        if heal.verdict == .restoreFailed {
            reasons.append("a fault could not be healed")
        }
        reasons += leftBehind.map { "left behind: \($0)" }
        let verdict = Verdict.worst(verdicts) ?? .pass
        return RunReport(
            verdict: verdict,
            exitCode: exitCode(verdict, current: current, heal: heal).rawValue,
            reasons: unique(reasons), run: facts, expectations: expectations, summary: summary,
            heal: heal, notEvidenced: notEvidenced, trials: trials)
    }

    /// Of each index the last attempt, by index.
    package static func current(_ trials: [TrialReport]) -> [TrialReport] {
        var latest: [Int: TrialReport] = [:]
        for trial in trials where trial.attempt >= latest[trial.index]?.attempt ?? 0 {
            latest[trial.index] = trial
        }
        return latest.values.sorted { $0.index < $1.index }
    }

    /// What a run without a failed expectation still lacks to be a pass.
    private static func doubt(
        scenario: Scenario, current: [TrialReport], summary: Summary
    ) -> String? {
        if summary.usable == 0 { return "no trial is usable" }
        if current.count < scenario.trials {
            return "\(current.count) of \(scenario.trials) trials ran"
        }
        if scenario.expectations.isEmpty, summary.inconclusive > 0 {
            return "\(summary.inconclusive) of \(current.count) trials are inconclusive"
        }
        let broken = current.contains { trial in
            switch TrialEnd(trial.end) {
            case .interrupted, .capability, .injectionFailed, .labFailed, .cutOff: true
            case .complete, .abort, .notReady, .noSteadyState, .steadyStateLost, .stepNotBegun,
                .healedEarly:
                false
            }
        }
        return broken ? "the run did not come to its end" : nil
    }

    /// A failed trial's reasons that no failed expectation has said already.
    private static func own(
        _ trial: TrialReport, expectations: [ExpectationReport]
    ) -> [String] {
        let failed = expectations.filter { $0.verdict == .fail }.map { report in
            let parts =
                [report.workload].compactMap { $0 } + [report.metric]
                + [report.step].compactMap { $0 }
            return parts.joined(separator: ".") + ": expected \(report.threshold),"
        }
        return trial.reasons.filter { reason in !failed.contains { reason.hasPrefix($0) } }
            .map { "trial \(trial.index): \($0)" }
    }

    private static func unique(_ reasons: [String]) -> [String] {
        var seen: Set<String> = []
        return reasons.filter { seen.insert($0).inserted }
    }

    private static func heal(_ trials: [TrialReport], leftBehind: [String]) -> HealReport {
        func rank(_ verdict: HealVerdict) -> Int {
            switch verdict {
            case .restored: 0
            case .notNeeded: 1
            case .superseded: 2
            case .restoreFailed: 3
            }
        }
        let verdicts = trials.flatMap { $0.steps.compactMap(\.heal) }
        return HealReport(
            verdict: verdicts.max { rank($0) < rank($1) }, leftBehind: leftBehind)
    }

    /// 5 > 70 > 130/143 > 3 > 4 > 1 > 2 > 0: a code replaces the code, never the verdict.
    private static func exitCode(
        _ verdict: Verdict, current: [TrialReport], heal: HealReport
    ) -> ExitCode {
        var codes: [ExitCode] = []
        switch verdict {
        case .pass: codes.append(.pass)
        case .fail: codes.append(.fail)
        case .inconclusive: codes.append(.inconclusive)
        }
        for trial in current {
            switch TrialEnd(trial.end) {
            case .capability, .injectionFailed: codes.append(.capability)
            case .interrupted:
                codes.append(trial.end?.contains("TERM") == true ? .terminated : .interrupted)
            case .complete, .abort, .notReady, .noSteadyState, .steadyStateLost, .stepNotBegun,
                .labFailed, .healedEarly, .cutOff:
                break
            }
        }
        if heal.verdict == .restoreFailed || !heal.leftBehind.isEmpty {
            codes.append(.restoreFailed)
        }
        return ExitCode.worst(codes)
    }

    /// What this run's trials cannot show, so that nobody reads it into them.
    private static func limits(
        scenario: Scenario, system: System, current: [TrialReport]
    ) -> [String] {
        var limits: [String] = []
        if current.contains(where: { $0.rpoWrites.status == .notApplicable }) {
            limits.append("lost writes: \(current.first?.rpoWrites.reason ?? "not measured")")
        }
        for trial in current where trial.rpoWrites.status == .unknown {
            limits.append(
                "lost writes of trial \(trial.index): \(trial.rpoWrites.reason ?? "unknown")")
        }
        let hosts = system.roles?.among.count ?? 0
        for trial in current where hosts > 1 && trial.writes.map({ $0.diverged == nil }) ?? false {
            limits.append(
                "whether the hosts held the same writes at the end of trial \(trial.index): not all were read back from each, or they were not in step"
            )
        }
        let single = current.filter { trial in
            trial.roleChanges > 0 && (trial.rpoWrites.value ?? 0) > 0
                && trial.writes?.lostAtFailover == nil
        }
        for trial in single {
            limits.append(
                "whether trial \(trial.index) lost writes at the failover or by the way back: they were not all read back before the heal"
            )
        }
        for workload in scenario.workloads {
            let n = Noise.operations(rate: workload.rate, in: scenario.stable)
            let k = Noise.threshold(
                operations: n, successRate: scenario.steadyState.successRate)
            let smallest = Duration.nanoseconds(workload.period.nanoseconds * Int64(k))
            limits.append(
                "\(workload.name): outages shorter than \(smallest.spelled) (\(k) of its periods)")
        }
        return limits
    }
}
