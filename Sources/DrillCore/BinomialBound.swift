import Glibc

/// What a count of successes proves about a rate: Clopper–Pearson bounds.
///
/// They hold for every true rate, unlike normal approximations, which claim too much from few trials.
package enum BinomialBound {
    /// The largest rate p with P[at least this many successes | p] ≤ 1 − confidence; 0 without a success.
    package static func lower(successes: Int, trials: Int, confidence: Double = 0.95) -> Double {
        guard successes > 0, trials >= successes else { return 0 }
        let error = 1 - confidence
        if successes == trials { return pow(error, 1 / Double(trials)) }
        // P[X ≥ s | p] = I_p(s, n − s + 1), which grows with p.
        return root { p in
            incompleteBeta(p, Double(successes), Double(trials - successes + 1)) - error
        }
    }

    /// The smallest rate p with P[at most this many successes | p] ≤ 1 − confidence; 1 without a failure.
    package static func upper(successes: Int, trials: Int, confidence: Double = 0.95) -> Double {
        1 - lower(successes: trials - successes, trials: trials, confidence: confidence)
    }

    /// How many more successes in a row make the lower bound satisfy a rate; nil if a million do not.
    package static func successesStillNeeded(
        successes: Int, trials: Int, for rate: Double, confidence: Double = 0.95
    ) -> Int? {
        guard rate < 1 else { return nil }
        func proves(_ more: Int) -> Bool {
            lower(successes: successes + more, trials: trials + more, confidence: confidence)
                >= rate
        }
        var high = 1
        guard !proves(0) else { return 0 }
        while !proves(high) {
            high *= 2
            if high > 1_000_000 { return nil }
        }
        var low = high / 2
        while high - low > 1 {
            let middle = (low + high) / 2
            if proves(middle) { high = middle } else { low = middle }
        }
        return high
    }

    /// The two-sided interval: it misses the true rate in at most 1 − confidence of all cases, half on each side.
    package static func interval(
        successes: Int, trials: Int, confidence: Double
    ) -> ClosedRange<Double> {
        let oneSided = (1 + confidence) / 2
        let low = lower(successes: successes, trials: trials, confidence: oneSided)
        let high = upper(successes: successes, trials: trials, confidence: oneSided)
        return low...max(low, high)
    }

    /// P[at most this many successes | rate].
    package static func tail(atMost successes: Int, trials: Int, rate: Double) -> Double {
        guard successes >= 0 else { return 0 }
        guard successes < trials else { return 1 }
        return 1 - incompleteBeta(rate, Double(successes + 1), Double(trials - successes))
    }

    private static func root(_ growing: (Double) -> Double) -> Double {
        var low = 0.0
        var high = 1.0
        for _ in 0..<200 {
            let middle = (low + high) / 2
            if growing(middle) > 0 { high = middle } else { low = middle }
        }
        return low
    }

    /// I_x(a, b), the regularized incomplete beta function, for whole a and b of at least 1.
    ///
    /// By its continued fraction (Abramowitz and Stegun 26.5.8), which converges fast below (a + 1)/(a + b + 2);
    /// above it the symmetry I_x(a, b) = 1 − I_{1−x}(b, a) leads there.
    package static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        if x <= 0 { return 0 }
        if x >= 1 { return 1 }
        if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
        let logFront = a * log(x) + b * log1p(-x) - log(a) - logBeta(a, b)
        return exp(logFront) / fraction(x, a, b)
    }

    /// 1 + d1/(1 + d2/(1 + …)), evaluated from its front by the ratios of successive convergents.
    private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        let tiny = 1e-300
        var value = 1.0
        var numerator = 1.0
        var denominator = 0.0
        for step in 1...10_000 {
            let m = Double(step / 2)
            let d =
                step.isMultiple(of: 2)
                ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            denominator = 1 + d * denominator
            if abs(denominator) < tiny { denominator = tiny }
            denominator = 1 / denominator
            numerator = 1 + d / numerator
            if abs(numerator) < tiny { numerator = tiny }
            let change = numerator * denominator
            value *= change
            if abs(change - 1) < 1e-15 { break }
        }
        return value
    }

    /// log B(a, b) for whole numbers: (a − 1)! (b − 1)! / (a + b − 1)!.
    private static func logBeta(_ a: Double, _ b: Double) -> Double {
        logFactorial(a - 1) + logFactorial(b - 1) - logFactorial(a + b - 1)
    }

    private static func logFactorial(_ n: Double) -> Double { lgamma(n + 1).0 }
}
