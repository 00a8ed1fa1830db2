/// How well this machine's measuring agrees with outages whose length is known (`firedrill calibrate`).
package struct CalibrationReport: Hashable, Sendable, Codable {
    package var at: String
    package var version: String
    @Present package var kernel: String?
    /// Operations a second with which it was measured; nothing shorter than a period can be seen.
    package var rate: Double
    /// Lengths that were asked for, in milliseconds.
    package var lengths: [Double]
    package var outage: Comparison
    package var rto: Comparison
    /// A store that was told to lose so many acknowledged writes, and what we found.
    package var lostWrites: [LostWrites]

    enum CodingKeys: String, CodingKey {
        case at, version, kernel, rate, outage, rto
        case lengths = "lengths_ms"
        case lostWrites = "lost_writes"
    }

    package init(
        at: String, version: String, kernel: String?, rate: Double, lengths: [Double],
        outage: Comparison, rto: Comparison, lostWrites: [LostWrites] = []
    ) {
        self.at = at
        self.version = version
        self.kernel = kernel
        self.rate = rate
        self.lengths = lengths
        self.outage = outage
        self.rto = rto
        self.lostWrites = lostWrites
    }

    /// One measure against the truth, which is known as an interval between the kernel's acknowledgements.
    package struct Comparison: Hashable, Sendable, Codable {
        package var count: Int
        /// The stated interval and the truth have an instant in common.
        package var holding: Int
        /// The value is no further from the middle of the truth than its stated interval is wide, plus 1 ms.
        package var within: Int
        /// Of the value, from the middle of the truth; positive: longer than the truth.
        package var errorMedian: Double
        package var errorLowest: Double
        package var errorHighest: Double
        /// Of high − low.
        package var widthMedian: Double
        package var widthHighest: Double

        enum CodingKeys: String, CodingKey {
            case count, holding, within
            case errorMedian = "error_median_ms"
            case errorLowest = "error_lowest_ms"
            case errorHighest = "error_highest_ms"
            case widthMedian = "width_median_ms"
            case widthHighest = "width_highest_ms"
        }

        package init(
            count: Int, holding: Int, within: Int, errorMedian: Double, errorLowest: Double,
            errorHighest: Double, widthMedian: Double, widthHighest: Double
        ) {
            self.count = count
            self.holding = holding
            self.within = within
            self.errorMedian = errorMedian
            self.errorLowest = errorLowest
            self.errorHighest = errorHighest
            self.widthMedian = widthMedian
            self.widthHighest = widthHighest
        }
    }

    package struct LostWrites: Hashable, Sendable, Codable {
        package var told: Int
        @Present package var measured: Int?
        package init(told: Int, measured: Int?) {
            self.told = told
            self.measured = measured
        }
    }

    /// Every interval held the truth, every count of lost writes was right, and of the values at most one in a hundred
    /// was further away than its interval says.
    package var isGood: Bool {
        [outage, rto].allSatisfy { part in
            part.count > 0 && part.holding == part.count
                && part.within * 100 >= part.count * 99
        } && lostWrites.allSatisfy { $0.measured == $0.told }
    }
}
