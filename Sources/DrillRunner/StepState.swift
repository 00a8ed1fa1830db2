internal import DrillCore
internal import DrillFaults

/// One step of the timeline as it goes.
struct StepState: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case waiting
        case injecting
        case active
        case healing
        /// Healed; its links are watched a little longer.
        case confirming
        case done
        /// Its event did not come, or its target could not be resolved.
        case skipped(String)
    }

    let step: Step
    var jitter: Duration
    var phase: Phase = .waiting
    var plan: FaultPlan?
    /// Resolved when the step begins.
    var host: HostName?
    var role: Role?
    var primaryBefore: HostName?
    /// The boot of `host` that the step found.
    var bootBefore: String?

    /// The next operation of `plan.inject` or `heals` to ask for, and how many answers are open.
    var next = 0
    var open = 0
    /// How many operations of `plan.inject` were asked for, and whether one of them failed.
    var asked = 0
    var hasFailed = false
    /// What is ordered to undo it, decided when that begins.
    var heals: [FaultOperation] = []
    var notBefore: RunInstant?
    var t0: InstantInterval?
    var injectedAt: RunInstant?
    var healBegunAt: RunInstant?
    var healBegunRecorded = false
    /// Whoever healed without an order stays: what is ordered afterwards only follows.
    var healedBy: HealedBy = .plan {
        didSet { if oldValue == .lease || oldValue == .watchdog { healedBy = oldValue } }
    }
    var healFailures: [String] = []
    var healVerdict: HealVerdict?
    var backend: String?

    var failoverAt: RunInstant?
    var stableAt: RunInstant?
    var healedAt: RunInstant?
    var redundantAt: RunInstant?
    var redundancyLost = false
    /// What its new primary has is read, or being read.
    var isReadBack = false

    /// Ids of the paths that watch it.
    var watches: [String] = []
    /// From the request of the heal's first change.
    var watchedUntil: RunInstant?
    /// When the paths are stopped, after the heal.
    var confirmAt: RunInstant?
    var inspectAt: RunInstant?
    var inspectionsOpen = 0
    /// The look before the heal: asked for, and answered.
    var lastLook = LastLook.due
    /// When the peers of a silent host are asked again.
    var reachAgainAt: RunInstant?
    var reachRounds = 0
    /// Its proof over the whole window is recorded.
    var isConcluded = false

    enum LastLook: Hashable, Sendable { case due, asked, done }

    var probesOpen = 0
    var proofFailed = false
    var witnesses: [String] = []

    init(step: Step, jitter: Duration) {
        self.step = step
        self.jitter = jitter
    }

    func occurred(_ event: StepEvent) -> RunInstant? {
        switch event {
        case .injected: injectedAt
        case .failover: failoverAt
        case .stable: stableAt
        case .healed: healedAt
        case .redundant: redundantAt
        }
    }

    /// How a node fault took its host away; nil for other faults.
    var lostNode: HistoryEvent.ProvenState? {
        guard let host, let state = plan?.proof.states[host] else { return nil }
        return state == .dead || state == .frozen ? state : nil
    }

    /// The plan's way back is that of the whole fault; of a part each operation is undone by itself, the last first.
    var undoing: [FaultOperation] {
        guard let plan else { return [] }
        if asked == plan.inject.count, !hasFailed { return plan.heal }
        return plan.inject.prefix(asked).reversed().compactMap(\.inverse)
    }

    var isOver: Bool {
        switch phase {
        case .done, .skipped: true
        case .waiting, .injecting, .active, .healing, .confirming: false
        }
    }

    /// Something of it may be in effect.
    var isInEffect: Bool {
        switch phase {
        case .injecting, .active, .healing: true
        case .waiting, .confirming, .done, .skipped: false
        }
    }
}
