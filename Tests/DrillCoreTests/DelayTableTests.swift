import DrillCore
import Testing

@Suite struct DelayTableTests {
    private func moments(_ distribution: DelayDistribution) -> (mean: Double, deviation: Double) {
        let values = DelayTable.values(distribution).map { Double($0) / Double(DelayTable.scale) }
        let mean = values.reduce(0, +) / Double(values.count)
        let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        return (mean, square.squareRoot())
    }

    @Test func `the normal table is symmetric with a deviation of one`() {
        let values = DelayTable.values(.normal)
        #expect(values.count == DelayTable.count)
        #expect(zip(values, values.reversed()).allSatisfy { $0 == -$1 })
        #expect(values == values.sorted())
        #expect(abs(moments(.normal).deviation - 1) < 0.002)
        // One, two and three standard deviations hold what they are known to hold.
        for (limit, share) in [(1.0, 0.682689), (2, 0.954500), (3, 0.997300)] {
            let inside = values.count { abs(Double($0)) < limit * Double(DelayTable.scale) }
            #expect(abs(Double(inside) / Double(values.count) - share) < 0.0005)
        }
    }

    @Test func `the uniform table spans one jitter on either side`() {
        let values = DelayTable.uniform
        #expect(values.count == DelayTable.count)
        #expect(zip(values, values.reversed()).allSatisfy { $0 == -$1 })
        #expect(values.last == 8190)
        #expect(zip(values, values.dropFirst()).allSatisfy { $1 - $0 == 4 })
    }

    /// Worked by hand from (u^(-1/3) − 3/2) × 4/3 × 8192 for u = 1, 1/8 and 1/64; at the end it is cut off.
    @Test func `the pareto table is that of iproute2`() {
        let values = DelayTable.values(.pareto)
        #expect(values.count == DelayTable.count)
        #expect(values.first == -5461)
        #expect(values[DelayTable.count * 7 / 8] == 5461)
        #expect(values[DelayTable.count * 63 / 64] == 27307)
        #expect(values.last == 32767)
        #expect(values == values.sorted())
        #expect(abs(moments(.pareto).mean + 0.033) < 0.001)
        #expect(abs(moments(.pareto).deviation - 0.82) < 0.005)
    }
}
