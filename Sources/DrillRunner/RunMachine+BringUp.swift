internal import DrillCore
internal import DrillFaults

/// From nothing to a steady state.
extension RunMachine {
    mutating func openLab(_ now: RunInstant, _ out: inout [RunDirective]) {
        roles = RoleTracker(input.system.roles)
        baseline = []
        exitedServices = [:]
        bootIDs = [:]
        roleWatch = nil
        watchesStarted = 0
        lastAnswers = [:]
        reading = nil
        // The end of the trial before is no end of the one that this lab is for.
        ending = nil
        notBegun = nil
        pending = [:]
        watches = [:]
        baselines = [:]
        changes = ChangeLog()
        environmentApplied = false
        baselinesStopped = false
        renewAt = now + .seconds(1)
        out.append(.openLab)
        enter(
            .building, "building the lab", until: now + input.system.limits.boot + .seconds(20),
            &out)
        send(.hello(version: input.version), for: .hello, &out)
    }

    /// Nothing is begun that the machine cannot carry through.
    mutating func greeted(_ reply: LabReply, _ now: RunInstant, _ out: inout [RunDirective]) {
        let needs = LabNeeds(input.scenario, input.system)
        let machine = LabCapabilities(detail: reply.detail)
        if let why = needs.refusal(by: machine) {
            bringUpFailed(LabFailure(kind: .capability, message: why), now, &out)
        } else if ending == nil {
            if trial == TrialName(index: 1, attempt: 1) {
                for text in LabNeeds.limitations(of: machine) { out.append(.note(text)) }
            }
            buildLab(&out)
        }
    }

    private mutating func buildLab(_ out: inout [RunDirective]) {
        let clients = Set(loadHosts)
        let hosts = input.system.hosts.map { host in
            LabHost(
                name: host.name,
                ports: host.addresses.map { entry in
                    LabPort(
                        network: entry.network, address: entry.address,
                        prefixLength: input.system.networks.first { $0.name == entry.network }?
                            .prefixLength ?? 24)
                }, isClient: clients.contains(host.name))
        }
        send(
            .build(
                LabSpec(
                    run: input.id, system: input.system.name, logs: input.folder + "/logs",
                    networks: input.system.networks, hosts: hosts)), for: .build, &out)
    }

    /// Hosts on which load may run, as far as they are known beforehand.
    private var loadHosts: [HostName] {
        input.scenario.workloads.flatMap { workload in
            switch workload.from {
            case .host(let host): [host]
            case .role: input.system.roles?.among ?? []
            case .every: topology.hosts
            }
        }
    }

    mutating func advance(_ now: RunInstant, _ out: inout [RunDirective]) {
        var before: Phase
        repeat {
            before = phase
            step(now, &out)
        } while phase != before
    }

    private mutating func step(_ now: RunInstant, _ out: inout [RunDirective]) {
        let late = phaseDeadline.map { now >= $0 } ?? false
        switch phase {
        case .idle, .judging, .finished: break
        case .building:
            if pending.isEmpty {
                startService(0, now, &out)
            } else if late {
                labFailed("the lab was not built in time", gone: false, now, &out)
            }
        case .startingServices(let index):
            if late {
                notReady(
                    "services were not ready in \(input.system.limits.ready.spelled)", now, &out)
            } else if pending.isEmpty {
                startService(index + 1, now, &out)
            }
        case .provingPaths:
            if !isOpen(Self.isBaseline) || late { pathsSeen(late, now, &out) }
        case .waitingForRole: awaitRole(late, now, &out)
        case .applyingEnvironment:
            if pending.isEmpty || !isOpen(Self.isEnvironment) {
                proveEnvironment(now, &out)
            } else if late {
                labFailed("the environment was not applied in time", gone: false, now, &out)
            }
        case .provingEnvironment: if late { environmentWatched(now, &out) }
        case .closingEnvironment:
            if !isOpen({ $0 == .stopPaths || $0 == .inspectEnvironment }) || late {
                environmentProven(now, &out)
            }
        case .startingLoad:
            if loadsStarted.count == loads.count, !loads.isEmpty {
                steadySince = now
                enter(
                    .steadyBefore, "steady state", until: now + input.system.limits.steady, &out)
            } else if late {
                labFailed("load did not start in time", gone: false, now, &out)
            }
        case .steadyBefore: awaitSteady(late, now, &out)
        case .timeline: runTimeline(now, &out)
        case .recovering: awaitRecovery(late, now, &out)
        case .stoppingLoad:
            if loadsFinished.isSuperset(of: loads) || late {
                if !readBackAtEnd(now, &out) { collect(now, &out) }
            }
        case .readingBack:
            if late { giveUpReading(now, &out) }
            if reading == nil { collect(now, &out) }
        case .collecting:
            if !isOpen({ if case .collect = $0 { true } else { false } }) || late {
                closeTrial(now, &out)
            }
        case .tearingDown: if late { toreDownLate(now, &out) }
        }
    }

    private mutating func startService(
        _ index: Int, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        guard index < input.system.services.count else {
            provePaths(now, &out)
            return
        }
        let service = input.system.services[index]
        enter(
            .startingServices(index), "starting \(service.name)",
            until: now + input.system.limits.ready + .seconds(5), &out)
        for host in service.hosts {
            guard var instance = service.instances[host] else { continue }
            instance.preparations = preparations(of: service.name)
            send(.start(host, service.name, instance), for: .start(host, service.name), &out)
        }
        for host in service.hosts {
            guard let ready = service.instances[host]?.ready, ready != .rolePrimary else {
                continue
            }
            send(
                .awaitReady(host, service.name, ready, timeout: input.system.limits.ready),
                for: .ready(host, service.name), &out)
        }
        lastStartAt = now
    }

