package import DrillCore

/// One stream of a trial: its outages, what they are charged to, and each step as it shows it.
package struct StreamAnalysis: Sendable {
    package struct StepRecovery: Sendable {
        package var step: StepID
        package var recovery: RecoveryTime
    }

    package let trace: StreamTrace
    package let outages: [ChargedOutage]
    package let recoveries: [StepRecovery]
    /// Operations that were under way at the t0 of a step.
    package let inFlight: Set<Int>
    package let report: StreamReport

    package init(_ trace: StreamTrace, _ context: TrialContext) {
        self.trace = trace
        let detected = OutageDetection.detect(trace)
        let outages = detected.outages.map {
            Charging.charge($0, in: trace, steps: context.steps)
        }
        self.outages = outages

        var inFlight: Set<Int> = []
        var recoveries: [StepRecovery] = []
        var steps: [StreamStepReport] = []
        for record in context.steps {
            guard let t0 = record.t0 else { continue }
            let underWay = Self.underWay(at: t0.low, in: trace)
            inFlight.formUnion(underWay)
            let charged = outages.filter { $0.charges.contains(.step(record.id)) }
            let failbacks = outages.filter { $0.charges.contains(.heal(record.id)) }
            let recovery = RecoveryTime.measure(charged, of: record, t0: t0, in: trace)
            recoveries.append(StepRecovery(step: record.id, recovery: recovery))
            let window = trace.indices(from: t0.low, to: record.effectEnd)
            steps.append(
                StreamStepReport(
                    step: record.id.rawValue, rto: recovery.measure,
                    recoveredBy: recovery.recoveredBy,
                    outage: OutageLength.longest(
                        charged, rto: recovery, of: record, t0: t0, in: trace),
                    brownout: Brownout.measure(
                        from: t0.low, to: record.effectEnd,
                        successRate: context.scenario.steadyState.successRate,
                        outages: outages.map(\.outage), in: trace),
                    failbackOutage: OutageLength.failback(
                        failbacks, of: record,
                        until: record.heal.flatMap(context.nextT0(after:)), in: trace),
                    downtimeEquivalent: OutageLength.downtimeEquivalent(
                        from: t0.low, to: record.effectEnd, inFlight: underWay, in: trace),
                    recoveryAfterHeal: recovery.recoveryAfterHeal,
                    successRate: SuccessRates.of(window, in: trace)))
        }
        self.inFlight = inFlight
        self.recoveries = recoveries
        report = Self.report(
            trace, outages: outages, blips: detected.blips, steps: steps, context)
    }

    package func charged(to charge: ChargedOutage.Charge) -> [ChargedOutage] {
        outages.filter { $0.charges.contains(charge) }
    }

    /// Indices of sent operations that were intended before an instant and not decided by it, in order.
    private static func underWay(at instant: RunInstant, in trace: StreamTrace) -> [Int] {
        let oldest = instant - max(trace.workload.timeout, trace.workload.slow)
        return trace.indices(from: oldest, to: instant).filter { index in
            trace.classes[index] != .unsent && !trace.isDecided(index, by: instant)
        }
    }

    private static func report(
        _ trace: StreamTrace, outages: [ChargedOutage], blips: [Int], steps: [StreamStepReport],
        _ context: TrialContext
    ) -> StreamReport {
        let steady = trace.index(atOrAfter: context.steadyUntil)
        // Before the steady state the system was coming up: what failed then is nobody's outage.
        let listed = outages.filter { charged in
            !charged.charges.isEmpty
                || (trace.recovered(charged.outage).map { $0 > context.steadyUntil } ?? true)
        }
        let latency = Latency.measure(
            in: trace, from: context.firstT0?.low ?? context.steadyUntil)
        return StreamReport(
            stream: trace.name.rawValue, noiseK: trace.k,
            slow: trace.workload.slow.milliseconds, operations: counts(trace, from: steady),
            successRate: SuccessRates.measure(
                in: trace, steps: context.steps, steadyUntil: context.steadyUntil),
            latency: latency.corrected, naiveLatency: latency.naive, sendLag: latency.lag,
            outages: listed.map { outage(in: trace, $0, context) },
            blips: blips.count { $0 >= steady }, steps: steps)
    }

    private static func counts(_ trace: StreamTrace, from steady: Int) -> StreamReport.Counts {
        var counts = StreamReport.Counts(
            intended: trace.count, ok: 0, failed: 0, indeterminate: 0, unsent: 0,
            bad: trace.bad(steady..<trace.count))
        for operation in trace.operations {
            switch operation.outcome {
            case .ok: counts.ok += 1
            case .failed: counts.failed += 1
            case .indeterminate: counts.indeterminate += 1
            case .unsentConnection, .unsentGenerator: counts.unsent += 1
            }
        }
        return counts
    }

    private static func outage(
        in trace: StreamTrace, _ charged: ChargedOutage, _ context: TrialContext
    ) -> OutageReport {
        let extent = trace.extent(charged.outage)
        let length = OutageLength.of(charged, in: trace)
        return OutageReport(
            t1: context.milliseconds(charged.t1),
            t5: trace.recovered(charged.outage).map(context.milliseconds),
            low: length.low.milliseconds, high: length.high?.milliseconds,
            bad: trace.bad(extent), sent: trace.sent(extent),
            kind: trace.isTotal(charged.outage) ? "total" : "partial",
            chargedTo: charged.charges.map(\.spelled))
    }
}

extension StreamTrace {
    /// Nothing intended between the first and the last bad operation was good.
    package func isTotal(_ outage: Outage) -> Bool { good(extent(outage)) == 0 }
}
