package import DrillCore
import FoundationEssentials

/// `report.json`: keys in a fixed order, every key present, milliseconds with at most three decimals and
/// ratios with six, so that the same findings are the same bytes.
package enum JSONReport {
    /// - Throws: `EncodingError` where a number is not finite: no analysis may find such a one.
    package static func encode(_ report: RunReport) throws -> [UInt8] {
        let encoded = try JSONEncoder().encode(report)
        let tree = try JSONDecoder().decode(JSONTree.self, from: encoded)
        var writer = Writer()
        writer.write(tree, kind: "", decimals: 6, indent: 0)
        writer.text += "\n"
        return [UInt8](writer.text.utf8)
    }

    /// - Throws: `DecodingError` where the bytes are no report of this schema.
    package static func decode(_ bytes: [UInt8]) throws -> RunReport {
        let report = try JSONDecoder().decode(RunReport.self, from: Data(bytes))
        guard report.schema == RunReport.currentSchema else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: [],
                    debugDescription:
                        "schema is '\(report.schema)', this version reads '\(RunReport.currentSchema)'"
                ))
        }
        return report
    }

    /// Keys of the object that is found under a key (or in the array under it), in their order.
    private static let order: [String: [String]] = [
        "": [
            "schema", "verdict", "exit_code", "reasons", "run", "expectations", "summary", "heal",
            "gate", "calibration", "not_evidenced", "trials", "evidence",
        ],
        "run": [
            "id", "scenario", "system", "lab", "cell", "started_at", "finished_at", "version",
            "seed", "kernel", "fingerprint",
        ],
        "expectations": [
            "metric", "step", "workload", "threshold", "observed", "verdict", "reason",
        ],
        "summary": [
            "trials", "usable", "inconclusive", "rto_ms", "rpo_writes", "rpo_ms", "success_rate",
            "failover", "predicted",
        ],
        "success_rate": ["during_fault", "after", "overall"],
        "failover": [
            "successes", "trials", "proved_rate_95", "proved_rate_95_pessimistic",
            "trials_still_needed",
        ],
        "predicted": ["low", "high", "source", "outside"],
        "heal": ["verdict", "left_behind"],
        "trials": [
            "index", "attempt", "verdict", "reasons", "noise_k", "slow_ms", "primary_before",
            "primary_after", "role_changes", "lag_max_ms", "pool_wait_ms", "clock_error_ms",
            "unsent", "unsent_generator", "in_flight", "steady_before", "steady_after",
            "environment", "steps",
            "streams", "rto_ms", "rpo_writes", "rpo_ms", "writes", "verify", "loss_pattern",
            "replication_lag_ms", "split_brain", "consistency", "failover", "end",
        ],
        "steps": [
            "step", "fault", "do", "measured", "role", "host", "backend", "keeper", "jitter_ms",
            "proof", "healed_by", "heal", "instants_ms", "rto_ms", "rto_stream", "recovered_by",
            "outage_ms", "detect_ms", "brownout_ms", "time_without_redundancy_ms",
            "failback_outage_ms", "downtime_equivalent_ms", "recovery_after_heal_ms", "redundancy",
            // A stream's steps have these as well.
            "success_rate",
        ],
        "proof": ["proven", "witnesses"],
        "instants_ms": ["t0_low", "t0_high", "t1", "t2", "t3", "t4", "t5", "t6", "t7"],
        "streams": [
            "stream", "noise_k", "slow_ms", "operations", "success_rate", "latency_ms",
            "naive_latency_ms", "send_lag_ms", "outages", "blips", "steps",
        ],
        "operations": [
            "intended", "ok", "failed", "indeterminate", "unsent", "bad",
            // Of a register window.
            "row", "action", "invoked_ms", "completed_ms", "host",
        ],
        "outages": ["t1", "t5", "low", "high", "bad", "sent", "kind", "charged_to"],
        "split_brain": [
            "seen", "dual_claim", "dual_service", "latent_claim", "handover_overlap_ms",
            "at_least_ms", "at_most_ms", "reason",
        ],
        "writes": [
            "acknowledged", "lost", "lost_at_failover", "lost_by_failback", "resurrected",
            "divergent", "divergence_ms", "diverged", "indeterminate", "indeterminate_present",
            "failed_present", "unread",
        ],
        "calibration": [
            "at", "version", "kernel", "rate", "lengths_ms", "outage", "rto", "lost_writes",
        ],
        "outage": calibrated, "rto": calibrated,
        "lost_writes": ["told", "measured"],
        "consistency": [
            "operations", "keys", "linearizable", "reason", "stale_reads", "lost_updates", "window",
        ],
        "window": ["key", "operations", "omitted", "start"],
        "verify": ["sweeps", "read_level", "hosts"],
        "evidence": ["file", "sha256"],
    ]

    private static let calibrated = [
        "count", "holding", "within", "error_median_ms", "error_lowest_ms", "error_highest_ms",
        "width_median_ms", "width_highest_ms",
    ]

    /// Measures, distributions and quantiles.
    private static let otherwise = [
        "value", "low", "high", "status", "reason", "trials", "count", "min", "p50", "median",
        "p90", "p95", "p99", "p999", "max", "mean", "censored", "by_primary",
    ]

    private struct Writer {
        var text = ""
        let columns = 110

        mutating func write(_ tree: JSONTree, kind: String, decimals: Int, indent: Int) {
            switch tree {
            case .null: text += "null"
            case .bool(let bool): text += bool ? "true" : "false"
            case .integer(let integer): text += String(integer)
            case .unsigned(let unsigned): text += String(unsigned)
            case .number(let number): text += JSONTree.decimal(number, decimals)
            case .text(let string): text += JSONTree.quoted(string)
            case .array(let items):
                list(items.map { ("", $0) }, "[", "]", kind, decimals, indent)
            case .object(let members):
                let places = order[kind] ?? JSONReport.otherwise
                func place(_ key: String) -> Int { places.firstIndex(of: key) ?? places.count }
                let sorted = members.sorted { (place($0.key), $0.key) < (place($1.key), $1.key) }
                let inner = Self.decimals(of: members) ?? decimals
                list(
                    sorted.map { (JSONTree.quoted($0.key) + ": ", $0.value) }, "{", "}", kind,
                    inner, indent, keys: sorted.map(\.key))
            }
        }

        /// An expectation's observed value is milliseconds where its metric is a duration.
        private static func decimals(of members: [String: JSONTree]) -> Int? {
            guard members["observed"] != nil, case .text(let metric)? = members["metric"] else {
                return nil
            }
            return Shown.unit(of: metric) == .duration ? 3 : 6
        }

        private mutating func list(
            _ items: [(String, JSONTree)], _ open: String, _ close: String, _ kind: String,
            _ decimals: Int, _ indent: Int, keys: [String]? = nil
        ) {
            func part(_ writer: inout Writer, _ index: Int, _ indent: Int) {
                let key = keys?[index]
                let milliseconds =
                    key.map { $0.hasSuffix("_ms") || $0 == "outages" || $0 == "predicted" } ?? false
                writer.text += items[index].0
                writer.write(
                    items[index].1, kind: key ?? kind, decimals: milliseconds ? 3 : decimals,
                    indent: indent)
            }
            if items.allSatisfy({ $0.1.isScalar }) {
                var line = Writer()
                for index in items.indices {
                    if index > 0 { line.text += ", " }
                    part(&line, index, indent)
                }
                if line.text.utf8.count + indent < columns, indent > 0 || items.isEmpty {
                    text += open + line.text + close
                    return
                }
            }
            text += open
            let margin = "\n" + String(repeating: " ", count: indent + 2)
            for index in items.indices {
                text += (index > 0 ? "," : "") + margin
                part(&self, index, indent + 2)
            }
            text += "\n" + String(repeating: " ", count: indent) + close
        }
    }
}

extension RunReport {
    static let currentSchema = "firedrill.report/v1"
}
