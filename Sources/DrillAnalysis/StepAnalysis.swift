package import DrillCore

/// One step of the timeline over all streams: each measure is that of the worst one.
package enum StepAnalysis {
    package static func report(
        _ record: StepRecord, streams: [StreamAnalysis], _ context: TrialContext
    ) -> StepReport {
        guard let t0 = record.t0 else { return notBegun(record, context) }
        let seen = streams.compactMap { stream -> (StreamAnalysis, StreamStepReport)? in
            stream.report.steps.first { $0.step == record.id.rawValue }.map { (stream, $0) }
        }
        let worst = Measure.worstIndex(seen.map(\.1.rto)).map { seen[$0] }
        let redundancy = Redundancy.measure(
            of: record, t0: t0, nextT0: context.nextT0(after: t0.low),
            every: context.system.redundancy?.every, events: context.events)
        let noticed = firstNotice(after: t0, context)
        var report = base(record, context)
        report.rto = worst?.1.rto ?? .unknown("the trial has no operations")
        report.rtoStream = worst?.0.trace.name.rawValue
        report.recoveredBy = worst?.1.recoveredBy
        if !record.step.measured {
            report.rto = .notApplicable("a preparation has no RTO of its own")
            report.rtoStream = nil
            report.recoveredBy = nil
        }
        func largest(_ path: KeyPath<StreamStepReport, Measure>) -> Measure {
            let measures = seen.map { $0.1[keyPath: path] }
            return Measure.worst(measures) ?? measures.first
                ?? .unknown("the trial has no operations")
        }
        report.outage = largest(\.outage)
        report.brownout = largest(\.brownout)
        report.failbackOutage = largest(\.failbackOutage)
        report.downtimeEquivalent = largest(\.downtimeEquivalent)
        report.recoveryAfterHeal = largest(\.recoveryAfterHeal)
        report.detect = detect(noticed, t0: t0, context)
        report.timeWithoutRedundancy = redundancy.timeWithout
        report.redundancy = redundancy.state.rawValue
        report.instants = instants(
            record, t0: t0, worst: worst?.0, noticed: noticed, t6: redundancy.t6, context)
        return report
    }

    private static func base(_ record: StepRecord, _ context: TrialContext) -> StepReport {
        let unknown = Measure.unknown("the step did not begin")
        var fault: String?
        var action: String?
        switch record.step.action {
        case .fault(let use): fault = use.fault
        case .switchover: action = "switchover"
        }
        return StepReport(
            step: record.id.rawValue, fault: fault, action: action, measured: record.step.measured,
            role: record.role?.rawValue, host: record.host?.rawValue,
            backend: record.facts?.backend, keeper: record.facts?.keeper,
            jitter: record.facts.map { Double($0.jitterNanoseconds) / 1e6 },
            proof: record.facts?.proof ?? proof(record), healedBy: record.healedBy,
            heal: record.healVerdict, instants: .init(), rto: unknown, rtoStream: nil,
            recoveredBy: nil, outage: unknown, detect: unknown, brownout: unknown,
            timeWithoutRedundancy: unknown, failbackOutage: unknown, downtimeEquivalent: unknown,
            recoveryAfterHeal: unknown, redundancy: Redundancy.State.unknown.rawValue)
    }

    private static func proof(_ record: StepRecord) -> StepProof? {
        guard !record.proven.isEmpty else { return nil }
        return StepProof(
            proven: true,
            witnesses: record.proven.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" })
    }

    private static func notBegun(_ record: StepRecord, _ context: TrialContext) -> StepReport {
        base(record, context)
    }

    private static func firstNotice(
        after t0: InstantInterval, _ context: TrialContext
    ) -> InstantInterval? {
        context.events.first { event in
            guard case .noticed = event.kind else { return false }
            return event.interval.low >= t0.low
        }?.interval
    }

    private static func detect(
        _ noticed: InstantInterval?, t0: InstantInterval, _ context: TrialContext
    ) -> Measure {
        guard let noticed else {
            return context.system.noticed == nil
                ? .notApplicable("the system has no pattern for what it notices")
                : .unknown("no service said that it noticed")
        }
        let low = (noticed.low - t0.high).milliseconds
        let high = (noticed.high - t0.low).milliseconds
        return .measured(high, low: low, high: high)
    }

    private static func instants(
        _ record: StepRecord, t0: InstantInterval, worst: StreamAnalysis?,
        noticed: InstantInterval?, t6: RunInstant?, _ context: TrialContext
    ) -> StepReport.Instants {
        var instants = StepReport.Instants(
            t0Low: context.milliseconds(t0.low), t0High: context.milliseconds(t0.high))
        instants.t2 = noticed.map { context.milliseconds($0.high) }
        instants.t6 = t6.map(context.milliseconds)
        instants.t7 = context.steadyAgain.map(context.milliseconds)
        guard let worst else { return instants }
        let charged = worst.charged(to: .step(record.id))
        guard let first = charged.first, let last = charged.last else { return instants }
        instants.t1 = context.milliseconds(first.t1)
        guard let t5 = worst.trace.recovered(last.outage) else { return instants }
        instants.t5 = context.milliseconds(t5)
        let t3 = RoleChanges.lastAcquisition(context.claims.claims, from: t0.low, before: t5)
        guard let t3 else { return instants }
        instants.t3 = context.milliseconds(t3)
        if worst.trace.isTotal(last.outage) {
            instants.t4 = worst.trace.firstGood(sentAfter: t3).map(context.milliseconds)
        }
        return instants
    }
}

extension StreamTrace {
    /// Completion of the good operation that was sent first after an instant.
    package func firstGood(sentAfter instant: RunInstant) -> RunInstant? {
        var best: (sent: RunInstant, completed: RunInstant)?
        for index in indices(from: instant - workload.timeout, to: nil) {
            if let best, intended(index) > best.sent { break }
            guard classes[index] == .good, let completed = operations[index].completed,
                let sent = operations[index].sent, sent > instant
            else { continue }
            if best.map({ sent < $0.sent }) ?? true { best = (sent, completed) }
        }
        return best?.completed
    }
}
