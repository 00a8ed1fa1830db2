package import DrillCore

/// What became of acknowledged writes (docs/MEASUREMENT.md, "Acknowledged writes").
package struct WritesAnalysis: Hashable, Sendable {
    package var writes: WritesReport?
    package var verify: VerifyReport?
    package var rpoWrites = Measure.unknown("")
    package var rpo = Measure.unknown("")
    /// `tail` or `scattered`; nil where nothing is lost.
    package var lossPattern: String?
    /// The hosts differ on so many writes; nil where fewer than two were read.
    package var differing: Int?
    /// Nil without a ledger.
    package var marks: LedgerMarks?

    package static func analyze(_ context: TrialContext) -> WritesAnalysis {
        let traces = context.ledgers
        guard !traces.isEmpty || context.scenario.workloads.contains(where: \.isLedger) else {
            return without("writes are not verified by this workload")
        }
        let ledger = LedgerWrites(traces)
        let sweeps = VerifySweep.collect(context.events, of: ledger)
        let second = sweeps[2]
        let answers = second.flatMap { context.authority(of: $0) }
        let first = sweeps[1].flatMap { sweep in
            isFinished(sweep, ledger, context) ? context.authority(of: sweep) : nil
        }
        let found = Findings(ledger, first: first, second: answers)
        let anchor = LossAnchor.find(
            context, firstLost: found.lost.first.map { ledger.writes[$0].completed })
        let divergent = found.lost.filter { index in
            anchor.map { ledger.writes[index].completed > $0.high } ?? false
        }
        var analysis = WritesAnalysis()
        analysis.differing = second?.differing(servers: context.servers)
        analysis.writes = WritesReport(
            acknowledged: ledger.acknowledged.count,
            lost: answers == nil ? nil : found.lost.count,
            lostAtFailover: found.lostAtFailover,
            lostByFailback: answers == nil ? nil : found.lostByFailback,
            resurrected: answers == nil ? nil : found.resurrected,
            divergent: answers == nil || anchor == nil ? nil : divergent.count,
            divergence: span(divergent, ledger), diverged: analysis.differing.map { $0 > 0 },
            indeterminate: ledger.writes.count { $0.state == .indeterminate },
            indeterminatePresent: answers == nil ? nil : found.indeterminatePresent,
            failedPresent: answers == nil && first == nil ? nil : found.failedPresent,
            unread: found.unread)
        if context.isBackInStep == false { analysis.writes?.diverged = nil }
        if !sweeps.isEmpty {
            let last = second ?? sweeps[1]
            analysis.verify = VerifyReport(
                sweeps: sweeps.values.filter { !$0.answers.isEmpty }.map(\.number).sorted(),
                readLevel: [second, sweeps[1]].lazy.compactMap {
                    $0?.readLevel(servers: context.servers)
                }.first,
                hosts: (last?.hosts ?? []).map(\.rawValue))
        }
        analysis.marks = found.marks(ledger, first: first, second: answers, anchor: anchor)
        let point = RecoveryPoint(ledger, lost: found.lost, anchor: anchor)
        analysis.lossPattern = point.pattern
        if let doubt = doubt(found, ledger, sweeps, context) {
            analysis.rpo = .unknown(doubt)
            analysis.rpoWrites = .unknown(doubt)
            // One lost write refutes that none is lost, whatever the others are.
            if !found.lost.isEmpty { analysis.rpoWrites.low = Double(found.lost.count) }
        } else {
            let count = Double(found.lost.count)
            analysis.rpoWrites = .measured(count, low: count, high: count)
            analysis.rpo = point.measure
        }
        return analysis
    }

    private static func without(_ reason: String) -> WritesAnalysis {
        WritesAnalysis(rpoWrites: .notApplicable(reason), rpo: .notApplicable(reason))
    }

    /// Whether every write that the sweep had to read was read. Without the reader's word it had to read what was
    /// acknowledged before it began; with it, at least what was acknowledged before the first fault.
    private static func isFinished(
        _ sweep: VerifySweep, _ ledger: LedgerWrites, _ context: TrialContext
    ) -> Bool {
        guard !sweep.answers.isEmpty, sweep.facts.allSatisfy({ $0.failure == nil }),
            let answers = context.authority(of: sweep)
        else { return false }
        let before =
            sweep.facts.isEmpty
            ? sweep.interval.low
            : min(context.firstT0?.low ?? sweep.interval.low, sweep.interval.low)
        return ledger.acknowledged.allSatisfy { index in
            ledger.writes[index].completed >= before || answers[index] == .present
                || answers[index] == .missing
        }
    }

    private static func span(_ divergent: [Int], _ ledger: LedgerWrites) -> Double? {
        guard let first = divergent.first, let last = divergent.last else { return nil }
        return (ledger.writes[last].completed - ledger.writes[first].completed).milliseconds
    }

    /// Why nobody can say how many writes are lost; nil where all is known.
    private static func doubt(
        _ found: Findings, _ ledger: LedgerWrites, _ sweeps: [Int: VerifySweep],
        _ context: TrialContext
    ) -> String? {
        if context.ledgers.isEmpty { return "there is no write of the ledger" }
        if sweeps[2]?.answers.isEmpty ?? true {
            let why = sweeps[2]?.facts.compactMap { facts in
                facts.failure.map { "\(facts.host): \($0)" }
            }
            if let why, !why.isEmpty {
                return "no write was read back: \(why.joined(separator: "; "))"
            }
            switch TrialEnd(context.end) {
            case .complete: return "no write was read back at the end"
            case .cutOff: return "the run was cut off before its writes were read back"
            case .abort, .notReady, .noSteadyState, .steadyStateLost, .interrupted,
                .injectionFailed, .capability, .stepNotBegun, .labFailed, .healedEarly:
                return "the trial ended before its writes were read back"
            }
        }
        if found.unread > 0 {
            return
                "\(found.unread) of \(ledger.acknowledged.count) acknowledged writes were not read back"
        }
        if found.undecided > 0 {
            return
                "hosts differ on \(found.undecided) acknowledged writes, and none of them was known as the primary"
        }
        if found.failedPresent > 0 {
            return
                "\(found.failedPresent) refused writes are there all the same: phantoms, or refusals that were none"
        }
        return nil
    }

    /// Counts over the ledger, by the answers that speak for the system.
    private struct Findings {
        /// In the order of completion.
        var lost: [Int] = []
        var lostAtFailover: Int?
        var lostByFailback: Int?
        var resurrected: Int?
        var unread = 0
        var undecided = 0
        var indeterminatePresent = 0
        var failedPresent = 0

        init(_ ledger: LedgerWrites, first: [VerifySweep.Answer]?, second: [VerifySweep.Answer]?) {
            if first != nil {
                lostAtFailover = 0
                lostByFailback = 0
                resurrected = 0
            }
            for index in ledger.acknowledged {
                let before = first?[index] ?? .unread
                let after = second?[index] ?? .unread
                if before == .missing { lostAtFailover? += 1 }
                switch after {
                case .missing:
                    lost.append(index)
                    if before == .present { lostByFailback? += 1 }
                case .present: if before == .missing { resurrected? += 1 }
                case .unread: unread += 1
                case .undecided: undecided += 1
                }
            }
            countUnacknowledged(ledger, first, second)
        }

        private mutating func countUnacknowledged(
            _ ledger: LedgerWrites, _ first: [VerifySweep.Answer]?, _ second: [VerifySweep.Answer]?
        ) {
            for (index, write) in ledger.writes.enumerated() {
                switch write.state {
                case .acknowledged: break
                case .indeterminate: if second?[index] == .present { indeterminatePresent += 1 }
                case .failed:
                    if second?[index] == .present || first?[index] == .present {
                        failedPresent += 1
                    }
                }
            }
        }

        func marks(
            _ ledger: LedgerWrites, first: [VerifySweep.Answer]?, second: [VerifySweep.Answer]?,
            anchor: InstantInterval?
        ) -> LedgerMarks {
            var marks = LedgerMarks()
            for index in ledger.acknowledged {
                let completed = ledger.writes[index].completed
                switch second?[index] ?? .unread {
                case .missing:
                    if let anchor, completed > anchor.high {
                        marks.divergent.append(completed)
                    } else {
                        marks.lost.append(completed)
                    }
                case .present:
                    marks.kept.append(completed)
                    if first?[index] == .missing { marks.resurrected.append(completed) }
                case .unread, .undecided: marks.unread.append(completed)
                }
            }
            return marks
        }
    }
}

