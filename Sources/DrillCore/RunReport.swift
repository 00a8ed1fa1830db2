/// `report.json`, schema `firedrill.report/v1`, key for key.
///
/// All `…_ms` are milliseconds; instants count from the trial's first intended operation; ratios are 0...1.
package struct RunReport: Hashable, Sendable, Codable {
    package var schema = "firedrill.report/v1"
    package var verdict: Verdict
    package var exitCode: Int32
    package var reasons: [String]
    package var run: RunFacts
    package var expectations: [ExpectationReport]
    package var summary: Summary
    package var heal: HealReport
    @Present package var gate: String?
    /// The latest calibration of the machine that made the run; null where there was none.
    @Present package var calibration: CalibrationReport?
    package var notEvidenced: [String]
    package var trials: [TrialReport]
    package var evidence: [Evidence]

    enum CodingKeys: String, CodingKey {
        case schema, verdict, reasons, run, expectations, summary, heal, gate, calibration, trials
        case evidence
        case exitCode = "exit_code"
        case notEvidenced = "not_evidenced"
    }

    package init(
        verdict: Verdict, exitCode: Int32, reasons: [String], run: RunFacts,
        expectations: [ExpectationReport], summary: Summary, heal: HealReport,
        notEvidenced: [String] = [], trials: [TrialReport], evidence: [Evidence] = []
    ) {
        self.verdict = verdict
        self.exitCode = exitCode
        self.reasons = reasons
        self.run = run
        self.expectations = expectations
        self.summary = summary
        self.heal = heal
        self.gate = nil
        self.calibration = nil
        self.notEvidenced = notEvidenced
        self.trials = trials
        self.evidence = evidence
    }
}

/// A measured number with what is known of it. `value` is null unless measured (the bound if censored).
package struct Measure: Hashable, Sendable, Codable {
    package enum Status: String, Hashable, Sendable, Codable {
        case measured, censored, unknown
        case notApplicable = "not_applicable"
    }

    @Present package var value: Double?
    @Present package var low: Double?
    @Present package var high: Double?
    package var status: Status
    @Present package var reason: String?

    package init(value: Double?, low: Double?, high: Double?, status: Status, reason: String? = nil)
    {
        self.value = value
        self.low = low
        self.high = high
        self.status = status
        self.reason = reason
    }

    package static func measured(_ value: Double, low: Double, high: Double) -> Measure {
        Measure(value: value, low: low, high: high, status: .measured)
    }
    package static func censored(at bound: Double, reason: String) -> Measure {
        Measure(value: bound, low: bound, high: nil, status: .censored, reason: reason)
    }
    package static func unknown(_ reason: String) -> Measure {
        Measure(value: nil, low: nil, high: nil, status: .unknown, reason: reason)
    }
    package static func notApplicable(_ reason: String) -> Measure {
        Measure(value: nil, low: nil, high: nil, status: .notApplicable, reason: reason)
    }
}

/// What identifies a run; also kept as `run.json` in the run folder.
package struct RunFacts: Hashable, Sendable, Codable {
    package var id: String
    package var scenario: String
    package var system: String
    package var lab: String
    package var cell: [String: String]
    /// RFC 3339, UTC.
    @Present package var startedAt: String?
    @Present package var finishedAt: String?
    package var version: String
    @Present package var seed: UInt64?
    @Present package var kernel: String?
    /// SHA-256 of what decides a comparison: scenario, system, version, kernel.
    @Present package var fingerprint: String?

    enum CodingKeys: String, CodingKey {
        case id, scenario, system, lab, cell, version, seed, kernel, fingerprint
        case startedAt = "started_at"
        case finishedAt = "finished_at"
    }

    package init(
        id: String, scenario: String, system: String, lab: String, cell: [String: String] = [:],
        startedAt: String? = nil, finishedAt: String? = nil, version: String, seed: UInt64? = nil,
        kernel: String? = nil, fingerprint: String? = nil
    ) {
        self.id = id
        self.scenario = scenario
        self.system = system
        self.lab = lab
        self.cell = cell
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.version = version
        self.seed = seed
        self.kernel = kernel
        self.fingerprint = fingerprint
    }
}

package struct Evidence: Hashable, Sendable, Codable {
    package var file: String
    package var sha256: String
    package init(file: String, sha256: String) {
        self.file = file
        self.sha256 = sha256
    }
}

package struct ExpectationReport: Hashable, Sendable, Codable {
    package var metric: String
    @Present package var step: String?
    @Present package var workload: String?
    package var threshold: String
    /// The aggregate that was judged, in the metric's unit (milliseconds, 0...1, a count); text for `split_brain`.
    package var observed: Observed
    package var verdict: Verdict
    @Present package var reason: String?

    package init(
        metric: String, step: String? = nil, workload: String? = nil, threshold: String,
        observed: Observed, verdict: Verdict, reason: String? = nil
    ) {
        self.metric = metric
        self.step = step
        self.workload = workload
        self.threshold = threshold
        self.observed = observed
        self.verdict = verdict
        self.reason = reason
    }

    /// A number, a word, or null.
    package enum Observed: Hashable, Sendable, Codable {
        case number(Double)
        case word(String)
        case none

        package init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .none
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                self = .word(try container.decode(String.self))
            }
        }
        package func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let number): try container.encode(number)
            case .word(let word): try container.encode(word)
            case .none: try container.encodeNil()
            }
        }
    }
}

