/// What theory says about the RTO of losing one host.
package struct Prediction: Hashable, Sendable {
    /// By surviving host, in milliseconds; where the formula does not depend on the host, all are equal.
    package var rtoBySurvivor: [HostName: ClosedRange<Double>]
    /// `RFC 5798`, or the text that the file gives.
    package var source: String

    package init(rtoBySurvivor: [HostName: ClosedRange<Double>], source: String) {
        self.rtoBySurvivor = rtoBySurvivor
        self.source = source
    }
}

extension Prediction {
    /// What it says of this step, in milliseconds; nil where it says nothing: it speaks of a primary that is lost without
    /// a word, not of a service that ends, a switchover or a partition.
    package func rto(of step: StepReport, in trial: TrialReport) -> ClosedRange<Double>? {
        guard step.measured, let fault = step.fault,
            fault.hasPrefix("node.") || fault == "link.down"
        else { return nil }
        // Losing the standby costs nothing that a formula for the primary predicts. Of a host by its name it is known whether
        // it was primary at the first fault; later the role may have moved.
        let isPrimary =
            if let role = step.role {
                role == Role.primary.rawValue
            } else if let primary = trial.primaryBefore {
                primary == step.host
                    && trial.steps.first(where: { $0.fault != nil })?.step == step.step
            } else {
                true
            }
        guard isPrimary else { return nil }
        return Self.hull(rtoBySurvivor.filter { $0.key.rawValue != step.host }.map(\.value))
    }

    package static func hull(_ ranges: [ClosedRange<Double>]) -> ClosedRange<Double>? {
        guard let low = ranges.map(\.lowerBound).min(), let high = ranges.map(\.upperBound).max()
        else { return nil }
        return low...high
    }
}
