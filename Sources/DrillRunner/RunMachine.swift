package import DrillCore
internal import DrillFaults

/// Decides everything of a run and does nothing: events in, directives out. The shell alone waits and writes.
package struct RunMachine: Sendable {
    enum Phase: Hashable, Sendable {
        case idle
        case building
        /// Index into the system's services; ready checks follow each one's start.
        case startingServices(Int)
        case provingPaths
        case waitingForRole
        case applyingEnvironment
        case provingEnvironment
        case closingEnvironment
        case startingLoad
        case steadyBefore
        case timeline
        case recovering
        case stoppingLoad
        case readingBack
        case collecting
        case judging
        case tearingDown
        case finished
    }

    /// What an open request was for.
    enum Purpose: Hashable, Sendable {
        case hello, build, watch, teardown, keep, load, stopLoad, renew, startPaths, stopPaths
        case startWatch, stopReading
        case startReading(String)
        case start(HostName, ServiceName)
        case ready(HostName, ServiceName)
        case baseline(HostName, HostName)
        case inject(step: Int, operation: Int)
        case heal(step: Int, operation: Int)
        case probe(step: Int, ProofPlan.Path, mustAnswer: Bool)
        case inspect(step: Int, isLast: Bool)
        case confirm(step: Int)
        case environment(FaultOperation)
        case inspectEnvironment
        case collect(HostName, ServiceName)
    }

    /// What never changes is kept apart: the machine is copied where it asks itself, and is small without it.
    private final class Given: Sendable {
        let input: RunInput
        let topology: Topology

        init(_ input: RunInput) {
            self.input = input
            topology = Topology(input.system)
        }
    }

    private let given: Given
    var input: RunInput { given.input }
    var topology: Topology { given.topology }
    var phase: Phase = .idle
    var phaseDeadline: RunInstant?
    var nextRequest = 1
    var pending: [Int: Purpose] = [:]

    var trial = TrialName(index: 1, attempt: 1)
    var trialIsOpen = false
    var roles: RoleTracker
    var progress: ProgressLog
    var steps: [StepState] = []
    var bootIDs: [HostName: String] = [:]
    /// Who answered whom before anything was broken.
    var baseline: Set<String> = []
    /// One-way delays of the bare paths, medians.
    var baselines: [LinkDirection: Duration] = [:]
    /// Probes that are under way, and those whose samples are still wanted, by the id of their path.
    var watches: [String: PathWatch] = [:]
    var changes = ChangeLog()
    /// What the environment does, once its targets are known.
    var environment = ProofPlan()
    var environmentApplied = false
    var baselinesStopped = false
    var environmentWatches: [String] = []
    var environmentSince: RunInstant?
    var environmentUntil: RunInstant?
    var environmentFaults: [String] = []
    var environmentProof: StepProof?
    /// When the lab is told again that its controller lives.
    var renewAt: RunInstant?
    var lastStartAt: RunInstant?
    var exitedServices: [HostName: Set<ServiceName>] = [:]
    var unobservedSince: [HostName: RunInstant] = [:]
    /// Load processes by name, and those that have started and finished.
    var loads: [String] = []
    var loadsStarted: Set<String> = []
    var loadsFinished: Set<String> = []
    var longestPoolWait: Duration = .zero
    /// What this trial writes, who reads it back, and the reading that is under way.
    var ledgers: [LedgerStream] = []
    var reader: LedgerReader?
    var reading: Reading?
    var readings = 0
    /// The process that asks for roles, and when each host answered it last.
    var roleWatch: String?
    var watchesStarted = 0
    var lastAnswers: [HostName: RunInstant] = [:]
    var steadySince: RunInstant?
    var steadyAt: RunInstant?
    /// The instant from which the steady state must be shown again.
    var overAt: RunInstant?
    /// Why the trial ends, once it is known; the word of its `end` event.
    var ending: String?
    /// A step that was left undone: the trial goes on to its end and is inconclusive.
    var notBegun: String?
    /// Since when the lab owes the timeline an answer.
    var unansweredSince: RunInstant?
    var outcome: RunOutcome.End = .complete
    var rebuild: String?
    var leftBehind: [String] = []
    var isKept = false
    var interrupts = 0
    /// `judged` has chosen a trial that is not run yet.
    var moreTrials = false

    package init(_ input: RunInput) {
        given = Given(input)
        roles = RoleTracker(input.system.roles)
        let windows = input.scenario.aborts.map(\.duration) + [input.scenario.steadyState.duration]
        progress = ProgressLog(keep: (windows.max() ?? .seconds(2)) + .seconds(2))
    }

    /// Whether the supervisor's end would be news.
    package var expectsLab: Bool {
        switch phase {
        case .idle, .finished: false
        // One that ends before it has answered its teardown leaves things behind.
        case .building, .startingServices, .provingPaths, .waitingForRole, .applyingEnvironment,
            .provingEnvironment, .closingEnvironment, .startingLoad, .steadyBefore, .timeline,
            .recovering, .stoppingLoad, .readingBack, .collecting, .judging, .tearingDown:
            true
        }
    }

    /// The latest instant at which `tick` is wanted.
    package var nextDeadline: RunInstant? {
        var earliest = Self.earlier(phaseDeadline, renewAt)
        if phase == .timeline || phase == .recovering {
            earliest = Self.earlier(earliest, stepDeadline)
        }
        return Self.earlier(earliest, reading?.limit)
    }

    static func earlier(_ a: RunInstant?, _ b: RunInstant?) -> RunInstant? {
        guard let a, let b else { return a ?? b }
        return min(a, b)
    }

    package mutating func handle(
        _ event: RunEvent, now: RunInstant, into out: inout [RunDirective]
    ) {
        switch event {
        case .begin: openLab(now, &out)
        case .message(.reply(let reply)):
            if let purpose = pending.removeValue(forKey: reply.id) {
                unansweredSince = nil
                handle(reply, for: purpose, now, &out)
            }
        case .message(.event(let event)): handle(event, now, &out)
        case .tick: break
        case .interrupt(let signal): interrupt(signal, now, &out)
        case .labGone(let why, let left):
            if expectsLab { healedWithout(left, now, &out) }
            if expectsLab { labFailed("the lab's supervisor ended: \(why)", gone: true, now, &out) }
        case .judged(let verdict): if phase == .judging { judged(verdict, now, &out) }
        }
        advance(now, &out)
        renew(now, &out)
    }

    /// A controller that is stopped says nothing, and the lab heals what it asked for.
    private mutating func renew(_ now: RunInstant, _ out: inout [RunDirective]) {
        guard expectsLab, phase != .tearingDown else {
            renewAt = nil
            return
        }
        if let renewAt, now < renewAt { return }
        // The lease begins when the lab is built.
        if renewAt != nil, phase != .building { send(.renew, for: .renew, &out) }
        renewAt = now + Self.renewal
    }

    /// A tenth of the lease (`LabSpec.lease`).
    static let renewal = Duration.seconds(1)

    mutating func send(
        _ command: LabCommand, for purpose: Purpose, _ out: inout [RunDirective]
    ) {
        pending[nextRequest] = purpose
        out.append(.send(LabRequest(id: nextRequest, command: command)))
        nextRequest += 1
    }

    func isOpen(_ matches: (Purpose) -> Bool) -> Bool { pending.values.contains(where: matches) }

    mutating func enter(
        _ phase: Phase, _ text: String, until deadline: RunInstant?, _ out: inout [RunDirective]
    ) {
        self.phase = phase
        phaseDeadline = deadline
        status(text, &out)
    }

    func status(_ text: String, _ out: inout [RunDirective]) {
        out.append(
            .status(
                RunStatus(
                    phase: text, trial: trial.index, trials: input.scenario.trials,
                    attempt: trial.attempt, successRate: progress.recentRate,
                    primary: roles.primary)))
    }

    var phaseText: String {
        if let reading { return "reading back \(reading.writes) writes" }
        return switch phase {
        case .idle: "starting"
        case .building: "building the lab"
        case .startingServices: "starting services"
        case .provingPaths: "proving the network"
        case .waitingForRole: "waiting for one primary"
        case .applyingEnvironment, .provingEnvironment, .closingEnvironment:
            "proving the environment"
        case .startingLoad: "starting load"
        case .steadyBefore: "steady state"
        case .timeline:
            steps.contains { $0.phase == .healing }
                ? "healing"
                : steps.contains { $0.isInEffect }
                    ? "observing "
                        + namesInEffect.joined(separator: ", ")
                    : steps.isEmpty ? "soaking" : "waiting to inject"
        case .recovering: "steady state again"
        case .stoppingLoad: "stopping load"
        case .readingBack: "reading back"
        case .collecting: "collecting"
        case .judging: "analysing"
        case .tearingDown: "tearing down"
        case .finished: "finished"
        }
    }

    private var namesInEffect: [String] {
        steps.compactMap { $0.isInEffect ? $0.step.actionName : nil }
    }

    // MARK: Replies

    mutating func handle(
        _ reply: LabReply, for purpose: Purpose, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        switch purpose {
        case .inject(let step, let operation):
            injected(step, operation, reply, now, &out)
        case .heal(let step, let operation):
            healReplied(step, operation, reply, now, &out)
        case .probe(let step, let path, let mustAnswer):
            probed(step, path, mustAnswer, reply, now, &out)
        case .baseline(let from, let to):
            if reply.failure == nil, (Int(reply.detail["answered"] ?? "") ?? 0) > 0 {
                baseline.insert("\(from)>\(to)")
            }
        case .teardown:
            if let failure = reply.failure { leftBehind.append(failure.message) }
            if let left = reply.detail["left_behind"], !left.isEmpty {
                leftBehind += left.split(separator: "\n").map(String.init)
            }
            toreDown(now, &out)
        case .keep:
            if let failure = reply.failure {
                out.append(.note("the lab is not kept: \(failure)"))
            } else {
                isKept = true
            }
            toreDown(now, &out)
        case .collect, .watch, .stopLoad, .startPaths, .stopPaths, .renew:
            if let failure = reply.failure { out.append(.note(failure.message)) }
        case .startWatch:
            if let failure = reply.failure { roleWatchEnded(failure.message, now, &out) }
        case .startReading(let name):
            if let failure = reply.failure, name == reading?.load {
                endReading(failure.message, now, &out)
            }
        // It may have ended by itself meanwhile.
        case .stopReading: break
        case .inspect(let step, let isLast): inspected(step, isLast, reply, now, &out)
        case .confirm(let step): confirmed(step, now, &out)
        case .environment(let operation): environmentReplied(operation, reply, now, &out)
        case .inspectEnvironment:
            if reply.failure != nil || reply.detail["proven"] != "true" {
                environmentFaults.append(reply.failure?.message ?? reply.output ?? "not seen")
            }
        case .hello where reply.failure == nil: greeted(reply, now, &out)
        case .hello, .build, .start, .load:
            if let failure = reply.failure { bringUpFailed(failure, now, &out) }
        case .ready(let host, let service):
            if let failure = reply.failure {
                notReady("\(service) on \(host): \(failure.message)", now, &out)
            }
        }
    }

    mutating func bringUpFailed(
        _ failure: LabFailure, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        guard ending == nil else { return }
        switch failure.kind {
        case .capability:
            outcome = .capability(failure.message)
            ending = "capability: \(failure.message)"
        case .failed:
            outcome = .failed(failure.message)
            ending = "lab_failed: \(failure.message)"
        case .timedOut: ending = "not_ready: \(failure.message)"
        }
        if ending?.hasPrefix("not_ready") == false || !trialIsOpen { rebuild = failure.message }
        endTrial(now, &out)
    }

    mutating func notReady(_ why: String, _ now: RunInstant, _ out: inout [RunDirective]) {
        guard ending == nil else { return }
        ending = "not_ready: \(why)"
        rebuild = why
        endTrial(now, &out)
    }

    // MARK: Events of the lab

    mutating func handle(
        _ event: LabEvent, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        switch event {
        case .address(let host, let address, let present, let interval):
            guard case .holds(let wanted)? = input.system.roles?.primary, wanted == address,
                input.system.roles?.among.contains(host) == true
            else { return }
            observe(
                .init(host: host, primary: present, source: .address, bootID: bootIDs[host]),
                interval, now, &out)
        case .poll("role", let host, let value, let asked, let answered, let bootID):
            observe(
                .init(
                    host: host, primary: value, source: .poll, bootID: bootID, asked: asked,
                    answered: answered),
                InstantInterval(low: asked, high: answered), now, &out)
        case .poll(_, let host, let value, let asked, let answered, let bootID):
            redundancy(
                host, value, InstantInterval(low: asked, high: answered), bootID, now, &out)
        case .observing(let host, let observed, let interval):
            if observed {
                let since = unobservedSince.removeValue(forKey: host) ?? interval.low
                record(
                    HistoryEvent(
                        InstantInterval(low: since, high: interval.high), .unobserved(host: host)),
                    &out)
            } else {
                unobservedSince[host] = min(unobservedSince[host] ?? interval.low, interval.low)
            }
        case .booted(let host, let bootID, let at):
            bootIDs[host] = bootID
            lastStartAt = max(lastStartAt ?? at, at)
        case .hostEnded(let host, _):
            // At the end of a trial it changes no finding, but the next one needs all hosts.
            rebuild = rebuild ?? "host \(host) ended by itself"
            labFailed("host \(host) ended by itself", gone: false, now, &out)
        case .serviceExited(let host, let service, _, _):
            exitedServices[host, default: []].insert(service)
        case .noticed(let host, _, let interval):
            record(HistoryEvent(interval, .noticed(host: host)), &out)
        case .load(let name, let event): handle(event, of: name, now, &out)
        case .path(let bucket): received(bucket)
        case .healed(let by, let why, let outcomes, let interval):
            healedEarly(by, why, outcomes, interval, now, &out)
        case .log(let text): out.append(.note(text))
        }
    }

    mutating func observe(
        _ observation: HistoryEvent.RoleObservation, _ interval: InstantInterval,
        _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        record(HistoryEvent(interval, .role(observation)), &out)
        let acquired = roles.observe(observation.host, primary: observation.primary, at: now)
        guard acquired else { return }
        for index in steps.indices where steps[index].t0 != nil && steps[index].failoverAt == nil {
            if observation.host != steps[index].primaryBefore {
                steps[index].failoverAt = interval.high
            }
        }
    }

    mutating func redundancy(
        _ host: HostName, _ value: Bool, _ interval: InstantInterval, _ bootID: String,
        _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        guard let probe = input.system.redundancy, isAsked(probe.host, host) else { return }
        record(HistoryEvent(interval, .redundancy(value: value, bootID: bootID)), &out)
        for index in steps.indices where steps[index].t0 != nil {
            if !value {
                steps[index].redundancyLost = true
                steps[index].redundantAt = nil
            } else if steps[index].redundancyLost, steps[index].redundantAt == nil {
                guard isNodeBack(steps[index]) else { continue }
                steps[index].redundantAt = interval.high
            }
        }
    }

    /// Where more than two hosts share the role, each but the primary is a standby, and any of them may be the one that
    /// came back.
    private func isAsked(_ selector: HostSelector, _ host: HostName) -> Bool {
        // While nobody is primary, or two are, the others than the last one are asked on.
        if selector == .role(.standby), let primary = roles.lastPrimary {
            return host != primary && input.system.roles?.among.contains(host) == true
        }
        return (try? resolver.hosts(selector))?.contains(host) ?? false
    }

    /// After a node fault only what is said since the host's new boot counts; a thawed one has none.
    private func isNodeBack(_ state: StepState) -> Bool {
        guard let lost = state.lostNode else { return true }
        guard lost == .dead, let host = state.host, let before = state.bootBefore else {
            return state.healedAt != nil
        }
        return bootIDs[host] != before
    }

    func record(_ event: HistoryEvent, _ out: inout [RunDirective]) {
        if trialIsOpen { out.append(.record(event)) }
    }

    var resolver: TargetResolver {
        TargetResolver(topology: topology, primary: roles.primary, standby: roles.standby)
    }
}
