internal import DrillCore
internal import DrillFaults

/// Puts back what the steps changed.
extension RunMachine {
    mutating func healAll(by: HealedBy, _ now: RunInstant, _ out: inout [RunDirective]) {
        for index in steps.indices.reversed() where steps[index].phase == .active {
            heal(index, by: by, now, &out)
        }
        for index in steps.indices where steps[index].phase == .injecting {
            // What was asked for is answered first; nothing further is asked.
            steps[index].healedBy = by
            if let plan = steps[index].plan { steps[index].next = plan.inject.count }
            if steps[index].open == 0 { heal(index, by: by, now, &out) }
        }
    }

    mutating func heal(
        _ index: Int, by: HealedBy, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        steps[index].heals = steps[index].undoing
        guard !steps[index].heals.isEmpty else {
            steps[index].phase = .done
            return
        }
        steps[index].phase = .healing
        steps[index].healedBy = by
        steps[index].next = 0
        steps[index].open = 0
        steps[index].healBegunAt = now
        steps[index].watchedUntil = now
        status("healing \(steps[index].step.actionName)", &out)
        sendHeal(index, now, &out)
    }

    mutating func sendHeal(
        _ index: Int, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        guard steps[index].open == 0, steps[index].next < steps[index].heals.count else { return }
        let operation = steps[index].next
        if operation == 0 {
            record(
                HistoryEvent(InstantInterval(now), .healBegun(step: steps[index].step.id)), &out)
        }
        steps[index].open = 1
        steps[index].next += 1
        send(
            .perform(steps[index].heals[operation]), for: .heal(step: index, operation: operation),
            &out)
    }

    /// Healing goes on past a failure; the verdict says what could not be put back.
    mutating func healReplied(
        _ index: Int, _ operation: Int, _ reply: LabReply, _ now: RunInstant,
        _ out: inout [RunDirective]
    ) {
        guard steps[index].phase == .healing else { return }
        let change = steps[index].heals[operation]
        steps[index].open -= 1
        noteEffect(of: change, now)
        changes.note(change, step: index, reply.interval)
        if let failure = reply.failure {
            steps[index].healFailures.append(failure.message)
            out.append(.note("heal of \(steps[index].step.id): \(failure.message)"))
        }
        if let met = reply.detail["met"] { steps[index].witnesses.append(met) }
        if let verdict = reply.verdict {
            steps[index].healVerdict = Self.worse(steps[index].healVerdict, verdict)
        }
        guard steps[index].open == 0, steps[index].next == steps[index].heals.count else { return }
        let failed = !steps[index].healFailures.isEmpty
        if failed { rebuild = "a heal failed" }
        steps[index].healedAt = reply.interval.high
        if !steps[index].redundancyLost { steps[index].redundantAt = reply.interval.high }
        record(
            HistoryEvent(
                InstantInterval(low: reply.interval.high, high: max(reply.interval.high, now)),
                .healed(
                    step: steps[index].step.id, by: steps[index].healedBy,
                    verdict: failed ? .restoreFailed : steps[index].healVerdict ?? .restored)),
            &out)
        if steps[index].watches.isEmpty {
            if hasLateProof(index) { proveAtEnd(index, now, &out) }
            steps[index].phase = .done
        } else {
            watchAftermath(index, now, &out)
        }
        status(phaseText, &out)
    }

    /// One of several changes that could not be restored speaks for all; what needed nothing speaks for none.
    private static func worse(_ a: HealVerdict?, _ b: HealVerdict) -> HealVerdict {
        let order: [HealVerdict] = [.notNeeded, .restored, .superseded, .restoreFailed]
        return order.last { $0 == a || $0 == b } ?? b
    }

    /// The supervisor ended, and with it all that it had changed: namespaces go with their last process, the rest was
    /// taken back by its watchdog or by us.
    mutating func healedWithout(
        _ left: String?, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        if let left { leftBehind.append(left) }
        for index in steps.indices where steps[index].isInEffect && steps[index].t0 != nil {
            if steps[index].healBegunAt == nil {
                record(
                    HistoryEvent(
                        InstantInterval(now), .healBegun(step: steps[index].step.id)), &out)
            }
            record(
                HistoryEvent(
                    InstantInterval(now),
                    .healed(
                        step: steps[index].step.id, by: .watchdog,
                        verdict: left == nil ? .restored : .restoreFailed)), &out)
        }
    }

    /// The lab took changes back without an order: what was measured from there on is not the scenario.
    mutating func healedEarly(
        _ by: HealedBy, _ why: String, _ outcomes: [HealOutcome], _ interval: InstantInterval,
        _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        out.append(.note("healed by the \(by.rawValue): \(why)"))
        for index in steps.indices where steps[index].isInEffect {
            if steps[index].phase == .injecting, steps[index].open > 0 {
                // An answer that is still to come may be that of a change that was made after all this: then it is healed.
                steps[index].healedBy = by
                if let plan = steps[index].plan { steps[index].next = plan.inject.count }
                continue
            }
            let own = outcomes.filter { steps[index].plan?.inject.contains($0.operation) == true }
            let verdict = own.map(\.verdict).reduce(nil) { Self.worse($0, $1) }
            if steps[index].healBegunAt == nil {
                record(
                    HistoryEvent(
                        InstantInterval(interval.low), .healBegun(step: steps[index].step.id)),
                    &out)
            }
            steps[index].watchedUntil = steps[index].watchedUntil ?? interval.low
            steps[index].healedAt = interval.high
            record(
                HistoryEvent(
                    interval,
                    .healed(
                        step: steps[index].step.id, by: by, verdict: verdict ?? .notNeeded)), &out)
            if hasLateProof(index) { proveAtEnd(index, now, &out) }
            steps[index].phase = .done
        }
        guard ending == nil else { return }
        ending = "healed_early: \(why)"
        rebuild = why
        if phase != .timeline { endTrial(now, &out) }
    }
}
