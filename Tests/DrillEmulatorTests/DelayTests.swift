import DrillCore
import DrillEmulator
import Testing

@Suite struct DelayTests {
    @Test func `a delay without jitter is exact`() {
        let passage = Passage(Impairment(delay: .milliseconds(50)))
        #expect(passage.delays.count == 100_000)
        #expect(passage.delays.allSatisfy { $0 == .milliseconds(50) })
        #expect(passage.order == Array(0..<100_000))
        #expect(
            Passage(Impairment(delay: .nanoseconds(1))).delays.allSatisfy { $0 == .nanoseconds(1) })
        #expect(Passage(.none).delays.allSatisfy { $0 == .zero })
    }

    @Test func `a uniform jitter fills its width evenly`() {
        let passage = Passage(Impairment(delay: .milliseconds(50), jitter: .milliseconds(10)))
        var counts = [Int](repeating: 0, count: 20)
        for delay in passage.delays {
            #expect(delay >= .milliseconds(40) && delay < .milliseconds(60))
            counts[Int(delay.milliseconds - 40)] += 1
        }
        #expect(Bounds.isLike(counts, [Double](repeating: 5000, count: 20)))
    }

    @Test(arguments: DelayDistribution.allCases)
    func `a distribution's delays have the moments of its table`(_ distribution: DelayDistribution)
    {
        let passage = Passage(
            Impairment(
                delay: .milliseconds(100), jitter: .milliseconds(10), distribution: distribution))
        let delays = passage.delays.map(\.milliseconds)
        let count = Double(delays.count)
        let mean = delays.reduce(0, +) / count
        let variance = delays.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / count
        let table = DelayTable.values(distribution).map {
            100 + 10 * Double($0) / Double(DelayTable.scale)
        }
        let entries = Double(table.count)
        let tableMean = table.reduce(0, +) / entries
        func moment(_ power: Int) -> Double {
            table.map { value in
                (0..<power).reduce(1) { product, _ in product * (value - tableMean) }
            }.reduce(0, +) / entries
        }
        #expect(abs(mean - tableMean) <= Bounds.z * (moment(2) / count).squareRoot())
        let spread = ((moment(4) - moment(2) * moment(2)) / count).squareRoot()
        #expect(abs(variance - moment(2)) <= Bounds.z * spread)
        #expect(delays.min() ?? 0 >= (table.min() ?? 0) - 0.001)
        #expect(delays.max() ?? 0 <= (table.max() ?? 0) + 0.001)
    }

    @Test func `with jitter packets overtake, and each leaves at its own time`() {
        let passage = Passage(
            Impairment(delay: .milliseconds(50), jitter: .milliseconds(10)), packets: 1000)
        #expect(passage.order != passage.order.sorted())
        #expect(Set(passage.order) == Set(0..<1000))
        let times = passage.decisions.enumerated().map {
            ($0.element.packet?.time ?? RunInstant(nanoseconds: 0), $0.offset)
        }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
        #expect(passage.order == times.map(\.1))
    }

    @Test func `what is held keeps its time when the delay changes`() {
        var core = EmulatorCore(seed: 1)
        var held = HeldPackets()
        let start = RunInstant(nanoseconds: 0)
        core.set(Impairment(delay: .milliseconds(100)))
        let first = core.receive(length: 100, held: 0, now: start).packet
        held.add(1, at: first?.time ?? start)
        core.set(Impairment(delay: .milliseconds(10)))
        let second = core.receive(length: 100, held: 1, now: start + .milliseconds(1)).packet
        held.add(2, at: second?.time ?? start)
        #expect(held.next == start + .milliseconds(11))
        #expect(held.take(start + .milliseconds(10)) == nil)
        #expect(held.take(start + .milliseconds(11)) == 2)
        #expect(held.take(start + .milliseconds(99)) == nil)
        #expect(held.take(start + .milliseconds(100)) == 1)
        #expect(held.count == 0)
    }

    @Test func `the queue is bounded, and what finds no room is counted`() {
        let impairment = Impairment(delay: .seconds(1000))
        let limit = impairment.queueLimit
        let passage = Passage(impairment, packets: limit + 500, every: .microseconds(1))
        #expect(passage.counters.overflowed == 500)
        #expect(passage.passed == (0..<limit + 500).map { $0 < limit })
    }

    @Test(arguments: [
        (Impairment.none, 10_000),
        (Impairment(delay: .milliseconds(50)), 10_000),
        (Impairment(delay: .seconds(1)), 100_000),
        (Impairment(delay: .seconds(100)), 200_000),
        (Impairment(rate: RateLimit(bitsPerSecond: 1_000_000)), 1000),
        (Impairment(delay: .milliseconds(100), rate: RateLimit(bitsPerSecond: 8_000_000)), 2000),
    ])
    func `the bound fits what is under way`(_ impairment: Impairment, _ limit: Int) {
        #expect(impairment.queueLimit == limit)
    }

    /// Against a sorted array.
    @Test func `held packets leave by time, and by arrival where times are equal`() {
        var generator = SeededGenerator(seed: 3)
        var held = HeldPackets()
        var naive: [(time: Int64, packet: Int32)] = []
        for packet in Int32(0)..<5000 {
            let time = Int64(generator.next() % 500)
            held.add(packet, at: RunInstant(nanoseconds: time))
            naive.append((time, packet))
            if packet % 3 == 0 {
                let now = Int64(generator.next() % 300)
                naive.sort { ($0.time, $0.packet) < ($1.time, $1.packet) }
                let expected = naive.first.flatMap { $0.time <= now ? $0.packet : nil }
                if expected != nil { naive.removeFirst() }
                #expect(held.take(RunInstant(nanoseconds: now)) == expected)
            }
        }
        #expect(held.count == naive.count)
    }
}
