internal import DrillCore
internal import DrillFaults

/// From the last heal to the verdict, and what happens when something goes wrong on the way.
extension RunMachine {
    mutating func awaitRecovery(
        _ late: Bool, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        guard let overAt else { return }
        if let abort = metAbort() {
            ending = "abort: \(abort.text)"
            rebuild = "an abort condition was met"
            out.append(.note("abort: \(abort.text)"))
            endTrial(now, &out)
            return
        }
        readBackEarly(now, &out)
        let redundant =
            input.system.redundancy == nil
            || steps.allSatisfy { $0.t0 == nil || !$0.redundancyLost || $0.redundantAt != nil }
            || now >= overAt + input.scenario.observe
        if isSteady(since: overAt, now), stableSince(overAt), redundant, reading == nil {
            record(HistoryEvent(InstantInterval(now), .steady(phase: .after)), &out)
            ending = notBegun ?? "complete"
            endTrial(now, &out)
        } else if late {
            ending = "steady_state_lost: the steady state was not shown again"
            rebuild = "the steady state was not shown again"
            endTrial(now, &out)
        }
    }

    /// Closes the trial in whatever phase it is: heal what is in effect, stop load, collect, close.
    mutating func endTrial(_ now: RunInstant, _ out: inout [RunDirective]) {
        giveUpReading(now, &out)
        if !loads.isEmpty, !loadsFinished.isSuperset(of: loads) {
            let slowest = input.scenario.workloads.map(\.timeout).max() ?? .seconds(1)
            for load in loads {
                send(.load(load, .stop(at: now)), for: .stopLoad, &out)
            }
            enter(.stoppingLoad, "stopping load", until: now + slowest + .seconds(10), &out)
        } else {
            collect(now, &out)
        }
    }

    /// Services that a signal ended are started again; the next trial begins with all of them.
    mutating func collect(_ now: RunInstant, _ out: inout [RunDirective]) {
        enter(.collecting, "collecting", until: now + input.system.limits.boot + .seconds(10), &out)
        guard rebuild == nil, outcome == .complete else { return }
        let switched = steps.contains { state in
            guard state.t0 != nil else { return false }
            if case .none = state.step.end { return true }
            return false
        }
        guard switched else { return }
        for service in input.system.services {
            for host in service.hosts where exitedServices[host]?.contains(service.name) == true {
                send(
                    .perform(.host(host, .startService(service.name))),
                    for: .collect(host, service.name), &out)
                lastStartAt = now
            }
        }
        exitedServices = [:]
    }

    mutating func openTrial(_ now: RunInstant, _ out: inout [RunDirective]) {
        guard !trialIsOpen else { return }
        trialIsOpen = true
        out.append(.openTrial(trial))
        record(
            HistoryEvent(
                InstantInterval(now),
                .trial(
                    .init(
                        index: trial.index, attempt: trial.attempt, seed: trialSeed,
                        environment: environmentProof))), &out)
        for host in input.system.roles?.among ?? [] {
            record(
                HistoryEvent(
                    InstantInterval(now),
                    .role(
                        .init(
                            host: host, primary: roles.holders.contains(host), source: .address,
                            bootID: bootIDs[host]))), &out)
        }
    }

    mutating func closeTrial(_ now: RunInstant, _ out: inout [RunDirective]) {
        openTrial(now, &out)
        for index in steps.indices
        where steps[index].t0 != nil && hasLateProof(index) && !steps[index].isConcluded {
            proveAtEnd(index, now, &out)
        }
        // A killed host's listener went with it, and what a frozen or silent one holds counts or not by that very proof:
        // without it nobody can say what the host did.
        for state in steps where state.proofFailed || state.probesOpen > 0 {
            guard let t0 = state.t0, let plan = state.plan else { continue }
            let silence = InstantInterval(low: t0.low, high: max(t0.low, state.healedAt ?? now))
            for host in plan.proof.states.keys.sorted() {
                record(HistoryEvent(silence, .unobserved(host: host)), &out)
            }
        }
        for (host, since) in unobservedSince.sorted(by: { $0.key < $1.key }) {
            record(
                HistoryEvent(InstantInterval(low: since, high: now), .unobserved(host: host)), &out)
            unobservedSince[host] = now
        }
        record(
            HistoryEvent(
                InstantInterval(now),
                .trial(
                    .init(
                        index: trial.index, attempt: trial.attempt, seed: trialSeed,
                        poolWaitNanoseconds: longestPoolWait.nanoseconds,
                        environment: environmentProof))), &out)
        record(HistoryEvent(InstantInterval(now), .end(reason: ending ?? "complete")), &out)
        trialIsOpen = false
        enter(.judging, "analysing", until: nil, &out)
        out.append(.closeTrial(trial))
    }

