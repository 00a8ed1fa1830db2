/// Effects on when packets arrive.
extension EffectProof {
    /// The median must be within this of what was asked, so that a delay of `leastDelay` excludes none.
    private static func tolerance(_ asked: Double) -> Double { max(0.5e6, 0.05 * asked) }

    static func judgeDelay(
        _ own: Impairment, _ view: ProbeView
    ) throws(MergeConflict) -> EffectFinding {
        var rest = own
        rest.delay = .zero
        // A jitter of its own belongs to what was asked; of others it is there without this fault.
        if own.jitter > .zero { rest.jitter = .zero }
        let withIt = try laws(own, view)
        let without = try laws(rest, view)
        let gains = zip(withIt, without).map { $0.median - $1.median }
        let asked = view.mean(ofGroup: gains)
        /// Of the packets that were delayed at all: those that a reordering picks are not.
        func medianGain(_ view: ProbeView, at level: Double) -> (Double, Int, spread: Double)? {
            let gained = view.residuals(
                less: without.map(\.median), keptFor: leasts(own, withIt, view)
            ).sorted()
            guard let value = gained.quantile(level), let low = gained.quantile(0.25),
                let high = gained.quantile(0.75)
            else { return nil }
            return (value, gained.count, high - low)
        }
        let isQueued = view.isRateLimited || own.rate != nil
        let arrived = view.all.count { $0.delay != nil }
        guard arrived >= 10, let whole = medianGain(view, at: isQueued ? 0.1 : 0.5) else {
            let isAll = arrived >= 10
            return EffectFinding(
                inEffect: false, isDecided: isAll,
                sentence:
                    "\(arrived) of \(view.all.count) arrived, asked a delay of \(Figure.milliseconds(asked)): "
                    + (isAll ? "none was delayed" : "too few to tell"))
        }
        let (median, count, spread) = whole
        let sentence =
            "median delay \(Figure.milliseconds(median)), asked \(Figure.milliseconds(asked)) (\(count) packets)"
        // Where nearly all went at once, what is left is not the effect.
        let picked = view.mean(
            ofGroup: try view.groups.map { (others) throws(MergeConflict) in
                ShareKind.reorder.share(try Impairment.merged([own, others])).mean
            })
        if own.reorder == nil, Double(count) < 0.5 * (1 - picked) * Double(arrived) {
            return EffectFinding(
                inEffect: false, sentence: "\(sentence): \(arrived - count) went at once")
        }
        /// A median of n packets that are spread so is only known to about this, at 99.9 %.
        func slack(_ count: Int, _ spread: Double) -> Double {
            let memory = (1 + own.jitterCorrelation) / max(0.01, 1 - own.jitterCorrelation)
            return tolerance(asked) + 3.3 * spread * (memory / Double(max(1, count))).squareRoot()
        }
        func holds(_ value: Double, _ slack: Double) -> Bool {
            value >= asked - slack && (isQueued || value <= asked + slack)
        }
        let whole99 = slack(count, spread)
        guard holds(median, whole99) else {
            return EffectFinding(inEffect: false, sentence: sentence)
        }
        guard asked - whole99 > 0 || median - whole99 > 0 else {
            return EffectFinding(
                inEffect: false, isDecided: false,
                sentence: "\(sentence): too few packets to tell it from none")
        }
        for (name, part) in view.parts {
            guard let (value, count, spread) = medianGain(part, at: isQueued ? 0.1 : 0.5) else {
                guard part.all.contains(where: { $0.delay != nil }) else { continue }
                return EffectFinding(
                    inEffect: false, sentence: "\(sentence): none was delayed in the \(name)")
            }
            let arrived = part.all.count { $0.delay != nil }
            let isEmpty = own.reorder == nil && picked < 0.5 && count * 4 < arrived && arrived >= 8
            if isEmpty || count >= 5 && !holds(value, 2 * slack(count, spread) - tolerance(asked)) {
                return EffectFinding(
                    inEffect: false,
                    sentence: "\(sentence): in the \(name) the median is "
                        + (isEmpty ? "none" : Figure.milliseconds(value))
                        + ", so it was not there all the time")
            }
        }
        return EffectFinding(inEffect: true, sentence: sentence)
    }

