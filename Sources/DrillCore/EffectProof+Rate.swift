/// By how far a limit spreads packets that were sent back to back.
extension EffectProof {
    /// What one train shows, in bits a second and nanoseconds.
    private struct Train {
        /// At which it was sent.
        var offered: Double
        /// At which it arrived.
        var seen: Double
        /// One after the other, without those that passed on a burst's credit.
        var arrivals: [RunInstant]

        /// From each `step`th arrival to the next of these, in nanoseconds.
        func spans(_ step: Int) -> [Double] {
            stride(from: step, to: arrivals.count, by: step).map {
                Double((arrivals[$0] - arrivals[$0 - step]).nanoseconds)
            }
        }
    }

    /// A train has to be sent so many times faster than the limit for its spreading to be the limit's.
    private static let leastOffer = 1.5

    /// A limit of others that is no higher than so many times the asked one cannot be told from it.
    static let hiding = 1.2

    /// Nearer to one another than this share of their time on the line no limit lets packets be.
    static let nearness = 0.75

    /// Packets of which the time on the line is a millisecond: a machine that is some tenths late lets single ones go together.
    static func span(_ onLine: Double) -> Int { max(1, Int((1e6 / onLine).rounded(.up))) }

    /// Real traffic takes its share, so that the trains that were disturbed least count.
    static func judgeRate(_ own: Impairment, _ limit: RateLimit, _ view: ProbeView)
        throws(MergeConflict) -> EffectFinding
    {
        let asked = Double(limit.bitsPerSecond)
        let size = demand(limit).size
        let delays = try view.groups.map { (others) throws(MergeConflict) in
            DelayLaw(try Impairment.merged([own, others]))
        }
        func undecided(_ sentence: String) -> EffectFinding {
            EffectFinding(inEffect: false, isDecided: false, sentence: sentence)
        }
        if view.groups.contains(where: {
            $0.rate.map { Double($0.bitsPerSecond) <= Self.hiding * asked } ?? false
        }) {
            return undecided(
                "another fault limits the link to about \(Figure.bitRate(asked)) already, or to less"
            )
        }
        func trains(_ view: ProbeView) -> [Train] {
            view.trains.compactMap {
                train($0, beyond: limit.burst / size, size: size)
            }
        }
        let all = trains(view)
        guard all.count >= 3 else {
            return undecided(
                "too few whole trains arrived to show a rate of \(Figure.bitRate(asked))")
        }
        let fast = all.filter { $0.offered >= leastOffer * asked }
        guard fast.count >= 3, let seen = best(fast) else {
            let offered = all.map(\.offered).sorted().quantile(0.9) ?? 0
            return undecided(
                "packets were sent at \(Figure.bitRate(offered)): too slow to show a limit of "
                    + Figure.bitRate(asked))
        }
        let sentence =
            "\(fast.count) trains at \(Figure.bitRate(seen)), asked \(Figure.bitRate(asked))"
        let jitter = delays.map(\.jitter).max() ?? 0
        let onLine = Double(size * 8) / asked * 1e9
        // The window may have cut one.
        let count = view.trains.map(\.count).max() ?? 0
        let whole = Double(count) * onLine
        guard seen <= 1.1 * asked, seen >= 0.5 * asked * whole / (whole + 8 * jitter) else {
            return EffectFinding(inEffect: false, sentence: sentence)
        }
        // A jitter spreads a train, too, but leaves some of its packets close together: a limit does not.
        let step = span(onLine)
        let near = nearness * Double(step) * onLine
        let byJitter = delays.map { $0.share(nearerThan: near, step: step, of: count) }.min() ?? 1
        func nearOnes(_ trains: [Train]) -> (hits: Int, of: Int) {
            let spans = trains.flatMap { $0.spans(step) }
            return (spans.count { $0 < near }, spans.count)
        }
        let (hits, spans) = nearOnes(fast)
        if jitter > 0, BinomialBound.tail(atMost: hits, trials: spans, rate: byJitter) > 0.001 {
            return undecided("\(sentence): the jitter may have spread them")
        }
        for (name, part) in view.parts {
            let fast = trains(part).filter { $0.offered >= leastOffer * asked }
            guard let value = best(fast) else { continue }
            let (hits, spans) = nearOnes(fast)
            let isSpread = jitter == 0 || Double(hits) < max(3, 0.5 * byJitter * Double(spans))
            if value <= 1.5 * asked, isSpread { continue }
            return EffectFinding(
                inEffect: false,
                sentence:
                    "\(sentence): in the \(name) \(Figure.bitRate(value)), so it was not there all the time"
            )
        }
        return EffectFinding(inEffect: true, sentence: sentence)
    }

    private static func best(_ trains: [Train]) -> Double? {
        trains.map(\.seen).sorted().quantile(0.9)
    }

    /// Of what arrived of a train; the first packets may have passed on a burst's credit.
    private static func train(
        _ packets: ArraySlice<ProbeSample>, beyond burst: Int, size: Int
    ) -> Train? {
        let arrivals = packets.compactMap { sample in sample.delay.map { sample.sent + $0 } }
        guard let begun = packets.first?.sent, let ended = packets.last?.sent, ended > begun,
            arrivals.count * 2 >= packets.count
        else { return nil }
        let limited = arrivals.sorted().dropFirst(burst)
        guard let first = limited.first, let last = limited.last, limited.count >= 4, last > first
        else { return nil }
        func rate(_ count: Int, in time: Duration) -> Double {
            Double(size * (count - 1) * 8) / Double(time.nanoseconds) * 1e9
        }
        return Train(
            offered: rate(packets.count, in: ended - begun),
            seen: rate(limited.count, in: last - first),
            arrivals: Array(limited))
    }
}
