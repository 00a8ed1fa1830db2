import Glibc

/// The counts that tell noise from an outage (docs/MEASUREMENT.md, "Noise, blips and outages").
package enum Noise {
    /// Chance at most this that noise alone opens an outage at a given bad operation.
    package static let significance = 3e-5

    /// The smallest k with P[Binomial(n, 1 − successRate) ≥ k] ≤ 3·10⁻⁵; 1 where the rate is 100 %.
    package static func threshold(operations n: Int, successRate: Double) -> Int {
        let p = 1 - successRate
        guard p > 0, n > 0 else { return 1 }
        guard p < 1 else { return n + 1 }
        // Terms by recurrence from the probability of none; in logarithms, so that a large n does not underflow.
        var k = 0
        var below = 0.0
        var logTerm = Double(n) * log1p(-p)
        let logOdds = log(p) - log1p(-p)
        while k <= n {
            if 1 - below <= significance { return max(1, k) }
            below += exp(logTerm)
            logTerm += log(Double(n - k) / Double(k + 1)) + logOdds
            k += 1
        }
        return n + 1
    }

    /// An outage ends with a stretch of at least this many sent operations.
    package static func leastSent(operations n: Int) -> Int { max(20, (n + 1) / 2) }

    /// Operations intended in a stretch.
    package static func operations(rate: Double, in stretch: Duration) -> Int {
        Int((rate * Double(stretch.nanoseconds) / 1e9).rounded(.down))
    }
}
