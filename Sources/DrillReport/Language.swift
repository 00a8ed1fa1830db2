import DrillCore

/// The language of a report for people. Files for programs have none.
package enum Language: String, Hashable, Sendable, CaseIterable {
    case en, zh

    /// Both wordings stand side by side where they are used, so that neither can be missing.
    func callAsFunction(_ english: String, _ chinese: String) -> String {
        switch self {
        case .en: english
        case .zh: chinese
        }
    }

    func verdict(_ verdict: Verdict) -> String {
        switch verdict {
        case .pass: self("Pass", "通过")
        case .fail: self("Fail", "未通过")
        case .inconclusive: self("Inconclusive", "无法判定")
        }
    }
}
