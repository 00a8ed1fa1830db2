package import DrillCore

/// What the usable trials of a run say together.
package enum RunSummary {
    package static func make(
        scenario: Scenario, system: System, current: [TrialReport], all: [TrialReport]
    ) -> Summary {
        let usable = current.filter { $0.verdict != .inconclusive }
        return Summary(
            trials: current.count, usable: usable.count,
            inconclusive: current.count - usable.count,
            rto: distribution(usable, \.rto), rpoWrites: distribution(usable, \.rpoWrites),
            rpo: distribution(usable, \.rpo), successRate: successRate(usable),
            failover: failover(scenario: scenario, usable: usable, all: all),
            predicted: predicted(system.prediction, current: current))
    }

    /// Nearest ranks; a censored value ranks above every number, and is no number itself.
    private static func distribution(
        _ trials: [TrialReport], _ measure: (TrialReport) -> Measure
    ) -> Summary.Distribution {
        let known = trials.compactMap { TrialEvidence(measure($0)) }
        var strata: [String: Summary.Stratum] = [:]
        for (primary, trials) in Dictionary(grouping: trials, by: { $0.primaryBefore }) {
            guard let primary else { continue }
            let known = trials.compactMap { TrialEvidence(measure($0)) }
            guard !known.isEmpty else { continue }
            strata[primary] = Summary.Stratum(
                trials: trials.count, min: value(.min, known), median: value(.median, known),
                max: value(.max, known), censored: known.count(where: \.censored))
        }
        return Summary.Distribution(
            min: value(.min, known), median: value(.median, known),
            p95: known.count >= Judgement.leastTrials(.percentile(95))
                ? value(.percentile(95), known) : nil,
            max: value(.max, known), censored: known.count(where: \.censored), byPrimary: strata)
    }

    /// Nil without values, and where a censored one has that rank: it is larger than anything that was measured.
    private static func value(
        _ aggregate: Expectation.Aggregate, _ known: [TrialEvidence]
    ) -> Double? {
        guard !known.isEmpty else { return nil }
        let ranked = known.sorted(by: TrialEvidence.byRank)
        let evidence = ranked[Judgement.rank(aggregate, of: ranked.count) - 1]
        return evidence.censored ? nil : evidence.value
    }

    /// The worst stream of the worst trial.
    private static func successRate(_ trials: [TrialReport]) -> SuccessRate {
        let streams = trials.flatMap(\.streams).map(\.successRate)
        return SuccessRate(
            duringFault: streams.compactMap(\.duringFault).min(),
            after: streams.compactMap(\.after).min(), overall: streams.compactMap(\.overall).min())
    }

    private static func failover(
        scenario: Scenario, usable: [TrialReport], all: [TrialReport]
    ) -> Summary.Failover {
        let outcomes = usable.compactMap(\.failover)
        let successes = outcomes.count { $0 }
        let asked = all.contains { $0.failover != nil }
        let inconclusive = all.count { $0.isFailoverUnknown }
        var needed: Int?
        for expectation in scenario.expectations where expectation.metric == "failover_proved" {
            guard case .threshold(_, _, let rate) = expectation.condition else { continue }
            let more = BinomialBound.successesStillNeeded(
                successes: successes, trials: outcomes.count, for: rate)
            if let more { needed = max(needed ?? 0, more) }
        }
        return Summary.Failover(
            successes: successes, trials: outcomes.count,
            provedRate95: outcomes.isEmpty
                ? nil : BinomialBound.lower(successes: successes, trials: outcomes.count),
            provedRate95Pessimistic: asked
                ? BinomialBound.lower(
                    successes: successes, trials: outcomes.count + inconclusive) : nil,
            trialsStillNeeded: needed)
    }

    /// What theory says of the hosts that survived in these trials.
    private static func predicted(
        _ prediction: Prediction?, current: [TrialReport]
    ) -> Summary.PredictedRange? {
        guard let prediction else { return nil }
        var range: ClosedRange<Double>?
        var outside: Set<Int> = []
        for (trial, step) in current.flatMap({ trial in trial.steps.map { (trial, $0) } }) {
            guard let here = prediction.rto(of: step, in: trial) else { continue }
            range = Prediction.hull([range, here].compactMap { $0 })
            // What is no evidence of the system contradicts no theory.
            if trial.verdict != .inconclusive, isOutside(step.rto, here) {
                outside.insert(trial.index)
            }
        }
        return range.map {
            Summary.PredictedRange(
                low: $0.lowerBound, high: $0.upperBound, source: prediction.source,
                outside: outside.sorted())
        }
    }

    /// With all of its uncertainty; without an answer until the end of the observation it is longer than that.
    private static func isOutside(_ rto: Measure, _ predicted: ClosedRange<Double>) -> Bool {
        switch rto.status {
        case .measured:
            (rto.low ?? rto.value).map { $0 > predicted.upperBound } ?? false
                || (rto.high ?? rto.value).map { $0 < predicted.lowerBound } ?? false
        case .censored: (rto.low ?? rto.value).map { $0 > predicted.upperBound } ?? false
        case .unknown, .notApplicable: false
        }
    }
}