    /// A path that answers now is what makes its later silence a proof.
    private mutating func provePaths(_ now: RunInstant, _ out: inout [RunDirective]) {
        enter(.provingPaths, "proving the network", until: now + .seconds(10), &out)
        if needsPaths { startPaths(baselineWatches, &out) }
        for from in topology.hosts {
            for to in topology.hosts where to != from {
                guard let address = topology.address(of: to) else { continue }
                send(
                    .reach(from: from, address: address, duration: .milliseconds(60)),
                    for: .baseline(from, to), &out)
            }
        }
    }

    private static func isBaseline(_ purpose: Purpose) -> Bool {
        if case .baseline = purpose { true } else { purpose == .stopPaths }
    }

    private static func isEnvironment(_ purpose: Purpose) -> Bool {
        if case .environment = purpose { true } else { false }
    }

    private mutating func pathsSeen(
        _ late: Bool, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        let open = watches.values.filter { $0.purpose == .baseline }.map(\.path.id).sorted()
        if !late, !baselinesStopped, !open.isEmpty {
            baselinesStopped = true
            send(.stopPaths(open), for: .stopPaths, &out)
            return
        }
        takeBaselines()
        pathsProven(now, &out)
    }

    private mutating func pathsProven(_ now: RunInstant, _ out: inout [RunDirective]) {
        let wanted = topology.hosts.count * (topology.hosts.count - 1)
        guard baseline.count == wanted else {
            let missing = topology.hosts.flatMap { from in
                topology.hosts.filter { $0 != from && !baseline.contains("\(from)>\($0)") }
                    .map { "\(from) -> \($0)" }
            }
            notReady("no answer on \(missing.joined(separator: ", "))", now, &out)
            return
        }
        watch(&out)
        beginTrial(now, &out)
    }

    /// Polls and log patterns; they stay for as long as the lab does.
    private mutating func watch(_ out: inout [RunDirective]) {
        if case .run(let commands, let equals, let every)? = input.system.roles?.primary {
            for (host, argv) in commands.sorted(by: { $0.key < $1.key }) {
                send(.poll("role", host, argv, equals: equals, every: every), for: .watch, &out)
            }
        }
        startRoleWatch(&out)
        if let probe = input.system.redundancy {
            for (host, argv) in probe.run.sorted(by: { $0.key < $1.key }) {
                send(
                    .poll("redundancy", host, argv, equals: probe.equals, every: probe.every),
                    for: .watch, &out)
            }
        }
    }

    mutating func beginTrial(_ now: RunInstant, _ out: inout [RunDirective]) {
        ending = nil
        notBegun = nil
        steps = []
        progress = ProgressLog(keep: progress.window)
        loads = []
        loadsStarted = []
        loadsFinished = []
        longestPoolWait = .zero
        ledgers = []
        reader = nil
        reading = nil
        steadyAt = nil
        overAt = nil
        watches = [:]
        environmentProof = nil
        enter(
            .waitingForRole, "waiting for one primary", until: now + input.system.limits.ready, &out
        )
    }

    private mutating func awaitRole(
        _ late: Bool, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        if input.system.roles != nil, roles.primary == nil {
            guard late else { return }
            let holders = roles.holders.sorted().map(\.rawValue).joined(separator: ", ")
            notReady(
                holders.isEmpty ? "no host became primary" : "more than one primary: \(holders)",
                now, &out)
            return
        }
        applyEnvironment(now, &out)
    }

    var trialSeed: UInt64 {
        var generator = SeededGenerator(
            seed: input.seed, stream: UInt64(trial.index) << 16 | UInt64(trial.attempt))
        return generator.next()
    }

    /// How long the roles must have stood still after anything was started: preempting systems move them once more.
    private var settle: Duration { input.system.limits.timer * 4 }

    /// Whether clients were served well for `duration` since `earliest` and the roles stood still meanwhile.
    func isSteady(since earliest: RunInstant, _ now: RunInstant) -> Bool {
        let wanted = input.scenario.steadyState
        guard let rate = progress.worstRate(over: wanted.duration, notBefore: earliest),
            rate >= wanted.successRate
        else { return false }
        guard input.system.roles != nil else { return true }
        guard roles.primary != nil else { return false }
        if let changed = roles.changedAt, now < changed + wanted.duration { return false }
        if let started = lastStartAt, now < started + settle { return false }
        return true
    }

    private mutating func awaitSteady(
        _ late: Bool, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        if let since = steadySince, isSteady(since: since, now) {
            steadyAt = now
            record(HistoryEvent(InstantInterval(now), .steady(phase: .before)), &out)
            beginTimeline(now, &out)
        } else if late {
            let rate = progress.worstRate(over: input.scenario.steadyState.duration)
            let seen = rate.map { "\((($0 * 1000).rounded() / 10)) %" } ?? "nothing"
            ending =
                "no_steady_state: success_rate \(seen) over the last \(input.scenario.steadyState.duration.spelled), wanted \(input.scenario.steadyState.successRate * 100) %"
            rebuild = "it was not steady"
            endTrial(now, &out)
        }
    }
}