package struct HealReport: Hashable, Sendable, Codable {
    /// The worst of all faults' verdicts: restore-failed, superseded, not-needed, restored; null when nothing was injected.
    @Present package var verdict: HealVerdict?
    package var leftBehind: [String]

    enum CodingKeys: String, CodingKey {
        case verdict
        case leftBehind = "left_behind"
    }

    package init(verdict: HealVerdict?, leftBehind: [String] = []) {
        self.verdict = verdict
        self.leftBehind = leftBehind
    }
}

package struct Summary: Hashable, Sendable, Codable {
    package var trials: Int
    package var usable: Int
    package var inconclusive: Int
    package var rto: Distribution
    package var rpoWrites: Distribution
    package var rpo: Distribution
    package var successRate: SuccessRate
    package var failover: Failover
    @Present package var predicted: PredictedRange?

    enum CodingKeys: String, CodingKey {
        case trials, usable, inconclusive, failover, predicted
        case rto = "rto_ms"
        case rpoWrites = "rpo_writes"
        case rpo = "rpo_ms"
        case successRate = "success_rate"
    }

    package init(
        trials: Int, usable: Int, inconclusive: Int, rto: Distribution, rpoWrites: Distribution,
        rpo: Distribution, successRate: SuccessRate, failover: Failover, predicted: PredictedRange?
    ) {
        self.trials = trials
        self.usable = usable
        self.inconclusive = inconclusive
        self.rto = rto
        self.rpoWrites = rpoWrites
        self.rpo = rpo
        self.successRate = successRate
        self.failover = failover
        self.predicted = predicted
    }

    /// Over trials; all null where nothing was measured. `p95` needs 20 trials.
    package struct Distribution: Hashable, Sendable, Codable {
        @Present package var min: Double?
        @Present package var median: Double?
        @Present package var p95: Double?
        @Present package var max: Double?
        package var censored: Int
        /// The same, by the host that was primary before.
        package var byPrimary: [String: Stratum]

        enum CodingKeys: String, CodingKey {
            case min, median, p95, max, censored
            case byPrimary = "by_primary"
        }

        package init(
            min: Double? = nil, median: Double? = nil, p95: Double? = nil, max: Double? = nil,
            censored: Int = 0, byPrimary: [String: Stratum] = [:]
        ) {
            self.min = min
            self.median = median
            self.p95 = p95
            self.max = max
            self.censored = censored
            self.byPrimary = byPrimary
        }
    }

    package struct Stratum: Hashable, Sendable, Codable {
        package var trials: Int
        @Present package var min: Double?
        @Present package var median: Double?
        @Present package var max: Double?
        package var censored: Int

        package init(trials: Int, min: Double?, median: Double?, max: Double?, censored: Int) {
            self.trials = trials
            self.min = min
            self.median = median
            self.max = max
            self.censored = censored
        }
    }

    package struct Failover: Hashable, Sendable, Codable {
        package var successes: Int
        /// Conclusive trials that ask for a failover.
        package var trials: Int
        @Present package var provedRate95: Double?
        /// Inconclusive attempts count as failures.
        @Present package var provedRate95Pessimistic: Double?
        /// How many more successes in a row the scenario's `failover_proved` wants; null without one.
        @Present package var trialsStillNeeded: Int?

        enum CodingKeys: String, CodingKey {
            case successes, trials
            case provedRate95 = "proved_rate_95"
            case provedRate95Pessimistic = "proved_rate_95_pessimistic"
            case trialsStillNeeded = "trials_still_needed"
        }

        package init(
            successes: Int, trials: Int, provedRate95: Double?, provedRate95Pessimistic: Double?,
            trialsStillNeeded: Int?
        ) {
            self.successes = successes
            self.trials = trials
            self.provedRate95 = provedRate95
            self.provedRate95Pessimistic = provedRate95Pessimistic
            self.trialsStillNeeded = trialsStillNeeded
        }
    }

    /// The RTO that theory predicts for the trials as they ran, in milliseconds.
    package struct PredictedRange: Hashable, Sendable, Codable {
        package var low: Double
        package var high: Double
        package var source: String
        /// The trials whose RTO, with all of its uncertainty, lies outside what is predicted for them. It changes no verdict.
        package var outside: [Int]

        package init(low: Double, high: Double, source: String, outside: [Int] = []) {
            self.low = low
            self.high = high
            self.source = source
            self.outside = outside
        }

        package init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            low = try values.decode(Double.self, forKey: .low)
            high = try values.decode(Double.self, forKey: .high)
            source = try values.decode(String.self, forKey: .source)
            // Earlier reports do not have it.
            outside = try values.decodeIfPresent([Int].self, forKey: .outside) ?? []
        }
    }
}

/// 0...1 or null: the worst stream's.
package struct SuccessRate: Hashable, Sendable, Codable {
    @Present package var duringFault: Double?
    @Present package var after: Double?
    @Present package var overall: Double?

    enum CodingKeys: String, CodingKey {
        case after, overall
        case duringFault = "during_fault"
    }

    package init(duringFault: Double? = nil, after: Double? = nil, overall: Double? = nil) {
        self.duringFault = duringFault
        self.after = after
        self.overall = overall
    }
}
