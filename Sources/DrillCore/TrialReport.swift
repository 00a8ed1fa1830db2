/// One trial in `report.json`.
package struct TrialReport: Hashable, Sendable, Codable {
    package var index: Int
    package var attempt: Int
    package var verdict: Verdict
    package var reasons: [String]
    /// The largest k and the largest `slow` of the streams; each stream has its own.
    package var noiseK: Int
    package var slow: Double
    @Present package var primaryBefore: String?
    @Present package var primaryAfter: String?
    package var roleChanges: Int
    @Present package var lagMax: Double?
    @Present package var poolWait: Double?
    package var clockError: Double
    package var unsent: Int
    /// Of these, the ones that our own host could not send.
    package var unsentGenerator: Int
    package var inFlight: Int
    @Present package var steadyBefore: Bool?
    @Present package var steadyAfter: Bool?
    /// What was seen of the environment before the trial; null where the scenario has none.
    @Present package var environment: StepProof?
    package var steps: [StepReport]
    package var streams: [StreamReport]
    package var rto: Measure
    package var rpoWrites: Measure
    package var rpo: Measure
    @Present package var writes: WritesReport?
    @Present package var verify: VerifyReport?
    @Present package var lossPattern: String?
    package var replicationLag: Measure
    package var splitBrain: SplitBrainReport
    /// Null without a register workload.
    @Present package var consistency: ConsistencyReport?
    /// Whether the trial's failover succeeded; null where no measured step asks for one.
    @Present package var failover: Bool?
    /// How the trial ended, as its `end` event says: `complete`, `abort: …`; null where it was cut off.
    @Present package var end: String?

    enum CodingKeys: String, CodingKey {
        case index, attempt, verdict, reasons, unsent, steps, streams, writes, verify, consistency
        case failover, end, environment
        case unsentGenerator = "unsent_generator"
        case noiseK = "noise_k"
        case slow = "slow_ms"
        case primaryBefore = "primary_before"
        case primaryAfter = "primary_after"
        case roleChanges = "role_changes"
        case lagMax = "lag_max_ms"
        case poolWait = "pool_wait_ms"
        case clockError = "clock_error_ms"
        case inFlight = "in_flight"
        case steadyBefore = "steady_before"
        case steadyAfter = "steady_after"
        case rto = "rto_ms"
        case rpoWrites = "rpo_writes"
        case rpo = "rpo_ms"
        case lossPattern = "loss_pattern"
        case replicationLag = "replication_lag_ms"
        case splitBrain = "split_brain"
    }

    package init(
        index: Int, attempt: Int, verdict: Verdict, reasons: [String], noiseK: Int,
        slow: Double, primaryBefore: String?, primaryAfter: String?, roleChanges: Int,
        lagMax: Double?, poolWait: Double?, clockError: Double, unsent: Int, unsentGenerator: Int,
        inFlight: Int,
        steadyBefore: Bool?, steadyAfter: Bool?, environment: StepProof? = nil, steps: [StepReport],
        streams: [StreamReport],
        rto: Measure, splitBrain: SplitBrainReport, failover: Bool? = nil, end: String? = nil
    ) {
        self.index = index
        self.attempt = attempt
        self.verdict = verdict
        self.reasons = reasons
        self.noiseK = noiseK
        self.slow = slow
        self.primaryBefore = primaryBefore
        self.primaryAfter = primaryAfter
        self.roleChanges = roleChanges
        self.lagMax = lagMax
        self.poolWait = poolWait
        self.clockError = clockError
        self.unsent = unsent
        self.unsentGenerator = unsentGenerator
        self.inFlight = inFlight
        self.steadyBefore = steadyBefore
        self.steadyAfter = steadyAfter
        self.environment = environment
        self.steps = steps
        self.streams = streams
        self.rto = rto
        let data = "writes are not verified by this workload"
        self.rpoWrites = .notApplicable(data)
        self.rpo = .notApplicable(data)
        self.writes = nil
        self.verify = nil
        self.lossPattern = nil
        self.replicationLag = .notApplicable(data)
        self.splitBrain = splitBrain
        self.consistency = nil
        self.failover = failover
        self.end = end
    }
}

extension TrialReport {
    /// Whether it can say nothing about a failover: it is no evidence, or nobody knows whether two hosts were primary at
    /// once. A pessimist counts it as one that failed, where the scenario asks for one.
    package var isFailoverUnknown: Bool {
        verdict == .inconclusive || (failover == nil && splitBrain.seen == nil)
    }
}

