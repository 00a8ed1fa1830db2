import DrillCore

/// Undoing: by order, and of everything.
extension AgentMachine {
    mutating func undo(_ number: Int, for request: Int, _ out: inout [Directive]) {
        guard let index = index(of: number) else {
            let failure = LabFailure(
                kind: .failed, message: "change \(number) is not open: it was undone already")
            return out.append(.answer(request: request, .failed(failure)))
        }
        held[index].waiting.append(request)
        // One that is under way is undone when it is done; one that is being undone is answered with the first.
        if held[index].progress == .applied { startUndo(index, &out) }
    }

    func startUndoTicket(_ index: Int) -> Directive { .commit(.undo(held[index].record.number)) }

    mutating func startUndo(_ index: Int, _ out: inout [Directive]) {
        held[index].progress = .checking
        out.append(startUndoTicket(index))
    }

    mutating func close(
        _ index: Int, _ verdict: HealVerdict, _ message: String?, _ out: inout [Directive]
    ) {
        let one = held.remove(at: index)
        let outcome = UndoOutcome(record: one.record, verdict: verdict, message: message)
        if verdict == .restoreFailed { unrestored.append(outcome) }
        out.append(
            .append(
                .closed(
                    one.record.number, verdict, by: healing?.by ?? .plan, message: message)))
        if let request = one.request {
            let failure = one.failure ?? LabFailure(kind: .failed, message: "taken back")
            out.append(.answer(request: request, .failed(failure.adding(outcome))))
        }
        for request in one.waiting {
            out.append(.answer(request: request, .undone(verdict, message)))
        }
        // Its undoing may still be ordered: by who did not order this one, or was told that the change failed.
        if one.waiting.isEmpty, healing != nil || one.request != nil { healed.append(outcome) }
        healing?.outcomes.append(outcome)
        healNext(&out)
    }

    mutating func heal(by: HealedBy, why: String, _ out: inout [Directive]) {
        // The first reason stays; all is undone either way.
        guard healing == nil else { return }
        healing = Healing(by: by, why: why)
        healNext(&out)
    }

    /// The last first, one at a time. What is under way comes when it is done: a command that takes a minute must not
    /// keep a cut link cut.
    mutating func healNext(_ out: inout [Directive]) {
        guard let healing else { return }
        if isUndoing { return }
        if let index = held.lastIndex(where: { $0.progress == .applied }) {
            return startUndo(index, &out)
        }
        guard held.isEmpty else { return }
        self.healing = nil
        out.append(.healed(by: healing.by, why: healing.why, healing.outcomes))
    }

    mutating func abandon(_ why: String, _ out: inout [Directive]) {
        isAbandoned = true
        stopped = why
        let failure = LabFailure(kind: .failed, message: "nothing is changed any more: \(why)")
        for one in held {
            let requests: [Int] =
                switch one.progress {
                case .committing(let request), .performing(let request): [request]
                case .applied, .checking, .undoing: one.request.map { [$0] } ?? []
                }
            for request in requests + one.waiting {
                out.append(.answer(request: request, .failed(failure)))
            }
        }
        held = []
        healing = nil
        out.append(.abandon(why: why))
    }

    func refuse(_ event: Event, _ out: inout [Directive]) {
        let failure = LabFailure(
            kind: .failed, message: "nothing is changed any more: \(stopped ?? "")")
        switch event {
        case .change(let request, _), .pass(let request), .undo(let request, _),
            .renew(let request), .committed(.pass(let request), _),
            .unwritten(.pass(let request), _):
            out.append(.answer(request: request, .failed(failure)))
        case .beginLease, .endLease, .committed, .unwritten, .performed, .failed, .refused, .undone,
            .settled,
            .tick,
            .peerDied, .heal, .end:
            break
        }
    }
}

extension LabFailure {
    /// The failure of a change, with what could not be taken back of it.
    func adding(_ outcome: UndoOutcome) -> LabFailure {
        guard outcome.verdict == .restoreFailed else { return self }
        var failure = self
        failure.message += "; and it could not be taken back: \(outcome.message ?? "")"
        return failure
    }
}
