internal import DrillCore
internal import DrillFaults

/// The processes that make load, and what they say.
extension RunMachine {
    mutating func startLoad(_ now: RunInstant, _ out: inout [RunDirective]) {
        openTrial(now, &out)
        if let noticed = input.system.noticed {
            send(.notice(noticed.service, text: noticed.text), for: .watch, &out)
        }
        var byHost: [(host: HostName, streams: [LoadStream])] = []
        var count = 0
        for workload in input.scenario.workloads {
            let host: HostName
            do throws(FaultError) {
                guard let found = try resolver.hosts(workload.from).first else {
                    throw FaultError("no host")
                }
                host = found
            } catch {
                notReady("workload \(workload.name): \(error)", now, &out)
                return
            }
            let streams = loadStreams(workload, first: count)
            count += streams.count
            if let index = byHost.firstIndex(where: { $0.host == host }) {
                byHost[index].streams += streams
            } else {
                byHost.append((host, streams))
            }
            noteReader(workload, host)
        }
        var seeds = SeededGenerator(seed: trialSeed, stream: 1)
        for (index, entry) in byHost.enumerated() {
            let name = loadName(entry.host)
            let suffix = index == 0 ? ".ops" : ".\(entry.host).ops"
            loads.append(name)
            for (index, stream) in entry.streams.enumerated() where stream.operation == .ledger {
                ledgers.append(LedgerStream(prefix: stream.prefix, load: name, index: index))
            }
            let plan = LoadPlan(
                seed: seeds.next(), streams: entry.streams,
                output: "\(input.folder)/\(trial.stem)\(suffix)")
            send(.startLoad(name, entry.host, .run(plan)), for: .load, &out)
        }
        enter(.startingLoad, "starting load", until: now + Self.loadPatience, &out)
    }

    /// A ledger's table is made before the first operation, and the endpoint may answer late.
    private static let loadPatience = Duration.seconds(20)

    /// The one of the trial before may have said that it finished and not have ended yet.
    private func loadName(_ host: HostName) -> String { "load-\(host)-\(trial.stem)" }

    /// The first ledger that is written from outside the pair reads all of them; else the first one.
    private mutating func noteReader(_ workload: Workload, _ host: HostName) {
        guard workload.operation == .ledger else { return }
        let isOutside = !dataHosts.contains(host)
        if let reader, reader.isOutside || !isOutside { return }
        reader = LedgerReader(
            host: host, client: workload.client, parameters: workload.parameters,
            load: loadName(host), isOutside: isOutside)
    }

    private func loadStreams(_ workload: Workload, first: Int) -> [LoadStream] {
        let n = Noise.operations(rate: workload.rate, in: input.scenario.stable)
        let k = Noise.threshold(operations: n, successRate: input.scenario.steadyState.successRate)
        let kinds = workload.lanes.flatMap { lane in
            workload.operation.kinds.map { (lane: lane, kind: $0) }
        }
        let servers = workload.operation == .get ? [] : servers
        return kinds.enumerated().map { index, entry in
            LoadStream(
                name: StreamName(workload: workload.name, lane: entry.lane, kind: entry.kind),
                client: workload.client, parameters: workload.parameters, lane: entry.lane,
                kind: entry.kind, rate: workload.rate, arrival: workload.arrival,
                timeout: workload.timeout, slow: workload.slow,
                connections: workload.connections, stable: input.scenario.stable, k: k,
                leastSent: Noise.leastSent(operations: n), operation: workload.operation,
                prefix: prefix(workload, stream: first + index), servers: servers)
        }
    }

    /// Of no other trial or run: what an earlier one left in the store is never taken for this one's. Ledgers have one a
    /// stream, and the streams of a register workload meet on its keys.
    private func prefix(_ workload: Workload, stream: Int) -> String {
        let trial = "fd:\(input.id):\(trial.index).\(trial.attempt)"
        return switch workload.operation {
        case .get: ""
        case .ledger: "\(trial):\(stream):"
        case .register: "\(trial):\(workload.name):"
        }
    }

    var dataHosts: [HostName] { input.system.dataHosts(besides: input.scenario.workloads) }

    var servers: [LoadServer] {
        dataHosts.compactMap { host in
            topology.address(of: host).map { LoadServer(host: host, address: $0) }
        }
    }

    // MARK: What they say

    mutating func handle(
        _ event: LoadEvent, of name: String, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        if name == roleWatch {
            watchSaid(event, now, &out)
        } else if name == reading?.load {
            readerSaid(event, now, &out)
        } else if loads.contains(name) {
            loadSaid(event, name, now, &out)
        }
    }

    private mutating func loadSaid(
        _ event: LoadEvent, _ name: String, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        switch event {
        case .started: loadsStarted.insert(name)
        case .progress(let streams, let at):
            progress.append(streams, of: name, at: at)
            status(phaseText, &out)
        case .finished(let wait):
            longestPoolWait = max(longestPoolWait, wait)
            loadsFinished.insert(name)
        case .identified(let host, let identity, let at):
            record(HistoryEvent(InstantInterval(at), .identity(host: host, id: identity)), &out)
        case .visible(let host, let key, let present, let interval):
            record(
                HistoryEvent(interval, .visible(host: host, key: key, present: present)), &out)
        case .verified, .answered: break
        case .failed(let why):
            loadsFinished.insert(name)
            if ending == nil { labFailed("load: \(why)", gone: false, now, &out) }
        }
    }
}
