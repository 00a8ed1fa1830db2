/// Effects that hit a share of the packets.
enum ShareKind: Hashable, CaseIterable {
    case loss, duplicate, corrupt, reorder

    func isAsked(_ impairment: Impairment) -> Bool {
        switch self {
        case .loss: impairment.loss != nil
        case .duplicate: impairment.duplicate.ratio > 0
        case .corrupt: impairment.corrupt.ratio > 0
        case .reorder: impairment.reorder != nil
        }
    }

    /// The same impairment with all but this.
    func without(_ impairment: Impairment) -> Impairment {
        var rest = impairment
        switch self {
        case .loss: rest.loss = nil
        case .duplicate: rest.duplicate = .none
        case .corrupt: rest.corrupt = .none
        case .reorder: rest.reorder = nil
        }
        return rest
    }

    var participle: String {
        switch self {
        case .loss: "lost"
        case .duplicate: "copied"
        case .corrupt: "not intact"
        case .reorder: "overtook earlier ones"
        }
    }

    /// As a plural noun, for runs of them.
    var noun: String {
        switch self {
        case .loss: "losses"
        case .duplicate: "copies"
        case .corrupt: "damages"
        case .reorder: "overtakings"
        }
    }

    func share(_ impairment: Impairment) -> Share {
        let law = PacketLaw(impairment)
        switch self {
        case .loss: return law.lost
        case .duplicate: return law.copied
        case .corrupt:
            var share = law.damaged
            share.mean = 1 - (1 - law.lost.mean) * (1 - law.damaged.mean)
            if law.lost.mean > 0 { share.again = share.mean }
            share.inflation = max(share.inflation, law.lost.inflation)
            return share
        case .reorder:
            // A jitter may bring some of the others below the limit as well.
            let kept = DelayLaw(impairment)
            var share = law.atOnce
            let early = kept.share(below: kept.median / 2)
            share.mean += (1 - share.mean) * early
            share.again += (1 - share.again) * early
            return share
        }
    }

    /// By how much more may be hit than `share`: a packet that is damaged where it says who it is counts as lost.
    func slack(_ impairment: Impairment) -> Double {
        self == .loss ? PacketLaw(impairment).damaged.mean * 0.4 : 0
    }

    /// For each packet that can show it, whether it was hit; nil for one that cannot.
    func hits(_ view: ProbeView, with own: Impairment) throws(MergeConflict) -> [Bool?] {
        switch self {
        case .loss: return view.all.map { $0.delay == nil }
        case .duplicate: return view.all.map { $0.copies > 1 }
        case .corrupt: return view.all.map { $0.delay == nil || $0.isDamaged }
        case .reorder:
            let limits = try view.groups.map { (others) throws(MergeConflict) in
                DelayLaw(try Impairment.merged([own, others])).median / 2
            }
            return view.kept(atLeast: limits).map { $0.map { !$0 } }
        }
    }

    /// Of what needs no request: for a link that should have none.
    func count(_ view: ProbeView) -> (hits: Int, of: Int) {
        switch self {
        case .loss: (view.all.count { $0.delay == nil }, view.all.count)
        case .duplicate: (view.all.count { $0.copies > 1 }, view.all.count)
        case .corrupt: (view.all.count { $0.delay == nil || $0.isDamaged }, view.all.count)
        case .reorder: (0, view.all.count)
        }
    }
}

extension EffectProof {
    /// P below which a part of the window contradicts the whole; there are six parts.
    private static let contradiction = 0.0003

