import DrillCore
import DrillWorkload
import Testing

@Suite struct ScheduleTests {
    private static let start = RunInstant(nanoseconds: 5_000_000_000)

    private static func offsets(_ schedule: Schedule, _ count: Int) -> [Int64] {
        var schedule = schedule
        return (0..<count).map { _ in
            defer { schedule.advance() }
            return schedule.next.nanoseconds - start.nanoseconds
        }
    }

    @Test(arguments: [
        (1000.0, 0, 1, [0, 1_000_000, 2_000_000, 3_000_000]),
        (500.0, 0, 1, [0, 2_000_000, 4_000_000]),
        (3.0, 0, 1, [0, 333_333_333, 666_666_666, 1_000_000_000, 1_333_333_333]),
        (0.5, 0, 1, [0, 2_000_000_000]),
        (100.0, 1, 2, [5_000_000, 15_000_000]),
        (100.0, 2, 4, [5_000_000, 15_000_000]),
        (100.0, 3, 4, [7_500_000, 17_500_000]),
    ])
    func `constant arrivals are whole periods after the start`(
        rate: Double, index: Int, streams: Int, expected: [Int64]
    ) {
        let schedule = Schedule(
            start: Self.start, rate: rate, arrival: .constant, seed: 1, index: index,
            streams: streams)
        #expect(Self.offsets(schedule, expected.count) == expected)
    }

    @Test(arguments: [3.0, 7, 300, 999, 33_333])
    func `an hour later there is no drift`(rate: Double) {
        var schedule = Schedule(start: Self.start, rate: rate, arrival: .constant, seed: 1)
        for _ in 0..<Int(rate * 10) { schedule.advance() }
        #expect(schedule.next == Self.start + .seconds(10))
    }

    @Test func `Poisson arrivals have exponential gaps, the same for the same seed`() {
        let make = { (seed: UInt64, index: Int) in
            Schedule(start: Self.start, rate: 1000, arrival: .poisson, seed: seed, index: index)
        }
        let offsets = Self.offsets(make(7, 0), 20_000)
        #expect(offsets == Self.offsets(make(7, 0), 20_000))
        #expect(offsets != Self.offsets(make(8, 0), 20_000))
        #expect(offsets != Self.offsets(make(7, 1), 20_000))
        let gaps = zip(offsets.dropFirst(), offsets).map { Double($0 - $1) / 1e6 }
        #expect(gaps.allSatisfy { $0 >= 0 })
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        // Four standard errors of 20,000 gaps of 1 ms: 0.028 ms.
        #expect(abs(mean - 1) < 0.03)
        let longer = Double(gaps.count { $0 > 1 }) / Double(gaps.count)
        #expect(abs(longer - 0.3679) < 0.014)
    }
}
