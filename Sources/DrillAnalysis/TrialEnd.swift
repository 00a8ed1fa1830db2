/// How a trial ended: the words of its `end` event before the colon. Histories made by hand may spell them freely.
package enum TrialEnd: Hashable, Sendable {
    case complete, abort, notReady, noSteadyState, steadyStateLost, interrupted, injectionFailed
    case capability, stepNotBegun, labFailed, healedEarly
    /// No `end` event: the run was cut off.
    case cutOff

    /// A word that this version does not know is no reason to distrust what was recorded.
    package init(_ reason: String?) {
        guard let reason else {
            self = .cutOff
            return
        }
        let word = reason.prefix { $0 != ":" }.lowercased()
            .split { $0 == " " || $0 == "_" || $0 == "-" }.joined(separator: "_")
        switch word {
        case "abort", "aborted": self = .abort
        case "not_ready": self = .notReady
        case "no_steady_state": self = .noSteadyState
        case "steady_state_lost": self = .steadyStateLost
        case "interrupted", "interrupt", "sigint", "sigterm": self = .interrupted
        case "injection_failed": self = .injectionFailed
        case "capability": self = .capability
        case "step_not_begun": self = .stepNotBegun
        case "lab_failed": self = .labFailed
        case "healed_early": self = .healedEarly
        default: self = .complete
        }
    }
}
