import DrillCore

/// Whether registers behaved as one, over all trials.
extension Headline {
    enum Consistency: Equatable {
        /// No workload uses registers.
        case none
        case violated(staleReads: Int, lostUpdates: Int)
        case always
        case unknown(String?)
    }

    /// A violation counts wherever it was seen; that there was none takes every trial.
    var consistency: Consistency {
        let all = report.trials.compactMap(\.consistency)
        guard !all.isEmpty else { return .none }
        let violated = all.filter { $0.linearizable == false }
        if !violated.isEmpty {
            return .violated(
                staleReads: violated.compactMap(\.staleReads).reduce(0, +),
                lostUpdates: violated.compactMap(\.lostUpdates).reduce(0, +))
        }
        let open = current.map(\.consistency).first { $0?.linearizable == nil }
        return open.map { .unknown($0?.reason) } ?? .always
    }
}