extension Workload {
    package var isLedger: Bool { operation == .ledger }
}

extension TrialContext {
    /// Streams whose writes have keys of their own. A history made by hand may have writes of a workload that only reads.
    package var ledgers: [StreamTrace] {
        traces.filter {
            $0.workload.operation != .register && $0.name.rawValue.hasSuffix("/write")
        }
    }

    /// Hosts that hold data; what is told under any other name was asked through the clients' endpoint.
    package var servers: Set<HostName> {
        if let roles = system.roles { return Set(roles.among) }
        let askers = scenario.workloads.compactMap { workload -> HostName? in
            if case .host(let host) = workload.from { host } else { nil }
        }
        return Set(events.compactMap(\.readHost)).subtracting(askers)
    }

    /// False: a probe says that redundancy did not come back, so that hosts may differ.
    package var isBackInStep: Bool? {
        let states = steps.compactMap { record -> Redundancy? in
            record.t0.map {
                Redundancy.measure(
                    of: record, t0: $0, nextT0: nextT0(after: $0.low),
                    every: system.redundancy?.every, events: events)
            }
        }
        guard system.redundancy != nil, !states.isEmpty else { return nil }
        return states.allSatisfy { $0.state != .lost || $0.t6 != nil }
    }

    func authority(of sweep: VerifySweep) -> [VerifySweep.Answer]? {
        sweep.authority(servers: servers, primary: claims.holder(at: sweep.interval.high))
    }
}

extension HistoryEvent {
    fileprivate var readHost: HostName? {
        if case .verify(_, let host, _, _) = kind { host } else { nil }
    }
}