package struct StepReport: Hashable, Sendable, Codable {
    package var step: String
    /// Exactly one of the two is not null.
    @Present package var fault: String?
    @Present package var action: String?
    package var measured: Bool
    @Present package var role: String?
    @Present package var host: String?
    @Present package var backend: String?
    @Present package var keeper: String?
    @Present package var jitter: Double?
    @Present package var proof: StepProof?
    @Present package var healedBy: HealedBy?
    @Present package var heal: HealVerdict?
    package var instants: Instants
    package var rto: Measure
    @Present package var rtoStream: String?
    /// `system` or `heal`; null where there was nothing to recover from or nothing recovered.
    @Present package var recoveredBy: String?
    package var outage: Measure
    package var detect: Measure
    package var brownout: Measure
    package var timeWithoutRedundancy: Measure
    package var failbackOutage: Measure
    package var downtimeEquivalent: Measure
    package var recoveryAfterHeal: Measure
    /// `lost`, `not_lost` or `unknown`.
    package var redundancy: String

    enum CodingKeys: String, CodingKey {
        case step, fault, measured, role, host, backend, keeper, proof, heal, redundancy
        case action = "do"
        case jitter = "jitter_ms"
        case healedBy = "healed_by"
        case instants = "instants_ms"
        case rto = "rto_ms"
        case rtoStream = "rto_stream"
        case recoveredBy = "recovered_by"
        case outage = "outage_ms"
        case detect = "detect_ms"
        case brownout = "brownout_ms"
        case timeWithoutRedundancy = "time_without_redundancy_ms"
        case failbackOutage = "failback_outage_ms"
        case downtimeEquivalent = "downtime_equivalent_ms"
        case recoveryAfterHeal = "recovery_after_heal_ms"
    }

    package init(
        step: String, fault: String?, action: String?, measured: Bool, role: String?, host: String?,
        backend: String?, keeper: String?, jitter: Double?, proof: StepProof?,
        healedBy: HealedBy?, heal: HealVerdict?, instants: Instants, rto: Measure,
        rtoStream: String?, recoveredBy: String?, outage: Measure, detect: Measure,
        brownout: Measure, timeWithoutRedundancy: Measure, failbackOutage: Measure,
        downtimeEquivalent: Measure, recoveryAfterHeal: Measure, redundancy: String
    ) {
        self.step = step
        self.fault = fault
        self.action = action
        self.measured = measured
        self.role = role
        self.host = host
        self.backend = backend
        self.keeper = keeper
        self.jitter = jitter
        self.proof = proof
        self.healedBy = healedBy
        self.heal = heal
        self.instants = instants
        self.rto = rto
        self.rtoStream = rtoStream
        self.recoveredBy = recoveredBy
        self.outage = outage
        self.detect = detect
        self.brownout = brownout
        self.timeWithoutRedundancy = timeWithoutRedundancy
        self.failbackOutage = failbackOutage
        self.downtimeEquivalent = downtimeEquivalent
        self.recoveryAfterHeal = recoveryAfterHeal
        self.redundancy = redundancy
    }

    /// Milliseconds from the trial's first intended operation.
    package struct Instants: Hashable, Sendable, Codable {
        @Present package var t0Low: Double?
        @Present package var t0High: Double?
        @Present package var t1: Double?
        @Present package var t2: Double?
        @Present package var t3: Double?
        @Present package var t4: Double?
        @Present package var t5: Double?
        @Present package var t6: Double?
        @Present package var t7: Double?

        enum CodingKeys: String, CodingKey {
            case t1, t2, t3, t4, t5, t6, t7
            case t0Low = "t0_low"
            case t0High = "t0_high"
        }

        package init(
            t0Low: Double? = nil, t0High: Double? = nil, t1: Double? = nil, t2: Double? = nil,
            t3: Double? = nil, t4: Double? = nil, t5: Double? = nil, t6: Double? = nil,
            t7: Double? = nil
        ) {
            self.t0Low = t0Low
            self.t0High = t0High
            self.t1 = t1
            self.t2 = t2
            self.t3 = t3
            self.t4 = t4
            self.t5 = t5
            self.t6 = t6
            self.t7 = t7
        }
    }
}

package struct StreamReport: Hashable, Sendable, Codable {
    package var stream: String
    package var noiseK: Int
    package var slow: Double
    package var operations: Counts
    package var successRate: SuccessRate
    package var latency: Quantiles
    package var naiveLatency: Quantiles
    package var sendLag: Quantiles
    package var outages: [OutageReport]
    package var blips: Int
    /// What this stream alone says of each step that began; a threshold on one workload is judged by it.
    package var steps: [StreamStepReport]

    enum CodingKeys: String, CodingKey {
        case stream, operations, outages, blips, steps
        case noiseK = "noise_k"
        case slow = "slow_ms"
        case successRate = "success_rate"
        case latency = "latency_ms"
        case naiveLatency = "naive_latency_ms"
        case sendLag = "send_lag_ms"
    }

    package init(
        stream: String, noiseK: Int, slow: Double, operations: Counts, successRate: SuccessRate,
        latency: Quantiles,
        naiveLatency: Quantiles, sendLag: Quantiles, outages: [OutageReport], blips: Int,
        steps: [StreamStepReport] = []
    ) {
        self.stream = stream
        self.noiseK = noiseK
        self.slow = slow
        self.operations = operations
        self.successRate = successRate
        self.latency = latency
        self.naiveLatency = naiveLatency
        self.sendLag = sendLag
        self.outages = outages
        self.blips = blips
        self.steps = steps
    }

    package struct Counts: Hashable, Sendable, Codable {
        package var intended: Int
        package var ok: Int
        package var failed: Int
        package var indeterminate: Int
        package var unsent: Int
        /// Sent and not good from the end of the steady state on: failed, indeterminate, or ok but too late.
        package var bad: Int
        package init(
            intended: Int, ok: Int, failed: Int, indeterminate: Int, unsent: Int, bad: Int = 0
        ) {
            self.intended = intended
            self.ok = ok
            self.failed = failed
            self.indeterminate = indeterminate
            self.unsent = unsent
            self.bad = bad
        }
    }

    /// Milliseconds; null where nothing was counted.
    package struct Quantiles: Hashable, Sendable, Codable {
        package var count: Int
        @Present package var min: Double?
        @Present package var p50: Double?
        @Present package var p90: Double?
        @Present package var p99: Double?
        @Present package var p999: Double?
        @Present package var max: Double?
        @Present package var mean: Double?

        package init(
            count: Int, min: Double? = nil, p50: Double? = nil, p90: Double? = nil,
            p99: Double? = nil, p999: Double? = nil, max: Double? = nil, mean: Double? = nil
        ) {
            self.count = count
            self.min = min
            self.p50 = p50
            self.p90 = p90
            self.p99 = p99
            self.p999 = p999
            self.max = max
            self.mean = mean
        }
    }
}

