internal import DrillCore
internal import DrillFaults

/// From the steady state to the last heal.
extension RunMachine {
    mutating func beginTimeline(_ now: RunInstant, _ out: inout [RunDirective]) {
        var generator = SeededGenerator(seed: trialSeed, stream: 2)
        steps = input.scenario.timeline.map {
            StepState(step: $0, jitter: generator.duration(upTo: $0.jitter))
        }
        enter(.timeline, phaseText, until: nil, &out)
        status(phaseText, &out)
    }

    // MARK: When

    private func start(of index: Int) -> RunInstant? {
        guard let steadyAt else { return nil }
        switch steps[index].step.start {
        case .at(let offset): return steadyAt + offset + steps[index].jitter
        case .after(let reference, let plus, _):
            return occurred(reference).map { $0 + plus + steps[index].jitter }
        }
    }

    /// When waiting for the step's event is over.
    private func startLimit(of index: Int) -> RunInstant? {
        guard case .after(let reference, _, let atMost) = steps[index].step.start,
            let other = self.index(of: reference.step)
        else { return nil }
        return steps[other].t0.map { $0.high + atMost }
    }

    private func index(of step: StepID) -> Int? { steps.firstIndex { $0.step.id == step } }

    private func occurred(_ reference: EventReference) -> RunInstant? {
        index(of: reference.step).flatMap { steps[$0].occurred(reference.event) }
    }

    /// When the heal begins; nil: not known yet, or nothing to heal.
    private func end(of index: Int) -> RunInstant? {
        guard let t0 = steps[index].t0 else { return nil }
        switch steps[index].step.end {
        case .none: return nil
        case .duration(let duration): return t0.high + duration
        case .event(let reference, let plus, let atMost):
            let limit = t0.high + atMost
            // `at_most` bounds the wait for the event; what follows it is `plus`.
            guard let came = occurred(reference), came <= limit else { return limit }
            return came + plus
        case .observation:
            let isObserved = steps.allSatisfy {
                $0.isOver || ($0.step.end == .observation && $0.t0 != nil)
            }
            guard isObserved, let last = steps.compactMap({ $0.healedAt ?? $0.t0?.high }).max()
            else { return nil }
            return last + input.scenario.observe
        }
    }

    /// The earliest instant at which a step, or the lab's silence, wants a look.
    var stepDeadline: RunInstant? {
        var earliest: RunInstant?
        func consider(_ at: RunInstant?) { earliest = Self.earlier(earliest, at) }
        for index in steps.indices {
            switch steps[index].phase {
            case .waiting:
                consider(start(of: index))
                consider(startLimit(of: index))
            case .injecting, .healing: consider(steps[index].notBefore)
            case .active:
                // A heal that waits for a reading waits for its end or its limit.
                if reading == nil { consider(end(of: index)) }
                consider(steps[index].inspectAt)
                consider(steps[index].reachAgainAt)
            case .confirming: consider(steps[index].confirmAt)
            case .done, .skipped: break
            }
        }
        consider(unansweredSince.map { $0 + patience })
        if steps.isEmpty { consider(steadyAt.map { $0 + input.scenario.observe }) }
        return earliest
    }

    /// A lab that owes an answer for longer hangs. Its longest work is a program of the user's, at most a minute.
    private var patience: Duration { .seconds(90) + input.system.limits.boot }

    // MARK: Going on

    mutating func runTimeline(_ now: RunInstant, _ out: inout [RunDirective]) {
        noteStable(now)
        if ending == nil, let abort = metAbort() {
            ending = "abort: \(abort.text)"
            rebuild = "an abort condition was met"
            out.append(.note("abort: \(abort.text)"))
            healAll(by: .abort, now, &out)
        }
        readBackEarly(now, &out)
        for index in steps.indices { progressStep(index, now, &out) }
        let isAnswerDue = isOpen(Self.isStepRequest)
        if isAnswerDue {
            let since = unansweredSince ?? now
            unansweredSince = since
            if now >= since + patience {
                let why = "the lab did not answer for \(patience.spelled)"
                labFailed(why, gone: true, now, &out)
                return
            }
        } else {
            unansweredSince = nil
        }
        guard !isAnswerDue, steps.allSatisfy({ $0.isOver }) else { return }
        if steps.isEmpty, ending == nil {
            guard let steadyAt, now >= steadyAt + input.scenario.observe else { return }
            ending = "complete"
            endTrial(now, &out)
            return
        }
        if ending != nil {
            endTrial(now, &out)
            return
        }
        overAt = now
        enter(
            .recovering, "steady state again",
            until: now + max(input.scenario.observe, input.system.limits.steady), &out)
    }

