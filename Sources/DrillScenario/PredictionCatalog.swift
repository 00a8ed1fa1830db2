import DrillCore

/// A formula for the RTO of losing one host; one entry in the catalog each.
struct PredictionFormula: Sendable {
    var name: String
    var summary: String
    var source: String
    /// Keys that are durations, and keys that name a host's variable.
    var durations: [String]
    var hostVariables: [String]
    /// In milliseconds, for one surviving host; nil where an argument makes no sense.
    var range:
        @Sendable (_ durations: [String: Duration], _ variables: [String: Double]) -> ClosedRange<
            Double
        >?
}

enum PredictionCatalog {
    static let all: [PredictionFormula] = [vrrp]

    static var keys: [Key] {
        all.flatMap { formula in
            formula.durations.map { Key($0, .duration, "of formula \(formula.name)") }
                + formula.hostVariables.map {
                    Key($0, .text, "of formula \(formula.name): a host variable's name")
                }
        }
    }

    /// RFC 5798, section 6.1: Skew_Time = (256 − priority) / 256 × advert and
    /// Master_Down_Interval = 3 × advert + Skew_Time, counted from the last advertisement. A silent death at
    /// a uniformly random phase comes up to one advertisement interval after it, so that the outage lies in
    /// [Master_Down_Interval − advert, Master_Down_Interval].
    static let vrrp = PredictionFormula(
        name: "vrrp", summary: "a VRRP backup takes over after a silent death", source: "RFC 5798",
        durations: ["advert"], hostVariables: ["priority"]
    ) { durations, variables in
        guard let advert = durations["advert"]?.milliseconds, let priority = variables["priority"],
            advert > 0, (1...255).contains(priority), priority == priority.rounded()
        else { return nil }
        let masterDown = 3 * advert + (256 - priority) / 256 * advert
        return (masterDown - advert)...masterDown
    }
}
