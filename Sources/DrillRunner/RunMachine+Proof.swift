internal import DrillCore
internal import DrillFaults

/// Whether a fault took effect, by those who should notice, for as long as it holds.
extension RunMachine {
    /// How long peers of a silent host ask, and how long they rest.
    private static let reachDuration = Duration.milliseconds(200)
    private static let reachInterval = Duration.seconds(2)
    /// When a change of a host is looked at first.
    private static let firstLook = Duration.milliseconds(300)

    // MARK: beginning

    /// The probes of links run before the first change, so that no part of the window is unseen.
    mutating func watchLinks(_ index: Int, _ out: inout [RunDirective]) {
        guard let proof = steps[index].plan?.proof, !proof.links.isEmpty else { return }
        let watches = watches(
            "\(trial.stem).\(steps[index].step.id)", proof, beside: environment,
            window: steps[index].step.leastWindow(stable: input.scenario.stable))
        steps[index].watches = watches.map(\.path.id)
        startPaths(watches, &out)
    }

    mutating func beginProof(
        _ index: Int, _ proof: ProofPlan, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        if !proof.inspections.isEmpty { steps[index].inspectAt = now + Self.firstLook }
        askPeers(index, proof, &out)
        if steps[index].probesOpen == 0 { peersAsked(index, now, &out) }
    }

    private mutating func askPeers(
        _ index: Int, _ proof: ProofPlan, _ out: inout [RunDirective]
    ) {
        let busy = Set(
            steps.indices.filter { $0 != index && steps[$0].isInEffect }.compactMap {
                steps[$0].host
            })
        let silent = proof.unreachable.filter { !busy.contains($0.from) }
        let control = proof.reachable.filter { !busy.contains($0.from) && !busy.contains($0.to) }
        steps[index].probesOpen = silent.count + control.count
        for (paths, mustAnswer) in [(silent, false), (control, true)] {
            for path in paths {
                send(
                    .reach(
                        from: path.from, address: path.address, duration: Self.reachDuration),
                    for: .probe(step: index, path, mustAnswer: mustAnswer), &out)
            }
        }
    }

    mutating func probed(
        _ index: Int, _ path: ProofPlan.Path, _ mustAnswer: Bool, _ reply: LabReply,
        _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        guard steps.indices.contains(index) else { return }
        steps[index].probesOpen -= 1
        let asked = Int(reply.detail["asked"] ?? "") ?? 0
        let answered = Int(reply.detail["answered"] ?? "") ?? 0
        let name = "\(path.from) -> \(path.to)"
        let isRepetition = !steps[index].witnesses.isEmpty && steps[index].reachRounds > 0
        var isSeen = false
        let text: String
        if let failure = reply.failure {
            text = "\(name): could not be asked: \(failure.message)"
        } else if !baseline.contains("\(path.from)>\(path.to)") {
            text = "\(name): did not answer before the fault either"
        } else {
            text = "\(name): \(answered) of \(asked) requests answered"
            isSeen = mustAnswer ? answered > 0 : answered == 0 && asked > 0
        }
        // The heal may have begun while they were being asked; and the last word on a peer is its own host's end.
        let isCounted = !isRepetition || (steps[index].phase == .active && reply.failure == nil)
        if isCounted, !isSeen { steps[index].proofFailed = true }
        if !isRepetition {
            steps[index].witnesses.append(mustAnswer ? text + " (control)" : text)
        } else if isCounted, !isSeen {
            steps[index].witnesses.append(text + " later")
        }
        if steps[index].probesOpen == 0 { peersAsked(index, now, &out) }
    }

    private mutating func peersAsked(
        _ index: Int, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        guard let t0 = steps[index].t0, let plan = steps[index].plan else { return }
        let state = steps[index]
        steps[index].reachRounds += 1
        if !plan.proof.unreachable.isEmpty { steps[index].reachAgainAt = now + Self.reachInterval }
        let asked = !plan.proof.unreachable.isEmpty
        let isProven = !state.proofFailed && !state.witnesses.isEmpty
        let interval = InstantInterval(low: t0.low, high: now)
        if asked, isProven, state.reachRounds == 0 {
            for (host, how) in plan.proof.states.sorted(by: { $0.key < $1.key }) {
                record(
                    HistoryEvent(
                        interval,
                        .proven(
                            host: host, step: state.step.id, state: how,
                            effect: state.witnesses.sorted().joined(separator: "; "))), &out)
            }
        }
        guard state.reachRounds == 0 || state.proofFailed else { return }
        let proof =
            asked && !hasLateProof(index)
            ? StepProof(proven: isProven, witnesses: state.witnesses.sorted()) : nil
        record(HistoryEvent(interval, .step(facts(index, proof))), &out)
    }

    // MARK: meanwhile