    static func judgeJitter(
        _ own: Impairment, _ view: ProbeView
    ) throws(MergeConflict) -> EffectFinding {
        let withIt = try laws(own, view)
        let quartiles = withIt.map { $0.upperQuartile - $0.lowerQuartile }
        let asked = view.mean(ofGroup: quartiles)
        func spread(_ view: ProbeView) -> (Double, Int)? {
            let centred = view.residuals(
                less: withIt.map(\.median), keptFor: leasts(own, withIt, view)
            ).sorted()
            guard let low = centred.quantile(0.25), let high = centred.quantile(0.75) else {
                return nil
            }
            return (high - low, centred.count)
        }
        guard let (seen, count) = spread(view), count >= 50 else {
            return EffectFinding(
                inEffect: false, isDecided: false,
                sentence: "too few packets arrived to show a jitter")
        }
        let sentence =
            "half of the delays lie within \(Figure.milliseconds(seen)), asked \(Figure.milliseconds(asked))"
        // netem takes the low bits of a correlated number, which keeps the law; a number that is used whole narrows it.
        let memory = own.jitterCorrelation
        let narrowed = ((1 - memory) / (1 + memory)).squareRoot()
        func bounds(_ count: Int) -> ClosedRange<Double> {
            let error = 5 * ((1 + memory) / max(0.01, 1 - memory) / Double(count)).squareRoot()
            let low = asked * narrowed * (1 - min(0.8, 0.1 + error))
            return low...max(low, asked * (1.1 + error) + 0.5e6)
        }
        guard bounds(count).contains(seen) else {
            return EffectFinding(inEffect: false, sentence: sentence)
        }
        for (name, part) in view.parts {
            guard let (value, count) = spread(part), count >= 20 else { continue }
            if value < 0.5 * bounds(count).lowerBound {
                return EffectFinding(
                    inEffect: false,
                    sentence: "\(sentence): in the \(name) \(Figure.milliseconds(value)), "
                        + "so it was not there all the time")
            }
        }
        return EffectFinding(inEffect: true, sentence: sentence)
    }

    /// For each set of others' faults, the delays with this one.
    private static func laws(
        _ own: Impairment, _ view: ProbeView
    ) throws(MergeConflict) -> [DelayLaw] {
        try view.groups.map { (others) throws(MergeConflict) in
            DelayLaw(try Impairment.merged([own, others]))
        }
    }

    /// What a reordering sends at once is left out of delays; without one, everything counts.
    private static func leasts(
        _ own: Impairment, _ withIt: [DelayLaw], _ view: ProbeView
    ) -> [Double] {
        zip(withIt, view.groups).map { law, others in
            own.reorder != nil || others.reorder != nil ? law.median / 2 : -.infinity
        }
    }

    /// By how far a limit spreads packets that were sent back to back. Real traffic takes its share, so that the trains
    /// that were disturbed least count.
    static func judgeRate(_ limit: RateLimit, _ view: ProbeView) -> EffectFinding {
        let asked = Double(limit.bitsPerSecond)
        let size = demand(.impair(Impairment(rate: limit))).size
        if view.groups.contains(where: {
            $0.rate.map { Double($0.bitsPerSecond) <= asked } ?? false
        }) {
            return EffectFinding(
                inEffect: false, isDecided: false,
                sentence:
                    "another fault limits the link to no more than \(Figure.bitRate(asked)) already"
            )
        }
        func best(_ view: ProbeView) -> (rate: Double, trains: Int)? {
            let rates = view.trains.compactMap {
                rate(of: $0, beyond: limit.burst / size, size: size)
            }.sorted()
            return rates.quantile(0.9).map { ($0, rates.count) }
        }
        guard let (seen, count) = best(view), count >= 3 else {
            return EffectFinding(
                inEffect: false, isDecided: false,
                sentence: "too few whole trains arrived to show a rate of \(Figure.bitRate(asked))")
        }
        let sentence = "\(count) trains at \(Figure.bitRate(seen)), asked \(Figure.bitRate(asked))"
        guard seen <= 1.1 * asked, seen >= 0.5 * asked else {
            return EffectFinding(inEffect: false, sentence: sentence)
        }
        for (name, part) in view.parts {
            guard let (value, _) = best(part), value > 1.5 * asked else { continue }
            return EffectFinding(
                inEffect: false,
                sentence:
                    "\(sentence): in the \(name) \(Figure.bitRate(value)), so it was not there all the time"
            )
        }
        return EffectFinding(inEffect: true, sentence: sentence)
    }

    /// Bits a second of what arrived of a train; the first packets may have passed on a burst's credit.
    private static func rate(of train: ArraySlice<ProbeSample>, beyond burst: Int, size: Int)
        -> Double?
    {
        let arrivals = train.compactMap { sample in sample.delay.map { sample.sent + $0 } }
        guard arrivals.count * 2 >= train.count else { return nil }
        let limited = arrivals.sorted().dropFirst(burst)
        guard let first = limited.first, let last = limited.last, limited.count >= 4, last > first
        else { return nil }
        return Double(size * (limited.count - 1) * 8) / Double((last - first).nanoseconds) * 1e9
    }
}