/// One step as one stream saw it.
package struct StreamStepReport: Hashable, Sendable, Codable {
    package var step: String
    package var rto: Measure
    /// `system` or `heal`; null where there was nothing to recover from or nothing recovered.
    @Present package var recoveredBy: String?
    package var outage: Measure
    package var brownout: Measure
    package var failbackOutage: Measure
    package var downtimeEquivalent: Measure
    package var recoveryAfterHeal: Measure
    /// Good operations of those intended while the step was in effect; 0...1.
    @Present package var successRate: Double?

    enum CodingKeys: String, CodingKey {
        case step
        case rto = "rto_ms"
        case recoveredBy = "recovered_by"
        case outage = "outage_ms"
        case brownout = "brownout_ms"
        case failbackOutage = "failback_outage_ms"
        case downtimeEquivalent = "downtime_equivalent_ms"
        case recoveryAfterHeal = "recovery_after_heal_ms"
        case successRate = "success_rate"
    }

    package init(
        step: String, rto: Measure, recoveredBy: String?, outage: Measure, brownout: Measure,
        failbackOutage: Measure, downtimeEquivalent: Measure, recoveryAfterHeal: Measure,
        successRate: Double?
    ) {
        self.step = step
        self.rto = rto
        self.recoveredBy = recoveredBy
        self.outage = outage
        self.brownout = brownout
        self.failbackOutage = failbackOutage
        self.downtimeEquivalent = downtimeEquivalent
        self.recoveryAfterHeal = recoveryAfterHeal
        self.successRate = successRate
    }
}

package struct OutageReport: Hashable, Sendable, Codable {
    /// Milliseconds from the trial's first intended operation; t5 is null while it is open.
    package var t1: Double
    @Present package var t5: Double?
    /// Bounds of its length in milliseconds; high is null while it is open.
    package var low: Double
    @Present package var high: Double?
    package var bad: Int
    package var sent: Int
    /// `total` or `partial`.
    package var kind: String
    /// Steps, and `heal:STEP` for those that a heal caused.
    package var chargedTo: [String]

    enum CodingKeys: String, CodingKey {
        case t1, t5, low, high, bad, sent, kind
        case chargedTo = "charged_to"
    }

    package init(
        t1: Double, t5: Double?, low: Double, high: Double?, bad: Int, sent: Int, kind: String,
        chargedTo: [String]
    ) {
        self.t1 = t1
        self.t5 = t5
        self.low = low
        self.high = high
        self.bad = bad
        self.sent = sent
        self.kind = kind
        self.chargedTo = chargedTo
    }
}

package struct SplitBrainReport: Hashable, Sendable, Codable {
    /// Null: unknown, or the system has no roles (`reason` says which).
    @Present package var seen: Bool?
    @Present package var dualClaim: Bool?
    @Present package var dualService: Bool?
    package var latentClaim: Bool
    @Present package var handoverOverlap: Double?
    @Present package var atLeast: Double?
    @Present package var atMost: Double?
    @Present package var reason: String?

    enum CodingKeys: String, CodingKey {
        case seen, reason
        case dualClaim = "dual_claim"
        case dualService = "dual_service"
        case latentClaim = "latent_claim"
        case handoverOverlap = "handover_overlap_ms"
        case atLeast = "at_least_ms"
        case atMost = "at_most_ms"
    }

    package init(
        seen: Bool?, dualClaim: Bool?, dualService: Bool?, latentClaim: Bool,
        handoverOverlap: Double?, atLeast: Double?, atMost: Double?, reason: String? = nil
    ) {
        self.seen = seen
        self.dualClaim = dualClaim
        self.dualService = dualService
        self.latentClaim = latentClaim
        self.handoverOverlap = handoverOverlap
        self.atLeast = atLeast
        self.atMost = atMost
        self.reason = reason
    }
}
