/// Whether packets of our own show what was asked of a link, and nothing more where nothing was.
///
/// Every judgement is by an interval that misses the truth in one of a thousand cases: it has to hold the request and
/// to exclude a link without the effect. No part of the window may contradict it either: a fault that vanished half-way is
/// not in effect.
package enum EffectProof {
    static let confidence = 0.999

    /// A packet, and what other faults did to the link and traffic at its instant.
    package typealias Observed = (sample: ProbeSample, others: LinkEffect?)

    /// - Parameters:
    ///   - own: what the step asked for; its packets are those that `demand` asks for.
    ///   - baseline: the median one-way delay of the bare path.
    package static func judge(
        _ own: LinkEffect, samples: [Observed], baseline: Duration
    ) -> EffectFinding {
        let view = ProbeView(samples, baseline: baseline)
        guard !view.groups.isEmpty else {
            return EffectFinding(
                inEffect: false, isDecided: false,
                sentence: samples.isEmpty
                    ? "no packet was sent" : "another fault cut the link all the time")
        }
        switch own {
        case .sink: return judgeSink(view)
        case .impair(let impairment): return judge(impairment, view)
        }
    }

    private static func judgeSink(_ view: ProbeView) -> EffectFinding {
        let arrived = view.all.count { $0.delay != nil }
        let enough = view.all.count >= 10
        return EffectFinding(
            inEffect: arrived == 0 && enough, isDecided: arrived > 0,
            sentence: "\(arrived) of \(view.all.count) arrived, asked none"
                + (enough || arrived > 0 ? "" : ": too few to tell"))
    }

    private static func judge(_ own: Impairment, _ view: ProbeView) -> EffectFinding {
        var findings: [EffectFinding] = []
        do throws(MergeConflict) {
            for kind in ShareKind.allCases where kind.isAsked(own) {
                findings.append(try judge(kind, own, view))
            }
            if own.delay > .zero { findings.append(try judgeDelay(own, view)) }
            if own.jitter > .zero { findings.append(try judgeJitter(own, view)) }
            if let rate = own.rate { findings.append(try judgeRate(own, rate, view)) }
        } catch {
            return EffectFinding(inEffect: false, isDecided: false, sentence: error.description)
        }
        guard !findings.isEmpty else {
            return EffectFinding(inEffect: false, isDecided: true, sentence: "it asks for nothing")
        }
        return EffectFinding(
            inEffect: findings.allSatisfy(\.inEffect),
            isDecided: findings.contains { $0.isDecided && !$0.inEffect },
            sentence: findings.map(\.sentence).joined(separator: "; "))
    }

    /// A control, or a link after its heal: `inEffect` says that packets flow as they should with others' faults alone.
    /// Nothing more is lost, copied, damaged or late than those explain.
    package static func clean(samples: [Observed], baseline: Duration) -> EffectFinding {
        let view = ProbeView(samples, baseline: baseline)
        guard view.all.count >= 10 else {
            return EffectFinding(
                inEffect: false, isDecided: false,
                sentence: "\(view.all.count) packets are too few to tell")
        }
        var figures: [String] = []
        var excesses: [String] = []
        for kind in [ShareKind.loss, .duplicate, .corrupt] {
            let seen = kind.count(view)
            let shares = view.groups.map(kind.share)
            let expected = view.mean(
                ofGroup: zip(shares, view.groups).map { $0.mean + kind.slack($1) })
            // Others' bursts: as many independent packets as tell as much.
            let inflation = shares.map(\.inflation).max() ?? 1
            let interval = BinomialBound.interval(
                successes: Int((Double(seen.hits) / inflation).rounded()),
                trials: max(1, Int((Double(seen.of) / inflation).rounded())),
                confidence: confidence)
            figures.append("\(seen.hits) of \(seen.of) \(kind.participle)")
            if interval.lowerBound > expected + stray {
                excesses.append("\(kind.participle), expected \(Figure.percent(expected))")
            }
        }
        let zeros = view.groups.map { _ in 0.0 }
        let medians = view.groups.map { DelayLaw($0).median }
        let residuals = view.residuals(less: medians).sorted()
        if let median = view.residuals(less: zeros).sorted().quantile(0.5),
            let late = residuals.quantile(0.5), let low = residuals.quantile(0.25),
            let high = residuals.quantile(0.75)
        {
            figures.append("median delay \(Figure.milliseconds(median)) above the bare link")
            let expected = view.mean(ofGroup: medians)
            // Each packet less what the others of its time do to it: a delay that holds for a part only moves no median.
            let jittered = view.groups.filter { $0.jitter > .zero }
            let stray =
                jittered.isEmpty
                ? 0
                : strayOfMedian(
                    residuals.count, high - low, jittered.map(\.jitterCorrelation).max() ?? 0)
            if !view.isRateLimited, late > max(0.5e6, 0.05 * expected) + stray {
                excesses.append("late, expected \(Figure.milliseconds(expected))")
            }
        }
        return EffectFinding(
            inEffect: excesses.isEmpty,
            sentence: figures.joined(separator: ", ")
                + (excesses.isEmpty
                    ? "" : ": more " + excesses.joined(separator: "; more ")))
    }

    /// What a crowded machine may do to single packets without any fault.
    static let stray = 0.002
}
