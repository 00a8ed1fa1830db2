import DrillCore
import DrillEmulator

/// What became of packets that were sent through a core at a steady pace, everything that is due being taken before each.
struct Passage {
    /// Of each packet: whether the original passed.
    var passed: [Bool] = []
    /// Of each packet that passed: how long it was held.
    var delays: [Duration] = []
    var decisions: [EmulatorCore.Decision] = []
    var counters = EmulatorCounters()
    /// Sequence numbers in the order in which they left.
    var order: [Int] = []

    init(
        _ impairment: Impairment, packets: Int = 100_000, length: Int = 100,
        every gap: Duration = .milliseconds(1), seed: UInt64 = 1
    ) {
        var core = EmulatorCore(seed: seed)
        core.set(impairment)
        var held = HeldPackets()
        var now = RunInstant(nanoseconds: 1_000_000_000)
        for number in 0..<packets {
            while let packet = held.take(now) { order.append(Int(packet)) }
            let decision = core.receive(length: length, held: held.count, now: now)
            decisions.append(decision)
            passed.append(decision.packet != nil)
            if let copy = decision.duplicate { held.add(Int32(number), at: copy.time) }
            if let copy = decision.packet {
                delays.append(copy.time - now)
                held.add(Int32(number), at: copy.time)
            }
            now = now + gap
        }
        while let packet = held.take(RunInstant(nanoseconds: .max)) { order.append(Int(packet)) }
        counters = core.counters
    }

    /// Lengths of the runs of lost packets.
    var bursts: [Int] {
        var runs: [Int] = []
        var current = 0
        for passed in passed {
            if passed {
                if current > 0 { runs.append(current) }
                current = 0
            } else {
                current += 1
            }
        }
        return runs
    }
}

/// Bounds that a true model leaves in one of a thousand seeds; the seeds are fixed, so a test never flickers.
enum Bounds {
    /// Two-sided 99.9 % of the normal distribution.
    static let z = 3.2905

    /// Of a count that is binomial.
    static func binomial(_ trials: Int, _ ratio: Double) -> ClosedRange<Double> {
        let mean = Double(trials) * ratio
        let spread = z * (mean * (1 - ratio)).squareRoot() + 0.5
        return (mean - spread)...(mean + spread)
    }

    /// Upper 99.9 % point of chi-square, by Wilson and Hilferty.
    static func chiSquare(_ degrees: Int) -> Double {
        let k = Double(degrees)
        let part = 1 - 2 / (9 * k) + 3.0902 * (2 / (9 * k)).squareRoot()
        return k * part * part * part
    }

    /// Of counts against what was expected; neighbours are counted together until 5 are expected.
    static func isLike(_ counts: [Int], _ expected: [Double]) -> Bool {
        var classes: [(count: Double, expected: Double)] = []
        for (count, expected) in zip(counts, expected) {
            if let last = classes.last, last.expected < 5 {
                classes[classes.count - 1] = (last.count + Double(count), last.expected + expected)
            } else {
                classes.append((Double(count), expected))
            }
        }
        if classes.count > 1, let last = classes.last, last.expected < 5 {
            classes.removeLast()
            classes[classes.count - 1].count += last.count
            classes[classes.count - 1].expected += last.expected
        }
        let sum = classes.map {
            ($0.count - $0.expected) * ($0.count - $0.expected) / $0.expected
        }.reduce(0, +)
        return classes.count < 2 || sum <= chiSquare(classes.count - 1)
    }

    /// Runs whose length is geometric: after each packet the run ends with `end`.
    static func isGeometric(_ runs: [Int], end: Double) -> Bool {
        let longest = 40
        var counts = [Int](repeating: 0, count: longest)
        for run in runs { counts[min(run, longest) - 1] += 1 }
        var left = Double(runs.count)
        let expected = (1...longest).map { length -> Double in
            let here = length == longest ? left : left * end
            left -= here
            return here
        }
        return isLike(counts, expected)
    }
}
