/// Three values everywhere. Fail over inconclusive over pass.
package enum Verdict: String, Hashable, Sendable, Codable, CaseIterable {
    case pass, fail, inconclusive

    package static func worst(_ verdicts: some Sequence<Verdict>) -> Verdict? {
        var worst: Verdict?
        for verdict in verdicts {
            switch (worst, verdict) {
            case (_, .fail): return .fail
            case (nil, _), (.pass?, _): worst = verdict
            case (.inconclusive?, _), (.fail?, _): break
            }
        }
        return worst
    }
}

/// Exit codes.
package enum ExitCode: Int32, Hashable, Sendable, Codable {
    case pass = 0
    case fail = 1
    case inconclusive = 2
    case invalidFile = 3
    case capability = 4
    case restoreFailed = 5
    case usage = 64
    case internalError = 70
    case interrupted = 130
    case terminated = 143

    /// 5 > 70 > 130/143 > 3 > 4 > 1 > 2 > 0
    private var rank: Int {
        switch self {
        case .restoreFailed: 9
        case .internalError: 8
        case .interrupted, .terminated: 7
        case .usage: 6
        case .invalidFile: 5
        case .capability: 4
        case .fail: 3
        case .inconclusive: 2
        case .pass: 0
        }
    }

    package static func worst(_ codes: some Sequence<ExitCode>) -> ExitCode {
        codes.max { $0.rank < $1.rank } ?? .pass
    }
}
