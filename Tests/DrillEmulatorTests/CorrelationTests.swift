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
        /// How much more often a packet is lost after one that was.
        func attraction(_ correlation: Double) -> Double {
            let passage = Passage(
                Impairment(loss: .random(CorrelatedRatio(0.3, correlation: correlation))))
            let pairs = zip(passage.passed, passage.passed.dropFirst())
            let twice = pairs.filter { !$0 && !$1 }.count
            let lost = Double(passage.counters.lost)
            return Double(twice) / lost / (lost / 100_000)
        }
        #expect(abs(attraction(0) - 1) < 0.03)
        #expect(attraction(0.25) > 1.2)
        #expect(attraction(0.5) > 1.5)
    }

    @Test(
        arguments: [
            (0, 0), (1, .max), (0.5, 0x8000_0000), (-1, 0), (2, .max), (0.1, 429_496_730),
        ] as [(Double, UInt32)])
    func `a ratio is scaled to netem's`(_ ratio: Double, _ expected: UInt32) {
        #expect(UInt32(ratio: ratio) == expected)
    }
}
