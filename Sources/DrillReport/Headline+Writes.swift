import DrillCore

/// What became of acknowledged writes, over all trials.
extension Headline {
    enum Losses: Equatable {
        /// No ledger wrote anything.
        case none
        /// In the worst trial so many of those acknowledged; the RPO where it was measured; `all`: not all were read back,
        /// and it may be more.
        case lost(Int, of: Int, rpo: Measure?, all: Bool)
        /// The RPO's upper end over the trials, in milliseconds.
        case nothing(upTo: Double?)
        case unknown(String?)
    }

    /// A loss counts wherever it was seen; that nothing was lost takes every trial.
    var losses: Losses {
        let trials = report.trials.filter { $0.rpoWrites.status != .notApplicable }
        guard !trials.isEmpty else { return .none }
        func surely(_ trial: TrialReport) -> Double {
            trial.rpoWrites.value ?? trial.rpoWrites.low ?? 0
        }
        if let worst = trials.max(by: { surely($0) < surely($1) }), surely(worst) > 0 {
            return .lost(
                Int(surely(worst)), of: worst.writes?.acknowledged ?? 0,
                rpo: worst.rpo.status == .measured ? worst.rpo : nil,
                all: worst.rpoWrites.status == .measured)
        }
        if let open = current.first(where: { $0.rpoWrites.status == .unknown }) {
            return .unknown(open.rpoWrites.reason)
        }
        return .nothing(upTo: current.compactMap(\.rpo.high).max())
    }

    /// `RPO 0 writes`, `lost 198 writes (RPO 2.01 s)`; nil without a ledger.
    var loss: String? {
        switch losses {
        case .none: return nil
        case .nothing: return language("RPO 0 writes", "RPO 0 次写入")
        case .unknown: return language("RPO unknown", "RPO 未知")
        case .lost(let count, _, let rpo, let all):
            let noun = count == 1 ? "write" : "writes"
            let least = all ? "" : language("at least ", "至少 ")
            let back = rpo.map {
                language(
                    " (RPO \(Shown.measure($0, language)))", "（RPO \(Shown.measure($0, language))）")
            }
            return language("lost \(least)\(count) \(noun)", "丢失 \(least)\(count) 次写入")
                + (back ?? "")
        }
    }
}
