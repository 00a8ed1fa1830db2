import Glibc

/// The packets of our own that show whether an effect is there.
package struct ProbeDemand: Hashable, Sendable {
    /// In the window, all trains together.
    package var count: Int
    /// Sent back to back each time. Real packets move a loss that has a memory as well: only neighbours of one train show
    /// the memory undiluted. A rate limit is seen by how far it spreads a train.
    package var train: Int
    /// Of a whole Ethernet frame without its check sequence, in bytes.
    package var size: Int
    /// Trains a second (`ProbePath.rate`).
    package var leastRate: Double
    package var mostRate: Double
    /// After which a packet is lost, counted from its sending (`ProbePath.wait`).
    package var wait: Duration

    /// Of one path, trains counted by their packets: more would disturb what is measured.
    package static let mostPackets = 1000.0

    /// Packets are this long unless a rate limit or the reader asks otherwise.
    static let size = 128

    init(
        count: Int, train: Int = 1, size: Int = Self.size, leastRate: Double = 1,
        mostRate: Double? = nil, wait: Duration = .seconds(1)
    ) {
        self.count = count
        self.train = train
        self.size = size
        self.leastRate = leastRate
        self.mostRate = mostRate ?? Self.mostPackets / Double(train)
        self.wait = wait
    }

    /// The shortest window in which so many packets can be sent.
    package var shortest: Duration {
        .nanoseconds(Int64(min(9e18, Double(count) / Double(train) / mostRate * 1e9).rounded(.up)))
    }

    /// Trains a second that send five times what is needed in the window, within the bounds: each quarter of the window
    /// can then show by itself that the effect was still there, and that it was gone (1 − p)^(5n/4) = 0.0002.
    package func rate(within window: Duration) -> Double {
        let seconds = Double(window.nanoseconds) / 1e9
        guard seconds > 0 else { return mostRate }
        let wanted = 5 * Double(count) / Double(train) / seconds
        return min(mostRate, max(leastRate, wanted))
    }

    func merged(_ other: ProbeDemand) -> ProbeDemand {
        var both = self
        both.count = max(count, other.count)
        both.train = max(train, other.train)
        both.size = max(size, other.size)
        both.leastRate = max(leastRate, other.leastRate)
        both.mostRate = min(mostRate, other.mostRate)
        both.wait = max(wait, other.wait)
        return both
    }
}

extension EffectProof {
    /// The packets needed so that the interval can hold the request and exclude no effect: a ratio p needs n with
    /// (1 − p)ⁿ ≤ 0.001, so that not one hit among them would be a finding (1 %: 688; 0.1 %: 6,905).
    ///
    /// - Parameter others: what else is done to the link; a loss beside another one takes more packets to see.
    package static func demand(
        _ effect: LinkEffect, beside others: LinkEffect? = nil
    ) -> ProbeDemand {
        guard case .impair(let impairment) = effect else {
            return ProbeDemand(count: 20, leastRate: 10)
        }
        guard case .impair(let rest) = others,
            let both = try? Impairment.merged([impairment, rest])
        else { return demand(impairment, impairment, beside: .none) }
        return demand(impairment, both, beside: rest)
    }

    /// Why so long a window cannot prove the effect, in a sentence; nil where it can.
    package static func problem(
        _ effect: LinkEffect, beside others: LinkEffect? = nil, within window: Duration
    ) -> String? {
        if case .impair(let impairment) = effect {
            if impairment == .none { return "it asks for nothing" }
            if let tooSmall = tooSmall(impairment, beside: others) { return tooSmall }
        }
        let demand = demand(effect, beside: others)
        var flight = Duration.zero
        for case .impair(let impairment)? in [effect, others] {
            flight = flight + impairment.flight
        }
        guard demand.shortest + flight > window else { return nil }
        let packets = Int((demand.mostRate * Double(demand.train)).rounded())
        return
            "its effect shows in \(demand.count) packets, which take \(Figure.duration(demand.shortest)) at "
            + "\(packets) a second"
            + (flight < .milliseconds(100)
                ? "" : ", and each is on its way for up to \(Figure.duration(flight))")
            + ": it cannot be proven in \(Figure.duration(window))"
    }

    /// Below this a delay cannot be told from the machine's own.
    static let leastDelay = Duration.milliseconds(1)

    private static func tooSmall(
        _ impairment: Impairment, beside others: LinkEffect?
    ) -> String? {
        var kept = impairment.delay + impairment.jitter
        if case .impair(let others) = others {
            kept += others.delay + others.jitter
            if let rate = impairment.rate, let other = others.rate,
                Double(other.bitsPerSecond) <= hiding * Double(rate.bitsPerSecond)
            {
                return
                    "the link is limited to \(Figure.bitRate(Double(other.bitsPerSecond))) already: it cannot be proven"
            }
        }
        if impairment.delay > .zero, impairment.delay < leastDelay {
            return "a delay below \(leastDelay.spelled) cannot be told from the machine's own"
        }
        if impairment.jitter > .zero, impairment.jitter < leastDelay {
            return "a jitter below \(leastDelay.spelled) cannot be told from the machine's own"
        }
        if impairment.reorder != nil, kept == .zero {
            return "without a delay there is nothing that packets could overtake"
        }
        if let rate = impairment.rate, rate.burst / demand(rate).size + 10 > mostTrain {
            return
                "a burst of \(rate.burst) bytes lets all the packets pass that could show the limit: it cannot be proven"
        }
        for kind in ShareKind.allCases where kind.isAsked(impairment) {
            let mean = kind.share(impairment).mean
            if mean < 1e-6 {
                return
                    "so few packets are \(kind.participle) (\(Figure.percent(mean))) that it cannot be proven"
            }
        }
        return nil
    }

