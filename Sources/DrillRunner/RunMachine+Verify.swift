internal import DrillCore

/// Reads the ledgers back (docs/MEASUREMENT.md, "Acknowledged writes"): from a new primary before anything is put back, and at the end.
extension RunMachine {
    /// Whether the step made a new primary whose data nobody has looked at, and clients are served by it.
    private func wantsReading(_ state: StepState) -> Bool {
        guard let t0 = state.t0, let failover = state.failoverAt, let reader,
            !state.isReadBack, state.healBegunAt == nil, reader.isOutside
        else { return false }
        return progress.stableFrom(of: reader.load).map { $0 > max(t0.high, failover) } ?? false
    }

    /// The first sweep, as soon as it can be made.
    mutating func readBackEarly(_ now: RunInstant, _ out: inout [RunDirective]) {
        if let reading {
            if ending != nil || now >= reading.limit { giveUpReading(now, &out) }
            return
        }
        guard ending == nil, let reader, steps.contains(where: wantsReading) else { return }
        for index in steps.indices where wantsReading(steps[index]) {
            steps[index].isReadBack = true
        }
        startReading(sweep: 1, by: reader, asking: reader.host, [], now, &out) { $0.decided }
    }

    /// The last sweep: what clients find, and what each host has.
    ///
    /// False where there is nothing to read, or the trial did not come to its end.
    mutating func readBackAtEnd(_ now: RunInstant, _ out: inout [RunDirective]) -> Bool {
        let isWhole =
            ending == "complete" || ending == notBegun
            || ending?.hasPrefix("steady_state_lost") == true
        guard outcome == .complete, isWhole, let reader else { return false }
        startReading(
            sweep: 2, by: reader, asking: reader.isOutside ? reader.host : nil, servers, now, &out
        ) { $0.intended }
        guard let reading else { return false }
        enter(.readingBack, phaseText, until: reading.limit, &out)
        return true
    }

    private mutating func startReading(
        sweep: Int, by reader: LedgerReader, asking endpoint: HostName?, _ servers: [LoadServer],
        _ now: RunInstant, _ out: inout [RunDirective], count: (StreamProgress) -> Int
    ) {
        readings += 1
        let limit = now + input.system.limits.verify
        let ranges = ledgers.map { ledger in
            let stream = progress.samples[ledger.load]?.last?.streams[ledger.index]
            return LedgerRange(prefix: ledger.prefix, count: stream.map(count) ?? 0)
        }
        let plan = VerifyPlan(
            sweep: sweep, client: reader.client, parameters: reader.parameters, ledgers: ranges,
            endpoint: endpoint, servers: servers,
            // It says itself why keys stayed unread, and that has to arrive.
            until: limit - min(.milliseconds(500), input.system.limits.verify / 10))
        let name = "verify-\(trial.stem)-\(readings)"
        reading = Reading(
            load: name, plan: plan, begun: now, limit: limit,
            open: [endpoint].compactMap { $0 } + servers.map(\.host))
        send(.startLoad(name, reader.host, .verify(plan)), for: .startReading(name), &out)
        status(phaseText, &out)
    }

    mutating func readerSaid(
        _ event: LoadEvent, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        switch event {
        case .verified(let batches, let facts):
            for batch in batches { take(batch, &out) }
            if let facts { take(facts, now, &out) }
        case .finished: endReading("it ended before all was read", now, &out)
        case .failed(let why): endReading(why, now, &out)
        case .started, .progress, .identified, .visible, .answered: break
        }
    }

    private func take(_ batch: VerifyBatch, _ out: inout [RunDirective]) {
        guard let plan = reading?.plan, batch.sweep == plan.sweep,
            plan.ledgers.indices.contains(batch.ledger), batch.first >= 0,
            batch.first + batch.present.count <= plan.ledgers[batch.ledger].count
        else { return }
        let prefix = plan.ledgers[batch.ledger].prefix
        for (offset, present) in batch.present.enumerated() {
            record(
                HistoryEvent(
                    batch.interval,
                    .verify(
                        sweep: batch.sweep, host: batch.host,
                        key: prefix + String(batch.first + offset), present: present)), &out)
        }
    }

    private mutating func take(
        _ facts: VerifyFacts, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        guard let current = reading, current.open.contains(facts.host) else { return }
        reading?.open.removeAll { $0 == facts.host }
        record(
            HistoryEvent(InstantInterval(low: current.begun, high: now), .verified(facts)), &out)
        if let failure = facts.failure {
            out.append(.note("reading back from \(facts.host): \(failure)"))
        }
    }

    /// Hosts of which nothing was told stay unread, for this reason.
    mutating func endReading(
        _ why: String, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        for host in reading?.open ?? [] {
            let facts = VerifyFacts(
                sweep: reading?.plan.sweep ?? 0, host: host, readLevel: "", sweeps: 0,
                failure: why)
            take(facts, now, &out)
        }
        reading = nil
        status(phaseText, &out)
    }

    /// What it says from here on is not heard.
    mutating func giveUpReading(_ now: RunInstant, _ out: inout [RunDirective]) {
        guard let current = reading else { return }
        let limit = input.system.limits.verify.spelled
        let why =
            now >= current.limit
            ? "not finished within limits.verify (\(limit))" : "cut off by the trial's end"
        send(.load(current.load, .stop(at: now)), for: .stopReading, &out)
        endReading(why, now, &out)
    }
}