    static func judge(
        _ kind: ShareKind, _ own: Impairment, _ view: ProbeView
    ) throws(MergeConflict) -> EffectFinding {
        let rest = kind.without(own)
        let withIt = try view.groups.map { (others) throws(MergeConflict) in
            try Impairment.merged([own, others])
        }
        let shares = withIt.map(kind.share)
        let others = try view.groups.map { (others) throws(MergeConflict) in
            let merged = try Impairment.merged([rest, others])
            return kind.share(merged).mean + kind.slack(merged)
        }
        let hits = try kind.hits(view, with: own)
        var tally = ShareTally(hits, view, shares.map(\.mean))
        tally.inflation = shares.map(\.inflation).max() ?? 1
        let without = view.mean(ofGroup: others)
        let slack = view.mean(ofGroup: withIt.map(kind.slack))
        let asked = view.mean(ofGroup: shares.map(\.mean))

        let interval = tally.interval
        var sentence =
            "\(tally.hits) of \(tally.of) \(kind.participle) (\(Figure.percent(tally.share)), 99.9 % interval "
            + "\(Figure.percent(interval.lowerBound)) to \(Figure.percent(interval.upperBound))), "
            + "asked \(Figure.percent(asked))"
        if without > 0.0005 {
            sentence += ", \(Figure.percent(without)) without this fault"
        }
        func finding(_ inEffect: Bool, isDecided: Bool = true, _ why: String) -> EffectFinding {
            EffectFinding(
                inEffect: inEffect, isDecided: isDecided,
                sentence: why.isEmpty ? sentence : "\(sentence): \(why)")
        }
        guard tally.of > 0 else { return finding(false, isDecided: false, "nothing arrived") }
        guard interval.upperBound >= asked else { return finding(false, "too few") }
        guard interval.lowerBound <= asked + slack else {
            // Behind a limit that others set, real traffic loses packets as well: nobody can tell whose they are.
            return finding(false, isDecided: !view.isRateLimited, "too many")
        }
        guard interval.lowerBound > without else {
            return finding(false, isDecided: false, "too few packets to tell it from none")
        }
        for (name, range) in view.partRanges {
            let part = tally.part(range)
            if part.tailAtMost < contradiction {
                return finding(
                    false,
                    "in the \(name) only \(part.hits) of \(part.of), so it was not there all the time"
                )
            }
        }
        guard let memory = shares.first(where: \.hasMemory) else { return finding(true, "") }
        let runs = judgeRuns(kind, hits, view, memory)
        sentence += "; \(runs.sentence)"
        return finding(runs.inEffect, isDecided: runs.isDecided, "")
    }

    /// Whether hits follow one another as often as the memory that was asked for makes them: neighbours of one train,
    /// which no real packet parts.
    private static func judgeRuns(
        _ kind: ShareKind, _ hits: [Bool?], _ view: ProbeView, _ memory: Share
    ) -> EffectFinding {
        let areTrains = view.all.contains(where: \.continuesTrain)
        var (first, both) = (0, 0)
        for index in hits.indices.dropFirst() {
            guard view.all[index].continuesTrain || !areTrains, hits[index - 1] == true,
                let isHit = hits[index]
            else { continue }
            first += 1
            if isHit { both += 1 }
        }
        guard first > 0 else {
            return EffectFinding(
                inEffect: false, isDecided: false, sentence: "no \(kind.noun) to count in a row")
        }
        // Successive pairs tell a little about one another too.
        let interval = BinomialBound.interval(
            successes: Int((Double(both) / 1.5).rounded()),
            trials: max(1, Int((Double(first) / 1.5).rounded())), confidence: confidence)
        let again = Double(both) / Double(first)
        let sentence =
            "\(Figure.decimal(1 / max(1e-3, 1 - again), 2)) \(kind.noun) in a row on average, asked "
            + "\(Figure.decimal(memory.run, 2)), independent ones \(Figure.decimal(memory.independentRun, 2))"
        let holds = interval.contains(memory.again)
        let excludes = !interval.contains(memory.mean)
        return EffectFinding(
            inEffect: holds && excludes, isDecided: !holds,
            sentence: holds && !excludes
                ? "\(sentence): too few packets to tell them from independent ones" : sentence)
    }
}

/// Hits among the packets that can show them, with what each of these was expected to show.
private struct ShareTally {
    private let hit: [Bool?]
    private let means: [Double]
    var inflation = 1.0

    init(_ hit: [Bool?], _ view: ProbeView, _ meanOfGroup: [Double]) {
        self.hit = hit
        means = view.values(ofGroup: meanOfGroup)
    }

    var hits: Int { hit.count { $0 == true } }
    var of: Int { hit.count { $0 != nil } }
    var share: Double { of == 0 ? 0 : Double(hits) / Double(of) }

    private var expected: Double {
        var sum = 0.0
        for (hit, mean) in zip(hit, means) where hit != nil { sum += mean }
        return of == 0 ? 0 : sum / Double(of)
    }

    /// As many independent packets as tell as much.
    private var effective: (hits: Int, of: Int) {
        let of = max(1, Int((Double(of) / inflation).rounded()))
        let hits = min(of, Int((Double(hits) / inflation).rounded()))
        // One hit is one hit, however little the packets between it and the next tell.
        return (hits == 0 && self.hits > 0 ? 1 : hits, of)
    }

    var interval: ClosedRange<Double> {
        let (hits, of) = effective
        return BinomialBound.interval(
            successes: hits, trials: of, confidence: EffectProof.confidence)
    }

    /// The chance of so few hits, or fewer.
    var tailAtMost: Double {
        let (hits, of) = effective
        return of == 0 ? 1 : BinomialBound.tail(atMost: hits, trials: of, rate: expected)
    }

    private init(_ tally: ShareTally, _ range: Range<Int>) {
        hit = Array(tally.hit[range])
        means = Array(tally.means[range])
        inflation = tally.inflation
    }

    func part(_ range: Range<Int>) -> ShareTally { ShareTally(self, range) }
}