    private static func demand(
        _ own: Impairment, _ both: Impairment, beside others: Impairment
    ) -> ProbeDemand {
        let spread = both.delay + both.jitter * 4
        var demand = ProbeDemand(count: 1, wait: .seconds(1) + spread)
        if own.delay > .zero {
            demand = demand.merged(ProbeDemand(count: 40, leastRate: 10))
        }
        if own.jitter > .zero {
            // The quartiles' distance is then known to about a tenth.
            demand = demand.merged(ProbeDemand(count: both.rate == nil ? 400 : 60))
        }
        for kind in ShareKind.allCases where kind.isAsked(own) {
            let share = kind.share(both)
            demand = demand.merged(
                ProbeDemand(
                    count: count(share, beside: kind.share(others).mean),
                    train: share.hasMemory ? 20 : 1))
        }
        if own.reorder != nil {
            // A picked packet overtakes only what is still on its way: five are.
            let seconds = Double(max(both.delay, leastDelay).nanoseconds) / 1e9
            demand.leastRate = min(
                demand.mostRate, max(demand.leastRate, 5 / seconds / Double(demand.train)))
        }
        if let rate = own.rate {
            demand = demand.merged(self.demand(rate, beside: DelayLaw(both)))
            // Only the first of a train shows a delay behind a limit.
            let firsts = own.jitter > .zero ? 60 : own.delay > .zero ? 20 : 0
            demand.count = max(demand.count, firsts * demand.train)
        }
        if both.rate != nil {
            demand.wait = demand.wait + min(.seconds(5), both.queueing)
            // Packets that keep their order show a jitter only where they are far apart.
            if own.jitter > .zero {
                let reach = Double(own.jitter.nanoseconds) / 1e9
                demand.mostRate = min(demand.mostRate, 1 / (8 * reach))
                demand.leastRate = min(demand.leastRate, demand.mostRate)
            }
        }
        return demand
    }

    private static func count(_ share: Share, beside others: Double) -> Int {
        let mean = min(max(share.mean, 1e-9), 0.999)
        var count = log(0.001) / log1p(-mean)
        if others > 1e-6 {
            count = max(count, telling(mean, from: others))
        }
        count *= share.inflation
        if share.hasMemory {
            // Of hits, those that follow a hit; and bursts enough for their count not to stray.
            let hits = 2 * telling(share.again, from: mean)
            count = max(count, hits / mean, 30 / mean / max(0.01, 1 - share.again))
        }
        return Int(min(1e12, count).rounded(.up))
    }

    /// Draws of which the share tells one chance from another, each with an error of one in a thousand.
    private static func telling(_ share: Double, from other: Double) -> Double {
        let root = (share * (1 - share)).squareRoot() + (other * (1 - other)).squareRoot()
        let distance = max(1e-6, abs(share - other))
        return 11 * root * root / (distance * distance)
    }

    /// Of packets, for a limit with a burst or beside a jitter.
    private static let mostTrain = 200

    /// Trains that a limit spreads over some 20 ms, and that are a tenth of what it lets pass at most.
    ///
    /// - Parameter delays: what else spreads them: they take twice as long as half of them are apart by it, where they can.
    static func demand(
        _ limit: RateLimit, beside delays: DelayLaw = DelayLaw(.none)
    ) -> ProbeDemand {
        let bytes = max(1, Double(limit.bitsPerSecond) / 8)
        let size = min(1400, max(ProbeDemand.size, Int(bytes * 0.002)))
        let onLine = Double(size) / bytes
        let middle = (delays.upperQuartile - delays.lowerQuartile) / 1e9
        let beyondBurst = 2 * limit.burst / size + 1
        let train = min(mostTrain, max(10, beyondBurst, Int(min(1000, 2 * middle / onLine))))
        let seconds = Double(train) * onLine
        let most = min(20, 0.1 / seconds)
        var trains = 5.0
        if delays.jitter > 0 {
            let step = span(onLine * 1e9)
            let near = delays.share(
                nearerThan: nearness * Double(step) * onLine * 1e9, step: step, of: train)
            let spans = 3 * log(0.001) / log1p(-min(max(near, 1e-9), 0.999))
            trains = max(trains, spans / max(1, Double((train - 1) / step)))
        }
        return ProbeDemand(
            count: Int(min(1e6, trains.rounded(.up))) * train, train: train, size: size,
            leastRate: min(0.5, most), mostRate: most,
            wait: .seconds(1) + .nanoseconds(Int64(min(60, seconds * 4) * 1e9)))
    }
}
