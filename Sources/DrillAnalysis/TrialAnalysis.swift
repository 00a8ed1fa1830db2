package import DrillCore

/// One trial as it was run: what was asked, of which system, and what was recorded.
package struct TrialInput: Hashable, Sendable {
    package var scenario: Scenario
    package var system: System
    package var history: History
    package var index: Int
    package var attempt: Int

    package init(
        scenario: Scenario, system: System, history: History, index: Int, attempt: Int = 1
    ) {
        self.scenario = scenario
        self.system = system
        self.history = history
        self.index = index
        self.attempt = attempt
    }
}

/// History -> what was measured. Pure: re-analysing an old run is a function call.
package enum TrialAnalysis {
    package static func analyze(_ input: TrialInput) -> TrialReport { examine(input).report }

    /// The report, and what became of each write of a ledger (nil without one), which only a picture shows.
    package static func examine(
        _ input: TrialInput
    ) -> (report: TrialReport, writes: LedgerMarks?) {
        let context = TrialContext(input)
        let streams = context.traces.map { StreamAnalysis($0, context) }
        let splitBrain = SplitBrain.find(
            claims: context.claims, roles: input.system.roles, exclusions: context.exclusions,
            events: context.events,
            service: DualService.find(context, from: context.steadyEvent),
            from: context.steadyEvent)
        let data = WritesAnalysis.analyze(context)
        let steps = context.steps.map { StepAnalysis.report($0, streams: streams, context) }
        let recovered = recoveries(context, streams)
        let failover = FailoverSuccess.judge(
            steps: context.steps, reports: steps, claims: context.claims,
            roles: input.system.roles, splitBrain: splitBrain,
            lostWrites: input.system.promisesNoLostWrites ? data.rpoWrites : nil,
            recovered: recovered, recordEnd: context.recordEnd)
        let validity = TrialValidity.check(context, streams: streams, steps: steps, data: data)
        let measured = zip(steps, context.steps).filter { $1.step.measured }.map(\.0.rto)
        var report = TrialReport(
            index: input.index, attempt: input.attempt, verdict: .pass, reasons: [],
            noiseK: context.traces.map(\.k).max() ?? 1,
            slow: context.traces.map { $0.workload.slow.milliseconds }.max() ?? 0,
            primaryBefore: context.primaryBefore?.rawValue,
            primaryAfter: context.claims.holder(at: context.recordEnd)?.rawValue,
            roleChanges: RoleChanges.count(context.claims.claims, from: context.steadyEvent),
            lagMax: lagMax(streams, context), poolWait: context.poolWait?.milliseconds,
            clockError: context.clockError.milliseconds, unsent: unsent(context.traces).all,
            unsentGenerator: unsent(context.traces).generator,
            inFlight: streams.reduce(0) { $0 + $1.inFlight.count },
            steadyBefore: context.steadyBefore, steadyAfter: context.steadyAfter,
            environment: context.environment, steps: steps,
            streams: streams.map(\.report),
            rto: Measure.worst(measured)
                ?? .notApplicable(
                    context.steps.isEmpty ? "a soak has no fault" : "no step is measured"),
            splitBrain: splitBrain, failover: failover, end: context.end)
        report.writes = data.writes
        report.verify = data.verify
        report.rpoWrites = data.rpoWrites
        report.rpo = data.rpo
        report.lossPattern = data.lossPattern
        report.replicationLag = ReplicationLag.measure(context)
        report.consistency = ConsistencyAnalysis.analyze(context)
        let verdict = validity.verdict(
            violations: violations(of: input.scenario.expectations, in: report))
        report.verdict = verdict.verdict
        report.reasons = verdict.reasons
        return (report, data.marks)
    }

    /// When the service was back after each step, in its worst stream.
    private static func recoveries(
        _ context: TrialContext, _ streams: [StreamAnalysis]
    ) -> [StepID: RunInstant] {
        var found: [StepID: RunInstant] = [:]
        for record in context.steps {
            let ends = streams.compactMap { stream in
                stream.charged(to: .step(record.id)).last.flatMap {
                    stream.trace.recovered($0.outage)
                }
            }
            if let latest = ends.max() { found[record.id] = latest }
        }
        return found
    }

    /// The largest lag where it matters for a number; over the whole trial where there was no fault.
    private static func lagMax(_ streams: [StreamAnalysis], _ context: TrialContext) -> Double? {
        guard !context.traces.isEmpty else { return nil }
        let lags = streams.flatMap(\.recoveries).map(\.recovery.lag)
        if let largest = lags.max() { return largest.milliseconds }
        return context.traces.map { trace in
            EngineLag.largest(in: trace, from: context.steadyUntil, to: context.recordEnd)
        }.max()?.milliseconds
    }

    private static func unsent(_ traces: [StreamTrace]) -> (all: Int, generator: Int) {
        var all = 0
        var generator = 0
        for trace in traces {
            for operation in trace.operations where operation.outcome.isUnsent {
                all += 1
                if operation.outcome == .unsentGenerator { generator += 1 }
            }
        }
        return (all, generator)
    }

    /// What this trial alone refutes, whatever the others say.
    private static func violations(
        of expectations: [Expectation], in report: TrialReport
    ) -> [String] {
        expectations.compactMap { expectation in
            switch expectation.condition {
            case .threshold(let aggregate, let comparison, _):
                switch (aggregate, comparison) {
                case (.max, .less), (.max, .lessOrEqual), (.min, .greater), (.min, .greaterOrEqual),
                    (.max, .equal), (.min, .equal):
                    break
                case (.min, _), (.median, _), (.max, _), (.percentile, _): return nil
                }
            case .never: break
            case .seen: return nil
            }
            guard
                let judged = ExpectationJudge.judge(
                    expectation, current: [report], all: [report], planned: 1, failover: nil),
                judged.verdict == .fail
            else { return nil }
            return ExpectationJudge.sentence(judged)
        }
    }
}
