package import DrillCore

/// Reads a metric out of one trial's report.
package enum MetricEvidence {
    package enum Found: Hashable, Sendable {
        case known(TrialEvidence)
        /// Why the trial does not show it.
        case missing(String)
        /// The trial has no such thing.
        case notApplicable(String)
    }

    /// Of the named workload's streams, else of all, the worst one; of the named step, else the worst measured one.
    package static func find(_ expectation: Expectation, in trial: TrialReport) -> Found {
        let parts = expectation.metric.split(separator: ".").map(String.init)
        let part = parts.count > 1 ? parts[1] : ""
        let streams = trial.streams.filter { stream in
            expectation.workload.map { stream.stream.hasPrefix("\($0)/") } ?? true
        }
        let selection = Selection(expectation: expectation, trial: trial, streams: streams)
        switch parts.first ?? "" {
        case "rto": return selection.worst(\.rto)
        case "outage": return selection.worst(\.outage)
        case "brownout": return selection.worst(\.brownout)
        case "failback_outage": return selection.worst(\.failbackOutage)
        case "detect": return worst(selection.steps.map(\.detect))
        case "time_without_redundancy": return worst(selection.steps.map(\.timeWithoutRedundancy))
        case "success_rate": return selection.successRate(part)
        case "latency": return latency(part, streams)
        case "failed":
            return .known(
                TrialEvidence(exact: Double(streams.reduce(0) { $0 + $1.operations.bad })))
        case "role_changes": return .known(TrialEvidence(exact: Double(trial.roleChanges)))
        case "split_brain_time": return splitBrainTime(trial.splitBrain)
        case "rpo": return worst([trial.rpo])
        case "rpo_writes": return worst([trial.rpoWrites])
        case "replication_lag": return worst([trial.replicationLag])
        case "stale_reads": return count(trial.consistency, \.staleReads)
        case "lost_updates": return count(trial.consistency, \.lostUpdates)
        default: return .missing("\(expectation.metric) is not measured yet")
        }
    }

    /// The worst of several measures: censored above unknown above measured; what does not apply is passed over.
    package static func worst(_ measures: [Measure]) -> Found {
        guard let worst = Measure.worst(measures) else {
            return .notApplicable(measures.first?.reason ?? "the trial has no such step")
        }
        guard let evidence = TrialEvidence(worst) else {
            return .missing(worst.reason ?? "unknown")
        }
        return .known(evidence)
    }

    private static func count(
        _ report: ConsistencyReport?, _ path: KeyPath<ConsistencyReport, Int?>
    ) -> Found {
        guard let report else { return .notApplicable("no workload uses registers") }
        guard let count = report[keyPath: path] else {
            return .missing(report.reason ?? "unknown")
        }
        return .known(TrialEvidence(exact: Double(count)))
    }

    private static func latency(_ part: String, _ streams: [StreamReport]) -> Found {
        if let silent = streams.first(where: { $0.operations.intended > 0 && $0.latency.count == 0 }
        ) {
            return .missing("no operation of \(silent.stream) was answered")
        }
        let values = streams.compactMap { stream -> Double? in
            switch part {
            case "p50": stream.latency.p50
            case "p90": stream.latency.p90
            case "p99": stream.latency.p99
            case "p999": stream.latency.p999
            default: nil
            }
        }
        guard let worst = values.max() else { return .missing("no operation was answered") }
        return .known(TrialEvidence(exact: worst))
    }

    private static func splitBrainTime(_ report: SplitBrainReport) -> Found {
        guard report.seen != nil, let low = report.atLeast, let high = report.atMost else {
            return .missing(report.reason ?? "unknown")
        }
        return .known(TrialEvidence(value: low, low: low, high: max(low, high)))
    }

    private struct Selection {
        var expectation: Expectation
        var trial: TrialReport
        var streams: [StreamReport]

        var steps: [StepReport] {
            trial.steps.filter { step in
                expectation.step.map { $0.rawValue == step.step } ?? step.measured
            }
        }

        func worst(_ path: KeyPath<StreamStepReport, Measure>) -> Found {
            let chosen = Set(steps.map(\.step))
            guard !chosen.isEmpty else { return .notApplicable("the trial has no such step") }
            let began = Set(streams.flatMap(\.steps).map(\.step))
            if let absent = steps.first(where: { !began.contains($0.step) }) {
                return .missing(absent.rto.reason ?? "the step '\(absent.step)' did not begin")
            }
            return MetricEvidence.worst(
                streams.flatMap(\.steps).filter { chosen.contains($0.step) }
                    .map { $0[keyPath: path] })
        }

        func successRate(_ window: String) -> Found {
            let rates: [Double]
            switch (window, expectation.step) {
            case ("during_fault", let step?):
                rates = streams.flatMap(\.steps).filter { $0.step == step.rawValue }
                    .compactMap(\.successRate)
            case ("during_fault", nil): rates = streams.compactMap(\.successRate.duringFault)
            case ("after", _): rates = streams.compactMap(\.successRate.after)
            case ("overall", _): rates = streams.compactMap(\.successRate.overall)
            default: rates = []
            }
            guard let worst = rates.min() else {
                return .missing("no operation was intended in that window")
            }
            return .known(TrialEvidence(exact: worst))
        }
    }
}

extension Measure {
    /// Censored above unknown above measured, then by value; nil where none applies.
    package static func worst(_ measures: [Measure]) -> Measure? {
        worstIndex(measures).map { measures[$0] }
    }

    /// The index of the worst; the first one among equals.
    package static func worstIndex(_ measures: [Measure]) -> Int? {
        func rank(_ measure: Measure) -> Int {
            switch measure.status {
            case .notApplicable: 0
            case .measured: 1
            case .unknown: 2
            case .censored: 3
            }
        }
        var worst: Int?
        for (index, measure) in measures.enumerated() where measure.status != .notApplicable {
            guard let current = worst.map({ measures[$0] }) else {
                worst = index
                continue
            }
            let order = (rank(current), current.value ?? 0, current.high ?? 0)
            if (rank(measure), measure.value ?? 0, measure.high ?? 0) > order { worst = index }
        }
        return worst
    }
}
