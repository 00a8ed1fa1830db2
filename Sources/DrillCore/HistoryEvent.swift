/// One line of `trial-N.events.jsonl`. Unknown keys of a line are ignored.
package struct HistoryEvent: Hashable, Sendable {
    package var interval: InstantInterval
    package var kind: Kind

    package init(_ interval: InstantInterval, _ kind: Kind) {
        self.interval = interval
        self.kind = kind
    }

    package enum Kind: Hashable, Sendable {
        /// Facts of the trial that the other lines do not hold. Optional: a history made by hand may lack it.
        case trial(TrialFacts)
        /// The steady state was reached; `overall` rates count from here. Optional.
        case steady(phase: SteadyPhase)
        case injected(step: StepID, fault: String, host: HostName?, role: Role?)
        case healBegun(step: StepID)
        case healed(step: StepID, by: HealedBy?, verdict: HealVerdict)
        case role(RoleObservation)
        case proven(host: HostName, step: StepID, state: ProvenState, effect: String?)
        /// Nobody watched this host's role from low to high.
        case unobserved(host: HostName)
        case redundancy(value: Bool, bootID: String?)
        case noticed(host: HostName)
        case switchover(step: StepID, from: HostName?, to: HostName?)
        case verify(sweep: Int, host: HostName, key: String, present: Bool)
        case end(reason: String)
        /// Operations whose `host` is `id` were answered by this host (a run id, a server's start). Optional.
        case identity(host: HostName, id: String)
        /// The write was first seen on this host within the interval. Optional.
        case visible(host: HostName, key: String, present: Bool = true)
        /// How reading back one host went; the `verify` lines say what was found. Optional.
        case verified(VerifyFacts)
        /// The step's begin: jitter drawn, role resolved, what is proven about its effect. Optional.
        case step(StepFacts)
    }

    package enum SteadyPhase: String, Hashable, Sendable, Codable { case before, after }

    package enum ProvenState: String, Hashable, Sendable, Codable {
        case silent, frozen, dead, isolated
    }

    package enum RoleSource: String, Hashable, Sendable, Codable { case address, poll }

    /// A host gained or lost the primary role: an address event, or one answered poll.
    package struct RoleObservation: Hashable, Sendable {
        package var host: HostName
        package var primary: Bool
        package var source: RoleSource
        package var epoch: String?
        package var bootID: String?
        /// Polls: when the question was asked and when its answer came.
        package var asked: RunInstant?
        package var answered: RunInstant?
        /// Polls of a protocol in whose terms one host leads at most: the term that the host is in; a leader's own.
        package var term: Int64?

        package init(
            host: HostName, primary: Bool, source: RoleSource, epoch: String? = nil,
            bootID: String? = nil, asked: RunInstant? = nil, answered: RunInstant? = nil,
            term: Int64? = nil
        ) {
            self.host = host
            self.primary = primary
            self.source = source
            self.epoch = epoch
            self.bootID = bootID
            self.asked = asked
            self.answered = answered
            self.term = term
        }
    }

    package struct TrialFacts: Hashable, Sendable, Codable {
        package var index: Int
        package var attempt: Int
        package var seed: UInt64?
        package var clockErrorNanoseconds: Int64
        /// The longest wait for a connection; it is no lag.
        package var poolWaitNanoseconds: Int64?
        /// What was seen of the environment before the trial; nil without one.
        package var environment: StepProof?

        package init(
            index: Int, attempt: Int, seed: UInt64?, clockErrorNanoseconds: Int64 = 0,
            poolWaitNanoseconds: Int64? = nil, environment: StepProof? = nil
        ) {
            self.index = index
            self.attempt = attempt
            self.seed = seed
            self.clockErrorNanoseconds = clockErrorNanoseconds
            self.poolWaitNanoseconds = poolWaitNanoseconds
            self.environment = environment
        }
    }

    package struct StepFacts: Hashable, Sendable, Codable {
        package var step: StepID
        package var jitterNanoseconds: Int64
        package var backend: String?
        package var keeper: String?
        /// What was seen of the effect: `proven`, or why not. Nil where the fault has no proof of its own.
        package var proof: StepProof?

        package init(
            step: StepID, jitterNanoseconds: Int64, backend: String? = nil, keeper: String? = nil,
            proof: StepProof? = nil
        ) {
            self.step = step
            self.jitterNanoseconds = jitterNanoseconds
            self.backend = backend
            self.keeper = keeper
            self.proof = proof
        }
    }
}

/// Whether a fault was seen to take effect, and by whom.
package struct StepProof: Hashable, Sendable, Codable {
    package var proven: Bool
    /// One sentence a witness: `b: 12 ARP requests and 6 TCP connects unanswered in 600 ms`.
    package var witnesses: [String]

    package init(proven: Bool, witnesses: [String]) {
        self.proven = proven
        self.witnesses = witnesses
    }
}

package enum Role: String, Hashable, Sendable, Codable, CaseIterable { case primary, standby }

package enum HealedBy: String, Hashable, Sendable, Codable {
    case plan, abort, interrupt, lease, watchdog, sweep
}

package enum HealVerdict: String, Hashable, Sendable, Codable {
    case restored, superseded
    case notNeeded = "not-needed"
    case restoreFailed = "restore-failed"
}
