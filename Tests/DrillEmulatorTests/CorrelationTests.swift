import DrillCore
import DrillEmulator
import Testing

@Suite struct CorrelationTests {
    /// The kernel's formula, written out once more and in wider numbers.
    @Test(arguments: [0.0, 0.01, 0.25, 0.5, 0.9, 1.0])
    func `a correlated draw is get_crandom's`(_ correlation: Double) {
        var generator = SeededGenerator(seed: 7)
        var draws = CorrelatedDraws(correlation: correlation, generator: &generator)
        var copy = SeededGenerator(seed: 7)
        var last = copy.next() >> 32
        let rho = UInt64((correlation * 4_294_967_295).rounded())
        for _ in 0..<10_000 {
            let value = copy.next() >> 32
            let answer: UInt64
            if rho == 0 {
                answer = value
            } else {
                let wide = value.multipliedFullWidth(by: 4_294_967_296 - (rho + 1))
                let other = last.multipliedFullWidth(by: rho + 1)
                let (low, carry) = wide.low.addingReportingOverflow(other.low)
                #expect(wide.high + other.high + (carry ? 1 : 0) == 0)
                answer = low >> 32
                last = answer
            }
            #expect(UInt64(draws.next(&generator)) == answer)
        }
    }

    @Test func `losses with a correlation come in longer runs`() {
        let alone = Passage(Impairment(loss: .random(CorrelatedRatio(0.3))))
        let together = Passage(Impairment(loss: .random(CorrelatedRatio(0.3, correlation: 0.5))))
        func mean(_ runs: [Int]) -> Double { Double(runs.reduce(0, +)) / Double(runs.count) }
        #expect(abs(mean(alone.bursts) - 1 / 0.7) < 0.03)
        #expect(mean(together.bursts) > 1.3 * mean(alone.bursts))
    }

    @Test(
        arguments: [
            (0, 0), (1, .max), (0.5, 0x8000_0000), (-1, 0), (2, .max), (0.1, 429_496_730),
        ] as [(Double, UInt32)])
    func `a ratio is scaled to netem's`(_ ratio: Double, _ expected: UInt32) {
        #expect(UInt32(ratio: ratio) == expected)
    }
}