    private static func isStepRequest(_ purpose: Purpose) -> Bool {
        switch purpose {
        case .inject, .heal, .probe, .inspect, .confirm: true
        case .hello, .build, .watch, .teardown, .keep, .load, .stopLoad, .start, .ready,
            .baseline, .collect, .renew, .startPaths, .stopPaths, .environment,
            .inspectEnvironment, .startWatch, .startReading, .stopReading:
            false
        }
    }

    /// `stable` of each step: every stream has shown a clean stretch that began after t0.
    func stableSince(_ t0: RunInstant) -> Bool {
        progress.stableFrom.map { $0 > t0 } ?? false
    }

    private mutating func noteStable(_ now: RunInstant) {
        for index in steps.indices where steps[index].stableAt == nil {
            if let t0 = steps[index].t0, stableSince(t0.high) { steps[index].stableAt = now }
        }
    }

    func metAbort() -> AbortCondition? {
        guard !input.scenario.aborts.isEmpty, let first = steps.compactMap(\.t0?.low).min()
        else { return nil }
        return input.scenario.aborts.first { abort in
            progress.worstRate(over: abort.duration, notBefore: first)
                .map { abort.comparison.holds($0, abort.successRate) } ?? false
        }
    }

    private mutating func progressStep(
        _ index: Int, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        switch steps[index].phase {
        case .waiting:
            if ending != nil {
                steps[index].phase = .skipped("the trial ended first")
            } else if let start = start(of: index) {
                if now >= start { begin(index, now, &out) }
            } else if let limit = startLimit(of: index), now >= limit {
                skip(index, "the event that it waits for did not come", &out)
            } else if case .after(let reference, _, _) = steps[index].step.start,
                let other = self.index(of: reference.step), case .skipped = steps[other].phase
            {
                skip(index, "step \(reference.step) was not begun", &out)
            }
        case .injecting: sendInjection(index, now, &out)
        case .active:
            if ending != nil {
                let by = steps[index].healedBy
                heal(index, by: by == .plan ? .abort : by, now, &out)
            } else if case .none = steps[index].step.end {
                if steps[index].probesOpen == 0 { steps[index].phase = .done }
            } else if let end = end(of: index), now >= end, reading == nil {
                // A new primary is read back before what was broken can change what it has.
                if isSeenToTheEnd(index, &out) { heal(index, by: .plan, now, &out) }
            } else {
                lookAgain(index, now, &out)
            }
        case .healing: sendHeal(index, now, &out)
        case .confirming: confirm(index, now, &out)
        case .done, .skipped: break
        }
    }

    private mutating func skip(_ index: Int, _ why: String, _ out: inout [RunDirective]) {
        steps[index].phase = .skipped(why)
        notBegun = notBegun ?? "step_not_begun: \(steps[index].step.id): \(why)"
        out.append(.note("step \(steps[index].step.id) was not begun: \(why)"))
    }

    // MARK: Inject

    private mutating func begin(
        _ index: Int, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        do throws(FaultError) {
            switch steps[index].step.action {
            case .fault(let use):
                let targets = try resolver.targets(use.target)
                guard let fault = FaultCatalog.named(use.fault) else {
                    throw FaultError("no fault is called '\(use.fault)'")
                }
                steps[index].plan = try fault.plan(use, targets: targets, topology: topology)
                if case .host(let host) = targets { steps[index].host = host }
            case .switchover:
                let (host, operation) = try switchover()
                steps[index].plan = FaultPlan(inject: [.host(host, operation)])
                steps[index].host = host
            }
        } catch {
            skip(index, error.description, &out)
            return
        }
        steps[index].role = steps[index].host.flatMap { roles.role(of: $0) }
        steps[index].primaryBefore = roles.primary
        steps[index].bootBefore = steps[index].host.flatMap { bootIDs[$0] }
        steps[index].phase = .injecting
        watchLinks(index, &out)
        status("injecting \(steps[index].step.actionName)", &out)
        sendInjection(index, now, &out)
    }

