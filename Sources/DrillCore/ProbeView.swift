/// The packets of one window in the order of their sending, with what others' faults did to each.
struct ProbeView {
    let all: [ProbeSample]
    /// What other faults did, each set once; `groupOf` says which of them a packet met.
    let groups: [Impairment]
    private let groupOf: [Int]
    private let baseline: Double

    /// Packets that another fault cut off show nothing of this one, and are left out.
    init(_ observed: [EffectProof.Observed], baseline: Duration) {
        self.baseline = Double(baseline.nanoseconds)
        var all: [ProbeSample] = []
        var groups: [Impairment] = []
        var groupOf: [Int] = []
        for (sample, others) in observed.sorted(by: { $0.sample.sent < $1.sample.sent }) {
            let impairment: Impairment
            switch others {
            case .sink: continue
            case .impair(let some): impairment = some
            case nil: impairment = .none
            }
            let group: Int
            if let known = groups.firstIndex(of: impairment) {
                group = known
            } else {
                group = groups.count
                groups.append(impairment)
            }
            all.append(sample)
            groupOf.append(group)
        }
        self.all = all
        self.groups = groups
        self.groupOf = groupOf
    }

    private init(_ view: ProbeView, _ indices: some Sequence<Int>) {
        all = indices.map { view.all[$0] }
        groups = view.groups
        groupOf = indices.map { view.groupOf[$0] }
        baseline = view.baseline
    }

    /// Halves and quarters of the window, with their names.
    var partRanges: [(name: String, range: Range<Int>)] {
        guard all.count >= 8 else { return [] }
        let named = [
            ("first half", 0, 2), ("second half", 2, 4), ("first quarter", 0, 1),
            ("second quarter", 1, 2), ("third quarter", 2, 3), ("last quarter", 3, 4),
        ]
        return named.map { ($0, (all.count * $1 / 4)..<(all.count * $2 / 4)) }
    }

    var parts: [(name: String, view: ProbeView)] {
        partRanges.map { ($0.name, ProbeView(self, $0.range)) }
    }

    /// Packets that were sent back to back.
    var trains: [ArraySlice<ProbeSample>] {
        var trains: [ArraySlice<ProbeSample>] = []
        var start = 0
        for index in all.indices.dropFirst() where !all[index].continuesTrain {
            trains.append(all[start..<index])
            start = index
        }
        if start < all.count { trains.append(all[start...]) }
        return trains.filter { $0.count > 1 }
    }

    /// Of each train the packet that was sent first.
    var firsts: ProbeView { ProbeView(self, all.indices.filter { !all[$0].continuesTrain }) }

    /// For each packet, the value of its group.
    func values(ofGroup values: [Double]) -> [Double] { groupOf.map { values[$0] } }

    /// Averaged over the packets.
    func mean(ofGroup values: [Double]) -> Double {
        all.isEmpty ? 0 : groupOf.reduce(0) { $0 + values[$1] } / Double(all.count)
    }

    /// Others limit the rate: packets wait behind real traffic for as long as that takes.
    var isRateLimited: Bool { groups.contains { $0.rate != nil } }

    /// Nanoseconds above the bare path, less what its group says, of what arrived and was kept for at least so long.
    func residuals(less parts: [Double], keptFor leasts: [Double]? = nil) -> [Double] {
        zip(all, groupOf).compactMap { sample, group in
            guard let delay = sample.delay.map({ Double($0.nanoseconds) - baseline }),
                delay >= leasts?[group] ?? -.infinity
            else { return nil }
            return delay - parts[group]
        }
    }

    /// Whether a packet took so many nanoseconds more than on the bare path; nil for one that did not arrive.
    func kept(atLeast limits: [Double]) -> [Bool?] {
        zip(all, groupOf).map { sample, group in
            sample.delay.map { Double($0.nanoseconds) - baseline >= limits[group] }
        }
    }
}

extension [Double] {
    /// Nearest rank of a sorted list; nil of none.
    func quantile(_ level: Double) -> Double? {
        guard !isEmpty else { return nil }
        return self[Swift.min(count - 1, Int(Double(count) * level))]
    }
}