    mutating func judged(_ verdict: Verdict, _ now: RunInstant, _ out: inout [RunDirective]) {
        let retry = verdict == .inconclusive && trial.attempt <= input.scenario.retries
        moreTrials = outcome == .complete && (retry || trial.index < input.scenario.trials)
        guard moreTrials else {
            tearDown(now, &out)
            return
        }
        if retry {
            trial.attempt += 1
            out.append(.note("trial \(trial.index) was inconclusive: once more"))
        } else {
            trial = TrialName(index: trial.index + 1, attempt: 1)
        }
        if rebuild != nil {
            tearDown(now, &out)
        } else {
            beginTrial(now, &out)
        }
    }

    mutating func tearDown(_ now: RunInstant, _ out: inout [RunDirective]) {
        pending = [:]
        enter(.tearingDown, "tearing down", until: now + .seconds(20), &out)
        if input.keepLab, !moreTrials, outcome == .complete {
            send(.keep, for: .keep, &out)
        } else {
            send(.teardown, for: .teardown, &out)
        }
    }

    mutating func toreDown(_ now: RunInstant, _ out: inout [RunDirective]) {
        guard phase == .tearingDown else { return }
        // Where something was left behind nothing new is built over it.
        if outcome == .complete, let why = rebuild, moreTrials, leftBehind.isEmpty {
            out.append(.note("the lab is built anew: \(why)"))
            rebuild = nil
            loads = []
            openLab(now, &out)
        } else {
            finish(&out)
        }
    }

    mutating func toreDownLate(_ now: RunInstant, _ out: inout [RunDirective]) {
        leftBehind.append("the lab did not answer its teardown within 20 s")
        finish(&out)
    }

    private mutating func finish(_ out: inout [RunDirective]) {
        phase = .finished
        phaseDeadline = nil
        out.append(.finish(RunOutcome(end: outcome, leftBehind: leftBehind, isKept: isKept)))
    }

    // MARK: Trouble

    mutating func labFailed(
        _ why: String, gone: Bool, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        if gone {
            // Nothing answers any more: write down what there is and stop.
            if outcome == .complete { outcome = .failed(why) }
            ending = "lab_failed: \(why)"
            out.append(.note(why))
            endReading("the lab's supervisor ended", now, &out)
            loads = []
            pending = [:]
            if phase != .judging, phase != .tearingDown { closeTrial(now, &out) }
            finish(&out)
            return
        }
        guard ending == nil else { return }
        ending = "lab_failed: \(why)"
        outcome = .failed(why)
        rebuild = why
        out.append(.note(why))
        healAll(by: .abort, now, &out)
        if phase != .timeline { endTrial(now, &out) }
    }

    mutating func interrupt(_ signal: Int32, _ now: RunInstant, _ out: inout [RunDirective]) {
        interrupts += 1
        if interrupts > 1 || phase == .tearingDown {
            let open = steps.filter(\.isInEffect).map(\.step.id.rawValue)
            out.append(
                .note(
                    open.isEmpty
                        ? "still \(phaseText)" : "still healing \(open.joined(separator: ", "))"))
            return
        }
        guard phase != .finished else { return }
        outcome = .interrupted(signal)
        out.append(.note("interrupted: healing"))
        switch phase {
        case .timeline, .recovering:
            ending = "interrupted: \(Signal.name(signal))"
            healAll(by: .interrupt, now, &out)
            if phase == .recovering { endTrial(now, &out) }
        case .startingLoad, .steadyBefore, .waitingForRole, .applyingEnvironment,
            .provingEnvironment, .closingEnvironment:
            ending = "interrupted: \(Signal.name(signal))"
            endTrial(now, &out)
        case .readingBack:
            giveUpReading(now, &out)
            collect(now, &out)
        case .stoppingLoad, .collecting, .judging:
            break
        case .idle, .building, .startingServices, .provingPaths:
            ending = "interrupted: \(Signal.name(signal))"
            tearDown(now, &out)
        case .tearingDown, .finished: break
        }
    }
}
