import DrillCore

/// Which packets are lost.
struct LossProcess: Sendable {
    private enum Model: Hashable {
        case none, random
        case gilbertElliott(toBad: UInt32, toGood: UInt32, passInBad: UInt32, lossInGood: UInt32)
    }

    private var model = Model.none
    private var event: CorrelatedEvent
    private var isBad = false

    init(generator: inout SeededGenerator) { event = CorrelatedEvent(generator: &generator) }

    /// A Gilbert–Elliott model that is the same goes on in its state; another begins in the good one, as in netem.
    mutating func set(_ loss: LossModel?) {
        let before = model
        switch loss {
        case nil: model = .none
        case .random(let ratio):
            model = .random
            event.set(ratio)
        case .gilbertElliott(let p, let r, let h, let k):
            model = .gilbertElliott(
                toBad: UInt32(ratio: p), toGood: UInt32(ratio: r), passInBad: UInt32(ratio: h),
                lossInGood: UInt32(ratio: 1 - k))
        }
        if model != before { isBad = false }
    }

    mutating func takes(_ generator: inout SeededGenerator) -> Bool {
        switch model {
        case .none: return false
        case .random: return event.happens(&generator)
        case .gilbertElliott(let toBad, let toGood, let passInBad, let lossInGood):
            // sch_netem's loss_gilb_ell: two draws, and the state that the packet met judges it.
            if isBad {
                if generator.draw() < toGood { isBad = false }
                return generator.draw() > passInBad
            }
            if generator.draw() < toBad { isBad = true }
            return generator.draw() < lossInGood
        }
    }
}
