import Glibc

/// The shapes of random delays, as netem takes them (TCA_NETEM_DELAY_DIST): a draw is
/// `delay + jitter × value ÷ scale` for a value picked evenly. Kernel and emulator draw from these very numbers.
package enum DelayTable {
    /// NETEM_DIST_SCALE: one unit of jitter.
    package static let scale = 8192
    /// Entries of each table, in rising order.
    package static let count = 4096

    /// Quantiles of the distribution, in `scale`ths of the jitter.
    package static func values(_ distribution: DelayDistribution) -> [Int16] {
        switch distribution {
        case .normal: normal
        case .pareto: pareto
        }
    }

    /// Mean 0 and a standard deviation of 1, cut at ±3.67: the middle quantile of each 4,096th of the bell, so that the
    /// table is symmetric.
    private static let normal: [Int16] = (0..<count).map { number in
        fixed(normalQuantile((Double(number) + 0.5) / Double(count)))
    }

    /// The numbers of iproute2's `pareto`, so that a scenario means what `tc … distribution pareto` means: a tail of index 3
    /// with its mean of 3/2 moved to 0, times 4/3, and no value above 4. That leaves a mean of −0.03, a standard deviation of
    /// 0.82, and nothing below −0.67.
    private static let pareto: [Int16] = (0..<count).map { number in
        let above = 1 - Double(number) / Double(count)
        return fixed((pow(above, -1 / 3.0) - 1.5) * 4 / 3)
    }

    /// What netem does without a table, as one: a kernel keeps a table that it was given until it is given another.
    package static let uniform: [Int16] = (0..<count).map { number in
        fixed((2 * Double(number) + 1) / Double(count) - 1)
    }

    private static func fixed(_ value: Double) -> Int16 {
        Int16(clamping: Int((value * Double(scale)).rounded()))
    }

    /// By bisection: erfc is monotone and exact in the tails, and 8,192 of them a process cost nothing.
    private static func normalQuantile(_ probability: Double) -> Double {
        var low = -8.0
        var high = 8.0
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if erfc(-middle / 2.0.squareRoot()) / 2 < probability {
                low = middle
            } else {
                high = middle
            }
        }
        return (low + high) / 2
    }
}