    private func switchover() throws(FaultError) -> (HostName, HostOperation) {
        guard let action = input.system.switchover else {
            throw FaultError("the system has no switchover")
        }
        guard let host = try resolver.hosts(action.host).first else {
            throw FaultError("no host to switch over from")
        }
        switch action.kind {
        case .signal(let service, let name):
            guard let number = Signal.number(name) else {
                throw FaultError("no signal is called '\(name)'")
            }
            return (host, .signalService(service, number))
        case .run(let commands):
            guard let argv = commands[host] else { throw FaultError("no command for \(host)") }
            return (host, .run(argv))
        }
    }

    /// The effective operations go out together, so that t0 is narrow; the rest one by one.
    private mutating func sendInjection(
        _ index: Int, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        guard let plan = steps[index].plan, steps[index].open == 0 else { return }
        let next = steps[index].next
        guard next < plan.inject.count else { return }
        if let wait = plan.waits[next] {
            guard let notBefore = steps[index].notBefore else {
                steps[index].notBefore = now + wait
                return
            }
            if now < notBefore { return }
            steps[index].notBefore = nil
        }
        let upTo = next < plan.effective ? plan.effective : next + 1
        for operation in next..<upTo {
            send(
                .perform(plan.inject[operation]), for: .inject(step: index, operation: operation),
                &out)
        }
        steps[index].open = upTo - next
        steps[index].next = upTo
        steps[index].asked = upTo
    }

    mutating func injected(
        _ index: Int, _ operation: Int, _ reply: LabReply, _ now: RunInstant,
        _ out: inout [RunDirective]
    ) {
        guard let plan = steps[index].plan else { return }
        steps[index].open -= 1
        noteEffect(of: plan.inject[operation], now)
        if reply.failure == nil {
            changes.note(plan.inject[operation], step: index, reply.interval)
            steps[index].backend = steps[index].backend ?? reply.detail["backend"]
        }
        if let failure = reply.failure {
            let word = failure.kind == .capability ? "capability" : "injection_failed"
            if ending == nil {
                ending = "\(word): \(steps[index].step.id): \(failure.message)"
                outcome =
                    failure.kind == .capability
                    ? .capability(failure.message) : .failed(failure.message)
            }
            rebuild = failure.message
            steps[index].hasFailed = true
            steps[index].next = plan.inject.count
            healAll(by: .abort, now, &out)
            return
        }
        if operation < plan.effective {
            let old = steps[index].t0 ?? reply.interval
            steps[index].t0 = InstantInterval(
                low: min(old.low, reply.interval.low), high: max(old.high, reply.interval.high))
            if steps[index].open == 0 { tookEffect(index, plan, now, &out) }
        }
        if steps[index].open == 0, steps[index].next == plan.inject.count,
            steps[index].phase == .injecting
        {
            steps[index].phase = .active
            status(phaseText, &out)
        }
    }

    private mutating func tookEffect(
        _ index: Int, _ plan: FaultPlan, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        guard let t0 = steps[index].t0 else { return }
        let step = steps[index].step
        steps[index].injectedAt = t0.high
        switch step.action {
        case .fault(let use):
            record(
                HistoryEvent(
                    t0,
                    .injected(
                        step: step.id, fault: use.fault, host: steps[index].host,
                        role: steps[index].role)), &out)
        case .switchover:
            // Who hands over, wherever the program runs that asks for it.
            let from = steps[index].primaryBefore ?? steps[index].host
            record(
                HistoryEvent(
                    t0,
                    .switchover(
                        step: step.id, from: from, to: from.flatMap { topology.peer(of: $0) })),
                &out)
        }
        // A node fault takes redundancy away whatever a probe says.
        if steps[index].lostNode != nil { steps[index].redundancyLost = true }
        beginProof(index, plan.proof, now, &out)
    }

    /// What the machine itself concludes from an operation that was asked for.
    mutating func noteEffect(of operation: FaultOperation, _ now: RunInstant) {
        switch operation {
        case .lab(.kill(let host)): roles.forget(host, at: now)
        case .lab(.boot), .host(_, .startService), .lab(.thaw), .host(_, .continueService):
            lastStartAt = now
        case .lab, .host: break
        }
    }
}
