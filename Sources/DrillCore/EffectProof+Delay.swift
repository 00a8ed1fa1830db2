/// Effects on when packets arrive.
extension EffectProof {
    /// The median must be within this of what was asked, so that a delay of `leastDelay` excludes none.
    private static func tolerance(_ asked: Double) -> Double { max(0.5e6, 0.05 * asked) }

    /// The median of so many packets, half of which lie within `spread`, is only known to about this, at 99.9 %.
    static func strayOfMedian(_ count: Int, _ spread: Double, _ correlation: Double) -> Double {
        let memory = (1 + correlation) / max(0.01, 1 - correlation)
        return 3.3 * spread * (memory / Double(max(1, count))).squareRoot()
    }

    static func judgeDelay(
        _ own: Impairment, _ view: ProbeView
    ) throws(MergeConflict) -> EffectFinding {
        var rest = own
        rest.delay = .zero
        // A jitter of its own belongs to what was asked; of others it is there without this fault.
        if own.jitter > .zero { rest.jitter = .zero }
        let withIt = try laws(own, view)
        let without = try laws(rest, view)
        let asked = view.mean(ofGroup: zip(withIt, without).map { $0.median - $1.median })
        // Behind a limit packets wait for others as well: only those that waited least tell of the delay.
        let isQueued = view.isRateLimited || own.rate != nil
        // Those behind the first of a train wait for one another.
        let view = own.rate != nil ? view.firsts : view
        let isSpread = withIt.contains { $0.jitter > 0 }
        let level = !isQueued ? 0.5 : isSpread ? 0.25 : 0.1
        let expected =
            isQueued && isSpread
            ? view.mean(ofGroup: zip(withIt, without).map { $0.lowerQuartile - $1.median }) : asked
        /// Of the packets that were delayed at all: those that a reordering picks are not.
        func gain(_ view: ProbeView) -> (Double, Int, spread: Double)? {
            let gained = view.residuals(
                less: without.map(\.median), keptFor: leasts(own, withIt, view)
            ).sorted()
            guard let value = gained.quantile(level), let low = gained.quantile(0.25),
                let high = gained.quantile(0.75)
            else { return nil }
            return (value, gained.count, high - low)
        }
        let arrived = view.all.count { $0.delay != nil }
        guard arrived >= 10, let whole = gain(view) else {
            let isAll = arrived >= 10
            return EffectFinding(
                inEffect: false, isDecided: isAll,
                sentence:
                    "\(arrived) of \(view.all.count) arrived, asked a delay of \(Figure.milliseconds(asked)): "
                    + (isAll ? "none was delayed" : "too few to tell"))
        }
        let (median, count, spread) = whole
        let name = isQueued ? "\(Figure.percent(level)) quantile of the delay" : "median delay"
        let sentence =
            "\(name) \(Figure.milliseconds(median)), asked \(Figure.milliseconds(asked)) (\(count) packets)"
        // Where nearly all went at once, what is left is not the effect.
        let picked = view.mean(
            ofGroup: try view.groups.map { (others) throws(MergeConflict) in
                ShareKind.reorder.share(try Impairment.merged([own, others])).mean
            })
        if own.reorder == nil, Double(count) < 0.5 * (1 - picked) * Double(arrived) {
            return EffectFinding(
                inEffect: false, sentence: "\(sentence): \(arrived - count) went at once")
        }
        func slack(_ count: Int, _ spread: Double) -> Double {
            tolerance(asked) + strayOfMedian(count, spread, own.jitterCorrelation)
        }
        func holds(_ value: Double, _ slack: Double) -> Bool {
            value >= expected - slack && (isQueued || value <= expected + slack)
        }
        let whole99 = slack(count, spread)
        guard holds(median, whole99) else {
            return EffectFinding(inEffect: false, sentence: sentence)
        }
        if isQueued, median > expected + whole99 + waiting(own, withIt, view) {
            return EffectFinding(
                inEffect: false, isDecided: false,
                sentence: "\(sentence): packets wait for a rate limit as well")
        }
        // Where order is kept, a packet waits for all before it: many of them shift a jitter as far as it reaches.
        if isQueued, let reach = without.map(\.reach).max(), reach > 0, asked - whole99 <= reach {
            return EffectFinding(
                inEffect: false, isDecided: false,
                sentence: "\(sentence): another fault's jitter behind a limit looks the same")
        }
        guard expected - whole99 > 0 || median - whole99 > 0 else {
            return EffectFinding(
                inEffect: false, isDecided: false,
                sentence: "\(sentence): too few packets to tell it from none")
        }
        for (name, part) in view.parts {
            guard let (value, count, spread) = gain(part) else {
                guard part.all.contains(where: { $0.delay != nil }) else { continue }
                return EffectFinding(
                    inEffect: false, sentence: "\(sentence): none was delayed in the \(name)")
            }
            let arrived = part.all.count { $0.delay != nil }
            let isEmpty = own.reorder == nil && picked < 0.5 && count * 4 < arrived && arrived >= 8
            if isEmpty || count >= 5 && !holds(value, 2 * slack(count, spread) - tolerance(asked)) {
                return EffectFinding(
                    inEffect: false,
                    sentence: "\(sentence): in the \(name) it is "
                        + (isEmpty ? "none" : Figure.milliseconds(value))
                        + ", so it was not there all the time")
            }
        }
        return EffectFinding(inEffect: true, sentence: sentence)
    }

    /// For how long, in nanoseconds, a packet waits where hardly anything is before it: itself and another one on the line,
    /// and what the jitter before it shifts it by.
    private static func waiting(
        _ own: Impairment, _ laws: [DelayLaw], _ view: ProbeView
    ) -> Double {
        let slowest = (view.groups + [own]).compactMap { $0.rate?.bitsPerSecond }.min() ?? .max
        let onLine = Double(2 * Impairment.frame * 8) / Double(slowest) * 1e9
        return onLine + 2 * (laws.map(\.reach).max() ?? 0)
    }

    static func judgeJitter(
        _ own: Impairment, _ view: ProbeView
    ) throws(MergeConflict) -> EffectFinding {
        let withIt = try laws(own, view)
        let quartiles = withIt.map { $0.upperQuartile - $0.lowerQuartile }
        let asked = view.mean(ofGroup: quartiles)
        let isQueued = view.isRateLimited || own.rate != nil
        // Those behind the first of a train wait for one another at a limit.
        let view = isQueued ? view.firsts : view
        func spread(_ view: ProbeView) -> (Double, Int)? {
            let centred = view.residuals(
                less: withIt.map(\.median), keptFor: leasts(own, withIt, view)
            ).sorted()
            guard let low = centred.quantile(0.25), let high = centred.quantile(0.75) else {
                return nil
            }
            return (high - low, centred.count)
        }
        guard let (seen, count) = spread(view), count >= (isQueued ? 30 : 50) else {
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
            // Where order is kept, real traffic narrows it; where it waits, it widens.
            return EffectFinding(
                inEffect: false, isDecided: !isQueued,
                sentence: sentence + (isQueued ? ": a rate limit changes it as well" : ""))
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
}
