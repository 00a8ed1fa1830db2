package import DrillCore

/// When both hosts were in step again (t6).
package struct Redundancy: Hashable, Sendable {
    package enum State: String, Hashable, Sendable { case lost, notLost = "not_lost", unknown }

    package var state: State
    package var t6: RunInstant?
    package var timeWithout: Measure

    private struct Answer {
        var interval: InstantInterval
        var value: Bool
        var bootID: String?
    }

    /// - Parameters:
    ///   - nextT0: earliest t0 of the next step; a loss from there on is that step's.
    ///   - every: the period of the system's probe; nil where it has none.
    package static func measure(
        of record: StepRecord, t0: InstantInterval, nextT0: RunInstant?, every: Duration?,
        events: [HistoryEvent]
    ) -> Redundancy {
        var before: Set<String> = []
        var answers: [Answer] = []
        var last = t0.high
        for event in events {
            last = max(last, event.interval.high)
            switch event.kind {
            case .redundancy(let value, let bootID):
                if event.interval.high > t0.low {
                    answers.append(Answer(interval: event.interval, value: value, bootID: bootID))
                } else if let bootID {
                    before.insert(bootID)
                }
            case .role(let observation):
                if event.interval.high <= t0.low, let bootID = observation.bootID {
                    before.insert(bootID)
                }
            case .trial, .steady, .injected, .healBegun, .healed, .proven, .unobserved, .noticed,
                .switchover, .verify, .end, .step, .identity, .visible, .verified:
                break
            }
        }
        guard every != nil || !answers.isEmpty else {
            return Redundancy(
                state: record.isNodeFault ? .lost : .unknown, t6: nil,
                timeWithout: .notApplicable("the system has no probe of its redundancy"))
        }
        answers.sort { $0.interval.low < $1.interval.low }
        return record.isNodeFault
            ? ofNodeFault(record, t0: t0, answers: answers, bootIDsBefore: before, last: last)
            : ofOtherFault(
                t0: t0, until: min(record.effectEnd ?? last, nextT0 ?? last), nextT0: nextT0,
                every: every, answers: answers, last: last)
    }

    /// - Parameter until: the end of the effect: from t0 to there it has to be known that nothing was lost.
    private static func ofOtherFault(
        t0: InstantInterval, until: RunInstant, nextT0: RunInstant?, every: Duration?,
        answers: [Answer], last: RunInstant
    ) -> Redundancy {
        guard !answers.isEmpty else {
            return Redundancy(
                state: .unknown, t6: nil,
                timeWithout: .unknown("the probe of redundancy gave no answer"))
        }
        let lost = answers.firstIndex { answer in
            !answer.value && (nextT0.map { answer.interval.low < $0 } ?? true)
        }
        guard let lost else {
            if let every, hasGap(answers, from: t0.high, to: until, every: every) {
                return Redundancy(
                    state: .unknown, t6: nil,
                    timeWithout: .unknown(
                        "the probe of redundancy gave no answer for more than two of its periods"))
            }
            return Redundancy(
                state: .notLost, t6: nil, timeWithout: .measured(0, low: 0, high: 0))
        }
        return back(answers, from: lost, t0: t0, last: last) { $0.value }
    }

    /// One answer may be missed.
    private static func hasGap(
        _ answers: [Answer], from: RunInstant, to: RunInstant, every: Duration
    ) -> Bool {
        var covered = from
        for answer in answers where answer.interval.low < to {
            if answer.interval.low > covered + every + every { return true }
            covered = max(covered, answer.interval.high)
        }
        return to > covered + every + every
    }

    /// Redundancy is gone at t0 whatever a probe says: it may be asking nobody, or remember. Where the history
    /// names boots, only an answer from a boot that was not seen before t0 counts.
    private static func ofNodeFault(
        _ record: StepRecord, t0: InstantInterval, answers: [Answer], bootIDsBefore: Set<String>,
        last: RunInstant
    ) -> Redundancy {
        let boots = record.step.actionName != "node.pause"
        if boots, answers.contains(where: { $0.bootID != nil }), !bootIDsBefore.isEmpty {
            return back(answers, from: nil, t0: t0, last: last) { answer in
                answer.value && answer.bootID.map { !bootIDsBefore.contains($0) } ?? false
            }
        }
        if let lost = answers.firstIndex(where: { !$0.value }) {
            return back(answers, from: lost, t0: t0, last: last) { $0.value }
        }
        let heal = record.heal
        return back(answers, from: nil, t0: t0, last: last) { answer in
            answer.value && heal.map { answer.interval.low >= $0 } ?? false
        }
    }

    private static func back(
        _ answers: [Answer], from lost: Int?, t0: InstantInterval, last: RunInstant,
        _ isBack: (Answer) -> Bool
    ) -> Redundancy {
        let start = lost.map { $0 + 1 } ?? 0
        guard let index = answers.indices.dropFirst(start).first(where: { isBack(answers[$0]) })
        else {
            return Redundancy(
                state: .lost, t6: nil,
                timeWithout: .censored(
                    at: max(.zero, last - t0.high).milliseconds,
                    reason: "redundancy did not come back before the end of the trial"))
        }
        let t6 = answers[index].interval.high
        let lastFalse = answers[..<index].last { !$0.value }
        let low = lastFalse.map { max(.zero, $0.interval.low - t0.high) } ?? .zero
        let high = t6 - t0.low
        return Redundancy(
            state: .lost, t6: t6,
            timeWithout: .measured(
                high.milliseconds, low: low.milliseconds, high: high.milliseconds))
    }
}
