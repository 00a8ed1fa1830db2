package import DrillCore

/// What makes a trial fail by itself, and what makes its numbers no evidence.
package struct TrialValidity: Hashable, Sendable {
    package var failures: [String]
    package var doubts: [String]
    /// What may have made good requests bad on our own side: it matters only where an expectation is violated.
    package var excuses: [String] = []

    /// An abort or a lost steady state is the system's failure whatever else is missing; then what is no evidence is
    /// inconclusive; then what the expectations say of this trial alone.
    package func verdict(violations: [String]) -> (verdict: Verdict, reasons: [String]) {
        if !failures.isEmpty { return (.fail, failures + doubts + violations) }
        if !doubts.isEmpty { return (.inconclusive, doubts + violations) }
        if !violations.isEmpty, !excuses.isEmpty { return (.inconclusive, excuses + violations) }
        return (violations.isEmpty ? .pass : .fail, violations)
    }

    package static func check(
        _ context: TrialContext, streams: [StreamAnalysis], steps: [StepReport],
        data: WritesAnalysis
    ) -> TrialValidity {
        var found = TrialValidity(failures: [], doubts: [])
        found.checkEnd(context, isOurs: Self.unsentByUs(context) > 0)
        found.doubts += context.gaps
        found.checkEnvironment(context)
        found.checkStreams(context)
        for (record, report) in zip(context.steps, steps) {
            found.checkStep(record, report, context)
        }
        found.checkStart(context, streams)
        found.checkLag(context, streams)
        found.checkData(data, context)
        return found
    }

    /// - Parameter isOurs: the load host could not send: what it did not see is not the system's failure.
    private mutating func checkEnd(_ context: TrialContext, isOurs: Bool) {
        let reason = context.end ?? ""
        switch TrialEnd(context.end) {
        case .complete: break
        case .abort, .steadyStateLost:
            if isOurs { doubts.append(reason) } else { failures.append(reason) }
        case .notReady, .noSteadyState, .interrupted, .injectionFailed, .capability, .stepNotBegun,
            .labFailed, .healedEarly:
            doubts.append(reason)
        case .cutOff: doubts.append("the record has no end: the run was cut off")
        }
    }

    private mutating func checkEnvironment(_ context: TrialContext) {
        guard !context.scenario.environment.isEmpty, context.hasFacts,
            context.environment?.proven != true,
            // Why is what the end says.
            TrialEnd(context.end) == .complete
        else { return }
        doubts.append("the environment is not proven")
    }

    private mutating func checkStreams(_ context: TrialContext) {
        for name in context.strangers {
            doubts.append("the stream \(name) belongs to no workload of the scenario")
        }
        for name in context.absent { doubts.append("there is no operation of \(name)") }
        let generator = Self.unsentByUs(context)
        if generator > 0 {
            doubts.append("\(generator) operations could not be sent by the load host itself")
        }
    }

    private static func unsentByUs(_ context: TrialContext) -> Int {
        context.traces.reduce(0) { sum, trace in
            sum + trace.operations.count { $0.outcome == .unsentGenerator }
        }
    }

    private mutating func checkStep(
        _ record: StepRecord, _ report: StepReport, _ context: TrialContext
    ) {
        guard let t0 = record.t0 else {
            // Why is what the end says, where the trial ended before it.
            if TrialEnd(context.end) == .complete {
                doubts.append("the step '\(record.id)' did not begin")
            }
            return
        }
        if record.isProven == false {
            let witnesses = record.facts?.proof?.witnesses ?? []
            let seen = witnesses.isEmpty ? "" : ": " + witnesses.joined(separator: "; ")
            doubts.append("the effect of '\(record.id)' is not proven\(seen)")
        }
        switch record.healedBy {
        case .plan?, nil: break
        case .abort?:
            switch TrialEnd(context.end) {
            // Ours, and no finding about the system: the end says why.
            case .abort, .labFailed, .injectionFailed, .capability: break
            case .complete, .notReady, .noSteadyState, .steadyStateLost, .interrupted,
                .stepNotBegun, .healedEarly, .cutOff:
                failures.append("'\(record.id)' was healed by an abort condition")
            }
        case .interrupt?:
            if TrialEnd(context.end) != .interrupted {
                doubts.append("'\(record.id)' was healed by an interrupt")
            }
        case .lease?, .watchdog?, .sweep?:
            doubts.append(
                "'\(record.id)' was healed by the \(record.healedBy?.rawValue ?? ""), not by plan")
        }
        confirmRole(record, t0, context)
        if record.step.measured, report.rto.status == .unknown {
            doubts.append("rto of '\(record.id)' is unknown: \(report.rto.reason ?? "")")
        }
    }

    /// A role that was resolved when the step began must be what the history shows at t0.
    private mutating func confirmRole(
        _ record: StepRecord, _ t0: InstantInterval, _ context: TrialContext
    ) {
        guard context.system.roles != nil, let role = record.role, let host = record.host else {
            return
        }
        let holders = context.claims.holders(at: t0.low)
        let confirmed: Bool
        switch role {
        case .primary: confirmed = holders == [host]
        case .standby: confirmed = holders.count == 1 && !holders.contains(host)
        }
        guard !confirmed else { return }
        let seen =
            holders.isEmpty
            ? "nobody" : holders.sorted().map(\.rawValue).joined(separator: " and ")
        doubts.append(
            "'\(record.id)' took \(host) for the \(role.rawValue), but at t0 \(seen) held the role")
    }

    private mutating func checkStart(_ context: TrialContext, _ streams: [StreamAnalysis]) {
        guard let t0 = context.firstT0?.low else { return }
        for stream in streams {
            let open = stream.outages.contains { charged in
                charged.t1 < t0 && (stream.trace.recovered(charged.outage).map { $0 > t0 } ?? true)
            }
            if open {
                doubts.append(
                    "an outage of \(stream.trace.name) was open when the first step began")
            }
            // The step's worst stream may be censored, and this one unsettled all the same.
            for entry in stream.recoveries where entry.recovery.unsettled {
                let measured = context.steps.contains { $0.id == entry.step && $0.step.measured }
                let sentence = "rto of '\(entry.step)' is unknown: unsettled"
                if measured, !doubts.contains(sentence) { doubts.append(sentence) }
            }
        }
    }

    private mutating func checkLag(_ context: TrialContext, _ streams: [StreamAnalysis]) {
        if !context.steps.contains(where: { $0.step.measured }) { checkSoakLag(streams) }
        for record in context.steps where record.step.measured {
            var worst: (lag: Double, tolerated: Double)?
            for stream in streams {
                guard let entry = stream.recoveries.first(where: { $0.step == record.id }) else {
                    continue
                }
                let lag = entry.recovery.lag.milliseconds
                let tolerated = EngineLag.tolerated(
                    expectations: context.scenario.expectations, rto: entry.recovery.nominal)
                if lag > tolerated, lag > worst?.lag ?? 0 { worst = (lag, tolerated) }
            }
            guard let worst else { continue }
            doubts.append(
                "the load engine was up to \(Self.short(worst.lag)) ms late around '\(record.id)', more than the tolerated \(Self.short(worst.tolerated)) ms"
            )
        }
    }

    /// A soak has no RTO that the lag would widen, and one stall of ours is enough to miss a rate of 99.99 %: answers that
    /// wait in our sockets until we read them are late. Bad requests within a time-out of an engine that was later than a
    /// tenth of it need not be the system's.
    private mutating func checkSoakLag(_ streams: [StreamAnalysis]) {
        var bad = 0
        var worst = Duration.zero
        for stream in streams {
            let timeout = stream.trace.workload.timeout
            let late = stream.trace.operations.filter { $0.dispatched - $0.intended > timeout / 10 }
            guard !late.isEmpty else { continue }
            worst = max(worst, late.map { $0.dispatched - $0.intended }.max() ?? .zero)
            var next = 0
            for (operation, kind) in zip(stream.trace.operations, stream.trace.classes)
            where kind != .good {
                while next < late.count, late[next].dispatched + timeout < operation.intended {
                    next += 1
                }
                if next < late.count, late[next].intended <= operation.intended + timeout {
                    bad += 1
                }
            }
        }
        guard bad > 0 else { return }
        excuses.append(
            "the load engine was up to \(Self.short(worst.milliseconds)) ms late within a time-out of \(bad) of the bad requests"
        )
    }

    private static func short(_ milliseconds: Double) -> Double {
        (milliseconds * 10).rounded() / 10
    }
}
