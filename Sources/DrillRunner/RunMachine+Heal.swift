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
        guard let plan = steps[index].plan, !plan.heal.isEmpty else {
            steps[index].phase = .done
            return
        }
        steps[index].phase = .healing
        steps[index].healedBy = by
        steps[index].next = 0
        steps[index].open = 0
        steps[index].healBegunAt = now
        status("healing \(steps[index].step.actionName)", &out)
        sendHeal(index, now, &out)
    }

    mutating func sendHeal(
        _ index: Int, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        guard let plan = steps[index].plan, steps[index].open == 0,
            steps[index].next < plan.heal.count
        else { return }
        let operation = steps[index].next
        if operation == 0 {
            record(
                HistoryEvent(InstantInterval(now), .healBegun(step: steps[index].step.id)), &out)
        }
        steps[index].open = 1
        steps[index].next += 1
        send(.perform(plan.heal[operation]), for: .heal(step: index, operation: operation), &out)
    }

    /// Healing goes on past a failure; the verdict says what could not be put back.
    mutating func healReplied(
        _ index: Int, _ operation: Int, _ reply: LabReply, _ now: RunInstant,
        _ out: inout [RunDirective]
    ) {
        guard let plan = steps[index].plan else { return }
        steps[index].open -= 1
        noteEffect(of: plan.heal[operation], now)
        if let failure = reply.failure {
            steps[index].healFailures.append(failure.message)
            out.append(.note("heal of \(steps[index].step.id): \(failure.message)"))
        }
        guard steps[index].open == 0, steps[index].next == plan.heal.count else { return }
        let failed = !steps[index].healFailures.isEmpty
        if failed { rebuild = "a heal failed" }
        steps[index].healedAt = reply.interval.high
        if !steps[index].redundancyLost { steps[index].redundantAt = reply.interval.high }
        steps[index].phase = .done
        record(
            HistoryEvent(
                InstantInterval(low: reply.interval.high, high: max(reply.interval.high, now)),
                .healed(
                    step: steps[index].step.id, by: steps[index].healedBy,
                    verdict: failed ? .restoreFailed : .restored)), &out)
        status(phaseText, &out)
    }
}