    mutating func lookAgain(_ index: Int, _ now: RunInstant, _ out: inout [RunDirective]) {
        if let at = steps[index].inspectAt, now >= at {
            steps[index].inspectAt = nil
            inspect(index, isLast: false, &out)
        }
        if let at = steps[index].reachAgainAt, now >= at, let plan = steps[index].plan {
            steps[index].reachAgainAt = nil
            askPeers(index, plan.proof, &out)
        }
    }

    private mutating func inspect(
        _ index: Int, isLast: Bool, _ out: inout [RunDirective]
    ) {
        for operation in steps[index].plan?.proof.inspections ?? [] {
            steps[index].inspectionsOpen += 1
            send(.inspect(operation), for: .inspect(step: index, isLast: isLast), &out)
        }
    }

    mutating func inspected(
        _ index: Int, _ isLast: Bool, _ reply: LabReply, _ now: RunInstant,
        _ out: inout [RunDirective]
    ) {
        steps[index].inspectionsOpen -= 1
        let isSeen = reply.failure == nil && reply.detail["proven"] == "true"
        if !isSeen { steps[index].proofFailed = true }
        let text = reply.failure?.message ?? reply.output ?? ""
        steps[index].witnesses.append((isLast ? "before the heal: " : "") + text)
        if isLast, steps[index].inspectionsOpen == 0 { steps[index].lastLook = .done }
    }

    /// Whether a planned heal may begin: what is to be seen once more before it has been.
    mutating func isSeenToTheEnd(_ index: Int, _ out: inout [RunDirective]) -> Bool {
        guard steps[index].plan?.proof.inspections.isEmpty == false else { return true }
        switch steps[index].lastLook {
        case .due:
            steps[index].inspectAt = nil
            steps[index].lastLook = .asked
            inspect(index, isLast: true, &out)
            return false
        case .asked: return false
        case .done: return true
        }
    }

    // MARK: the end

    /// Whether the whole window decides, and not its first moments.
    func hasLateProof(_ index: Int) -> Bool {
        guard let proof = steps[index].plan?.proof else { return false }
        return !proof.links.isEmpty || !proof.inspections.isEmpty
    }

    /// Its links are watched a little longer: the heal is read back, and seen.
    mutating func watchAftermath(
        _ index: Int, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        steps[index].phase = .confirming
        steps[index].confirmAt = ending == nil ? now + Self.aftermath : now
        guard ending == nil, let proof = steps[index].plan?.proof else { return }
        let watches = aftermathWatches("\(trial.stem).\(steps[index].step.id)", proof)
        steps[index].watches += watches.map(\.path.id)
        startPaths(watches, &out)
    }

    mutating func confirm(_ index: Int, _ now: RunInstant, _ out: inout [RunDirective]) {
        guard let at = steps[index].confirmAt, now >= at || ending != nil else { return }
        steps[index].confirmAt = nil
        send(.stopPaths(steps[index].watches), for: .confirm(step: index), &out)
    }

    mutating func confirmed(_ index: Int, _ now: RunInstant, _ out: inout [RunDirective]) {
        guard steps.indices.contains(index), steps[index].phase == .confirming else { return }
        proveAtEnd(index, now, &out)
        steps[index].phase = .done
    }

    /// All that was seen, of the whole window and after it.
    mutating func proveAtEnd(_ index: Int, _ now: RunInstant, _ out: inout [RunDirective]) {
        guard let t0 = steps[index].t0, let proof = steps[index].plan?.proof else { return }
        var sentences = steps[index].witnesses.sorted()
        var isProven = !steps[index].proofFailed
        // A look that was never answered proves nothing.
        let isUnseen =
            !proof.inspections.isEmpty && (steps[index].inspectionsOpen > 0 || sentences.isEmpty)
        if !proof.links.isEmpty {
            let seen = findings(
                steps[index].watches, step: index, from: t0.high,
                until: steps[index].watchedUntil ?? now)
            isProven = isProven && seen.isProven && !seen.sentences.isEmpty
            sentences += seen.sentences
        }
        if isUnseen {
            isProven = false
            sentences.append("the change was not looked at")
        }
        for id in steps[index].watches { watches[id] = nil }
        steps[index].watches = []
        steps[index].isConcluded = true
        let interval = InstantInterval(low: t0.low, high: now)
        let verdict = StepProof(proven: isProven, witnesses: sentences)
        record(HistoryEvent(interval, .step(facts(index, verdict))), &out)
    }

    private func facts(_ index: Int, _ proof: StepProof?) -> HistoryEvent.StepFacts {
        .init(
            step: steps[index].step.id, jitterNanoseconds: steps[index].jitter.nanoseconds,
            backend: steps[index].backend, keeper: "lab", proof: proof)
    }
}

extension Step {
    /// The shortest time for which its fault may be in effect.
    func leastWindow(stable: Duration) -> Duration {
        switch end {
        case .none: .zero
        case .duration(let duration): duration
        case .event(let reference, let plus, let atMost):
            // A stable stretch begins after t0 and is so long.
            reference.event == .stable && reference.step == id
                ? min(stable, atMost) + plus : plus
        case .observation: .seconds(5)
        }
    }
}
