package import DrillCore

/// What one lane does with each packet: sch_netem's enqueue, as a value. It draws from its seed and knows the time only from its
/// caller, so the same packets at the same times have the same fate.
///
/// It differs from netem in three things that nobody asked for there: a change of parameters does not forget what was
/// drawn (netem seeds its correlations afresh), a reordered packet goes at its own time and not before others that are
/// late already, and a rate may have a burst.
package struct EmulatorCore: Sendable {
    /// What becomes of a packet; without a copy it is lost.
    package struct Decision: Hashable, Sendable {
        /// A second copy, which goes first.
        package var duplicate: Copy?
        package var packet: Copy?
    }

    package struct Copy: Hashable, Sendable {
        /// When it goes; not after now: at once.
        package var time: RunInstant
        /// Counted from the first of the frame; nil: as it came.
        package var flippedBit: Int?
    }

    package private(set) var counters = EmulatorCounters()
    private var generator: SeededGenerator
    private var loss: LossProcess
    private var duplication: CorrelatedEvent
    private var corruption: CorrelatedEvent
    private var reordering: CorrelatedEvent
    private var delay: DelayProcess
    private var bottleneck = Bottleneck()
    /// Nil: no reordering.
    private var gap: Int?
    /// Packets since the last that was picked.
    private var passed = 0
    private var queueLimit: Int

    package init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        loss = LossProcess(generator: &generator)
        duplication = CorrelatedEvent(generator: &generator)
        corruption = CorrelatedEvent(generator: &generator)
        reordering = CorrelatedEvent(generator: &generator)
        delay = DelayProcess(generator: &generator)
        queueLimit = Impairment.none.queueLimit
    }

    /// From the next packet on.
    package mutating func set(_ impairment: Impairment) {
        loss.set(impairment.loss)
        duplication.set(impairment.duplicate)
        corruption.set(impairment.corrupt)
        reordering.set(impairment.reorder?.ratio ?? .none)
        delay.set(impairment)
        bottleneck.set(impairment.rate)
        gap = impairment.reorder.map { max(1, $0.gap) }
        queueLimit = impairment.queueLimit
    }

    /// - Parameters:
    ///   - length: Of the whole frame, in bytes.
    ///   - held: How many packets wait for their time now.
    package mutating func receive(length: Int, held: Int, now: RunInstant) -> Decision {
        counters.received += 1
        var decision = Decision()
        let isDoubled = duplication.happens(&generator)
        var copies = isDoubled ? 2 : 1
        if loss.takes(&generator) {
            counters.lost += 1
            copies -= 1
        }
        if copies == 0 { return decision }
        let flippedBit = corruptedBit(length)
        if held >= queueLimit {
            counters.overflowed += 1
            return decision
        }
        if copies == 2 {
            // As it came: it passes by itself, everything but the duplication.
            decision.duplicate = duplicate(length: length, held: held, now: now)
        }
        decision.packet = Copy(time: departure(length, now), flippedBit: flippedBit)
        return decision
    }

    private mutating func duplicate(length: Int, held: Int, now: RunInstant) -> Copy? {
        if loss.takes(&generator) {
            counters.lost += 1
            return nil
        }
        counters.duplicated += 1
        let flippedBit = corruptedBit(length)
        return Copy(time: departure(length, now), flippedBit: flippedBit)
    }

    private mutating func corruptedBit(_ length: Int) -> Int? {
        guard corruption.happens(&generator), length > 0 else { return nil }
        counters.corrupted += 1
        let byte = Int(generator.draw() % UInt32(truncatingIfNeeded: length))
        return 8 * byte + Int(generator.draw() % 8)
    }

    private mutating func departure(_ length: Int, _ now: RunInstant) -> RunInstant {
        // In this order: inside the gap nothing is drawn.
        if let gap, passed >= gap - 1, reordering.happens(&generator) {
            passed = 0
            counters.reordered += 1
            return now
        }
        passed += 1
        let ready = now.nanoseconds + delay.next(&generator)
        return RunInstant(nanoseconds: bottleneck.departure(of: length, ready: ready))
    }
}
