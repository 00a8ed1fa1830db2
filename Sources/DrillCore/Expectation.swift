/// One threshold on one measure, as the scenario writes it or as it is implied.
package struct Expectation: Hashable, Sendable {
    /// A name in `MetricCatalog`, with its window or percentile: `rto`, `success_rate.during_fault`, `latency.p99`.
    package var metric: String
    package var step: StepID?
    package var workload: WorkloadName?
    package var condition: Condition
    /// The threshold as the person wrote it.
    package var text: String
    /// Nobody wrote it: it follows from the system (docs/MEASUREMENT.md, "Verdicts").
    package var implied: Bool

    package init(
        metric: String, step: StepID? = nil, workload: WorkloadName? = nil, condition: Condition,
        text: String, implied: Bool = false
    ) {
        self.metric = metric
        self.step = step
        self.workload = workload
        self.condition = condition
        self.text = text
        self.implied = implied
    }

    /// Whether only harm can meet it. `known_unsafe` passes by one of these, or nothing has shown the harm.
    package var showsHarm: Bool {
        switch condition {
        case .never: false
        case .seen: true
        case .threshold(_, let comparison, let value):
            if metric.hasPrefix("success_rate") || metric == "failover_proved" {
                // What holds of all that is well is no sign of harm.
                !comparison.holds(1, value)
            } else {
                !comparison.holds(0, value)
            }
        }
    }

    package enum Condition: Hashable, Sendable {
        case threshold(Aggregate, Comparison, Double)
        case never
        case seen
    }

    package enum Aggregate: Hashable, Sendable {
        case min, median, max
        /// Nearest rank over trials.
        case percentile(Int)
    }
}

package enum Comparison: String, Hashable, Sendable, Codable, CaseIterable {
    case less = "<"
    case lessOrEqual = "<="
    case equal = "=="
    case greaterOrEqual = ">="
    case greater = ">"

    package func holds(_ left: Double, _ right: Double) -> Bool {
        switch self {
        case .less: left < right
        case .lessOrEqual: left <= right
        case .equal: left == right
        case .greaterOrEqual: left >= right
        case .greater: left > right
        }
    }
}

/// How a metric's numbers are written, and what a threshold's value counts:
/// durations milliseconds, ratios 0...1, counts themselves.
package enum MetricUnit: String, Hashable, Sendable, Codable {
    case duration, ratio, count, occurrence
}

/// A measure that thresholds can name.
package struct Metric: Hashable, Sendable {
    package var name: String
    package var unit: MetricUnit
    /// A step may follow: `rto.kill`.
    package var perStep: Bool
    /// A workload may stand before it: it is measured of each stream. What is not, is one number of the trial.
    package var perWorkload: Bool
    /// A word that must follow: `success_rate.during_fault`. Empty: none.
    package var parts: [String]
    package var summary: String
    /// How a scenario says that the occurrence's harm must never be seen, and that it must be.
    package var words: Words

    package init(
        name: String, unit: MetricUnit, perStep: Bool = false, perWorkload: Bool = false,
        parts: [String] = [], summary: String, words: Words = Words(unseen: "never", seen: "seen")
    ) {
        self.name = name
        self.unit = unit
        self.perStep = perStep
        self.perWorkload = perWorkload
        self.parts = parts
        self.summary = summary
        self.words = words
    }
}

extension Metric {
    /// Also what a report says of it.
    package struct Words: Hashable, Sendable {
        package var unseen: String
        package var seen: String

        package init(unseen: String, seen: String) {
            self.unseen = unseen
            self.seen = seen
        }
    }
}

/// Every metric, one line each; `firedrill metrics`, the JSON Schema and the validation come from it.
package enum MetricCatalog {
    package static let all: [Metric] = [
        Metric(
            name: "rto", unit: .duration, perStep: true, perWorkload: true,
            summary: "from the fault to the end of the last outage charged to it"),
        Metric(
            name: "outage", unit: .duration, perStep: true, perWorkload: true,
            summary: "the longest single charged outage"),
        Metric(
            name: "detect", unit: .duration, perStep: true,
            summary: "from the fault until the system says that it noticed"),
        Metric(
            name: "brownout", unit: .duration, perStep: true, perWorkload: true,
            summary: "windows with failures, outside outages"),
        Metric(
            name: "failback_outage", unit: .duration, perStep: true, perWorkload: true,
            summary: "the longest outage that the heal caused"),
        Metric(
            name: "time_without_redundancy", unit: .duration, perStep: true,
            summary: "from the fault until the standby is in step again"),
        Metric(
            name: "rpo", unit: .duration, summary: "how far back in time lost writes reach"),
        Metric(
            name: "rpo_writes", unit: .count, summary: "acknowledged writes that are gone"),
        Metric(
            name: "replication_lag", unit: .duration,
            summary: "from acknowledged to visible on the standby"),
        Metric(
            name: "success_rate", unit: .ratio, perStep: true, perWorkload: true,
            parts: ["during_fault", "after", "overall"],
            summary: "good operations of those intended, in the named window"),
        Metric(
            name: "failed", unit: .count, perWorkload: true, summary: "bad operations of a trial"),
        Metric(
            name: "latency", unit: .duration, perWorkload: true,
            parts: ["p50", "p90", "p99", "p999"],
            summary: "of answered operations, from the intended instant, from the first fault on"),
        Metric(name: "role_changes", unit: .count, summary: "how often the primary role moved"),
        Metric(
            name: "failover_proved", unit: .ratio,
            summary: "the proved rate of failover success (one-sided 95 % Clopper-Pearson)"),
        Metric(
            name: "split_brain", unit: .occurrence,
            summary: "two hosts were primary at once: never | seen"),
        Metric(
            name: "split_brain_time", unit: .duration,
            summary: "how long two hosts were primary at once"),
        Metric(
            name: "stale_reads", unit: .count,
            summary: "reads of values that were overwritten before"),
        Metric(
            name: "lost_updates", unit: .count,
            summary: "updates that another one overwrote unseen"),
        Metric(
            name: "linearizable", unit: .occurrence,
            summary: "the register history has a legal order: always | violated",
            words: .init(unseen: "always", seen: "violated")),
    ]

    package static func named(_ name: String) -> Metric? { all.first { $0.name == name } }
}
