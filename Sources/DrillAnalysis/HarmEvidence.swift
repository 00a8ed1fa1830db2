import DrillCore

/// Whether one trial shows a harm that must never be seen, or that a scenario is about.
enum HarmEvidence: Hashable, Sendable {
    /// With what was seen, in words.
    case seen(String)
    case unseen
    /// Why nobody can say.
    case unknown(String)
    /// The trial cannot have it, and why.
    case notApplicable(String)

    static func find(_ metric: String, in trial: TrialReport) -> HarmEvidence {
        switch metric {
        case "split_brain": splitBrain(trial.splitBrain)
        case "linearizable": violation(trial.consistency)
        default: .unknown("\(metric) is not measured")
        }
    }

    static func words(of metric: String) -> Metric.Words {
        MetricCatalog.named(metric)?.words ?? Metric.Words(unseen: "never", seen: "seen")
    }

    var isSeen: Bool {
        if case .seen = self { true } else { false }
    }

    var applies: Bool {
        if case .notApplicable = self { false } else { true }
    }

    /// Why the trial does not show that the harm was absent; nil: it does.
    func doubt(about trial: TrialReport) -> String? {
        switch self {
        case .unknown(let reason), .notApplicable(let reason): reason
        case .seen, .unseen:
            trial.verdict == .inconclusive ? "the trial is inconclusive" : nil
        }
    }

    private static func splitBrain(_ report: SplitBrainReport) -> HarmEvidence {
        switch report.seen {
        case true?:
            let length = report.atLeast.map { " for at least \(Self.milliseconds($0)) ms" } ?? ""
            return .seen("two hosts were primary at once\(length)")
        case false?: return .unseen
        case nil:
            let reason = report.reason ?? "unknown"
            return report.atLeast == nil ? .notApplicable(reason) : .unknown(reason)
        }
    }

    private static func violation(_ report: ConsistencyReport?) -> HarmEvidence {
        guard let report else { return .notApplicable("no workload uses registers") }
        switch report.linearizable {
        case true?: return .unseen
        case nil: return .unknown(report.reason ?? "unknown")
        case false?:
            let named = [(report.staleReads, "stale read"), (report.lostUpdates, "lost update")]
                .compactMap { count, name in
                    count.flatMap { $0 > 0 ? "\($0) \(name)\($0 == 1 ? "" : "s")" : nil }
                }
            let what = named.isEmpty ? "" : " (\(named.joined(separator: ", ")))"
            return .seen("no register could show what the clients saw\(what)")
        }
    }

    private static func milliseconds(_ number: Double) -> Double {
        abs(number) < 2
            ? (number * 1e6).rounded() / 1e6 : (number * 1e3).rounded() / 1e3
    }
}
