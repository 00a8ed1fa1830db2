package import DrillCore

/// What one trial says of a metric: bounds between which the true value lies.
package struct TrialEvidence: Hashable, Sendable {
    package var value: Double
    package var low: Double
    /// Infinite where the value is censored.
    package var high: Double
    package var censored: Bool

    package init(value: Double, low: Double, high: Double, censored: Bool = false) {
        self.value = value
        self.low = low
        self.high = high
        self.censored = censored
    }

    package init(exact: Double) { self.init(value: exact, low: exact, high: exact) }

    /// Nil where nothing is known.
    package init?(_ measure: Measure) {
        guard let value = measure.value else { return nil }
        switch measure.status {
        case .measured:
            self.init(value: value, low: measure.low ?? value, high: measure.high ?? value)
        case .censored: self.init(value: value, low: value, high: .infinity, censored: true)
        case .unknown, .notApplicable: return nil
        }
    }

    /// Ranks above another: every censored value ranks above every number.
    static func byRank(_ left: TrialEvidence, _ right: TrialEvidence) -> Bool {
        if left.censored != right.censored { return right.censored }
        return left.value < right.value
    }
}

/// Judges a threshold by intervals (docs/MEASUREMENT.md, "Verdicts").
package enum Judgement {
    /// The 1-based nearest rank of an aggregate among `count` values; the median is p(50).
    package static func rank(_ aggregate: Expectation.Aggregate, of count: Int) -> Int {
        switch aggregate {
        case .min: 1
        case .max: count
        case .median: (count + 1) / 2
        case .percentile(let percent): max(1, (percent * count + 99) / 100)
        }
    }

    /// Fewer trials cannot show p(N) at all.
    package static func leastTrials(_ aggregate: Expectation.Aggregate) -> Int {
        switch aggregate {
        case .min, .median, .max: 1
        case .percentile(let percent):
            percent < 100 ? (100 + (100 - percent) - 1) / (100 - percent) : Int.max
        }
    }

    package struct Result: Hashable, Sendable {
        package var verdict: Verdict
        /// The aggregate over the known trials; nil without any.
        package var observed: TrialEvidence?
        package var reason: String?
    }

    /// - Parameter missing: trials that should say something and do not. They may be anything: a verdict stands only
    ///   if it stands whatever they would say.
    package static func judge(
        _ aggregate: Expectation.Aggregate, _ comparison: Comparison, _ threshold: Double,
        known: [TrialEvidence], missing: Int
    ) -> Result {
        guard !known.isEmpty else {
            return Result(verdict: .inconclusive, observed: nil, reason: "no trial shows it")
        }
        let ranked = known.sorted(by: TrialEvidence.byRank)
        let observed = ranked[rank(aggregate, of: ranked.count) - 1]
        let count = known.count + missing
        guard count >= leastTrials(aggregate) else {
            return Result(
                verdict: .inconclusive, observed: observed,
                reason: "\(spelled(aggregate)) needs \(leastTrials(aggregate)) trials")
        }
        // `==` asks what was seen, not what could have stayed unseen.
        let byValue = comparison == .equal
        let unknownLow = Array(repeating: -Double.infinity, count: missing)
        let unknownHigh = Array(repeating: Double.infinity, count: missing)
        let lows = (known.map { byValue ? $0.value : $0.low } + unknownLow).sorted()
        let highs =
            (known.map { byValue && !$0.censored ? $0.value : $0.high } + unknownHigh).sorted()
        let index = rank(aggregate, of: count) - 1
        let low = lows[index]
        let high = highs[index]
        let refuted: Bool
        switch comparison {
        case .less, .lessOrEqual: refuted = !comparison.holds(low, threshold)
        case .greater, .greaterOrEqual: refuted = !comparison.holds(high, threshold)
        case .equal: refuted = threshold < low || threshold > high
        }
        if refuted { return Result(verdict: .fail, observed: observed, reason: nil) }
        if comparison.holds(low, threshold), comparison.holds(high, threshold) {
            return Result(verdict: .pass, observed: observed, reason: nil)
        }
        let reason =
            missing > 0
            ? "\(missing) of \(count) trials do not show it"
            : "the measured interval does not decide it"
        return Result(verdict: .inconclusive, observed: observed, reason: reason)
    }

    package static func spelled(_ aggregate: Expectation.Aggregate) -> String {
        switch aggregate {
        case .min: "min"
        case .median: "median"
        case .max: "max"
        case .percentile(let percent): "p(\(percent))"
        }
    }
}
