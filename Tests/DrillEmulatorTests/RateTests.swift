import DrillCore
import DrillEmulator
import Testing

@Suite struct RateTests {
    /// 100 bytes at 8 Mbit/s: 100 µs each.
    private let rate = RateLimit(bitsPerSecond: 8_000_000)

    @Test func `a packet takes its own time on the line, after the one before`() {
        // One each 50 µs: the queue grows by one for every two.
        let passage = Passage(Impairment(rate: rate), packets: 1000, every: .microseconds(50))
        for (number, delay) in passage.delays.enumerated() {
            #expect(delay == .microseconds(100 * (number + 1) - 50 * number))
        }
        #expect(passage.order == Array(0..<1000))
    }

    @Test func `a line that is idle begins at once`() {
        let passage = Passage(Impairment(rate: rate), packets: 1000)
        #expect(passage.delays.allSatisfy { $0 == .microseconds(100) })
    }

    @Test func `the line comes after the delay, as in netem`() {
        let passage = Passage(
            Impairment(delay: .milliseconds(10), rate: rate), packets: 1000,
            every: .microseconds(50))
        for (number, delay) in passage.delays.enumerated() {
            #expect(delay == .microseconds(10_000 + 100 * (number + 1) - 50 * number))
        }
    }

    @Test func `with a rate nothing overtakes, whatever the jitter`() {
        let passage = Passage(
            Impairment(delay: .milliseconds(10), jitter: .milliseconds(5), rate: rate),
            packets: 10_000, every: .microseconds(200))
        #expect(passage.order == Array(0..<10_000))
    }

    @Test func `what fits into the burst passes at once, and the rate holds after it`() {
        var limit = rate
        limit.burst = 1000
        let passage = Passage(
            Impairment(rate: limit), packets: 100, every: .nanoseconds(1))
        #expect(passage.delays.prefix(10).allSatisfy { $0 == .zero })
        for (number, delay) in passage.delays.enumerated().dropFirst(10) {
            // The nanosecond between two packets fills the bucket while they pass.
            let expected = Duration.microseconds(100 * (number - 9)) - .nanoseconds(number)
            #expect(delay == expected)
        }
    }

    @Test func `a bucket fills up while nothing passes, and no higher than its burst`() {
        var core = EmulatorCore(seed: 1)
        core.set(Impairment(rate: RateLimit(bitsPerSecond: 8_000_000, burst: 200)))
        var now = RunInstant(nanoseconds: 0)
        func delays(_ core: inout EmulatorCore, _ count: Int) -> [Duration] {
            (0..<count).map { _ in
                (core.receive(length: 100, held: 0, now: now).packet?.time ?? now) - now
            }
        }
        #expect(delays(&core, 3) == [.zero, .zero, .microseconds(100)])
        now = now + .milliseconds(100)
        #expect(delays(&core, 3) == [.zero, .zero, .microseconds(100)])
        // 100 µs after the bucket was empty: room for one.
        now = now + .microseconds(200)
        #expect(delays(&core, 2) == [.zero, .microseconds(100)])
    }

    @Test func `a packet longer than the bucket waits until the rest has come`() {
        var core = EmulatorCore(seed: 1)
        core.set(Impairment(rate: RateLimit(bitsPerSecond: 8_000_000, burst: 100)))
        let now = RunInstant(nanoseconds: 0)
        #expect(
            core.receive(length: 150, held: 0, now: now).packet?.time == now + .microseconds(50))
    }

    @Test(arguments: [1_000, 8_000_000, 1_000_000_000, 100_000_000_000] as [UInt64])
    func `over many packets the rate is what was asked`(_ bits: UInt64) {
        var core = EmulatorCore(seed: 1)
        core.set(Impairment(rate: RateLimit(bitsPerSecond: bits)))
        let now = RunInstant(nanoseconds: 0)
        var last = now
        for _ in 0..<10_000 {
            last = core.receive(length: 1514, held: 0, now: now).packet?.time ?? now
        }
        let seconds = Double(last.nanoseconds) / 1e9
        let seen = 10_000 * 1514 * 8 / seconds
        // Each packet's time is rounded up to a nanosecond.
        #expect(abs(seen / Double(bits) - 1) < 0.01)
    }
}
