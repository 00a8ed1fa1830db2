internal import DrillCore

/// Roles that a client asks for (`roles.primary.query`): a firedrill-load that lives as long as the lab.
extension RunMachine {
    /// How often it is started in one lab.
    private static let mostWatches = 5

    mutating func startRoleWatch(_ out: inout [RunDirective]) {
        guard let roles = input.system.roles,
            case .query(let client, let parameters, let equals, let every) = roles.primary,
            let host = watchHost
        else { return }
        watchesStarted += 1
        let name = "watch-role-\(watchesStarted)"
        roleWatch = name
        let plan = WatchPlan(
            id: "role", client: client, parameters: parameters, equals: equals, every: every,
            servers: servers)
        send(.startLoad(name, host, .watch(plan)), for: .startWatch, &out)
    }

    /// Where load runs, as long as that is none of those that are asked: a host's death is not the asker's.
    private var watchHost: HostName? {
        let among = Set(input.system.roles?.among ?? [])
        for workload in input.scenario.workloads {
            if case .host(let host) = workload.from, !among.contains(host) { return host }
        }
        return topology.hosts.first { !among.contains($0) } ?? topology.hosts.first
    }

    mutating func watchSaid(
        _ event: LoadEvent, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        switch event {
        case .answered(let answer): answered(answer, now, &out)
        case .finished: roleWatchEnded("it ended by itself", now, &out)
        case .failed(let why): roleWatchEnded(why, now, &out)
        case .started, .progress, .identified, .visible, .verified: break
        }
    }

    private mutating func answered(
        _ answer: WatchAnswer, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        guard let roles = input.system.roles, roles.among.contains(answer.host) else { return }
        if let since = unobservedSince.removeValue(forKey: answer.host) {
            record(
                HistoryEvent(
                    InstantInterval(low: since, high: max(since, answer.asked)),
                    .unobserved(host: answer.host)), &out)
        }
        lastAnswers[answer.host] = answer.answered
        // One that answers no more is not known to hold anything, as far as choosing hosts goes.
        let patience = max(.seconds(1), (roles.primary.every ?? .zero) * 4)
        for host in self.roles.holders where host != answer.host {
            if let last = lastAnswers[host], last + patience < answer.asked {
                self.roles.forget(host, at: now)
            }
        }
        observe(
            .init(
                host: answer.host, primary: answer.value, source: .poll,
                epoch: answer.identity.isEmpty ? nil : answer.identity,
                bootID: bootIDs[answer.host], asked: answer.asked, answered: answer.answered,
                term: answer.term),
            InstantInterval(low: answer.asked, high: answer.answered), now, &out)
    }

    /// Nobody sees a role until it is started again, and what was not seen is no evidence.
    mutating func roleWatchEnded(
        _ why: String, _ now: RunInstant, _ out: inout [RunDirective]
    ) {
        roleWatch = nil
        for host in input.system.roles?.among ?? [] where unobservedSince[host] == nil {
            unobservedSince[host] = now
        }
        guard expectsLab, phase != .tearingDown else { return }
        if phase == .waitingForRole {
            bringUpFailed(LabFailure(kind: .failed, message: "roles: \(why)"), now, &out)
        } else if watchesStarted < Self.mostWatches {
            out.append(.note("nobody asks for roles: \(why); once more"))
            startRoleWatch(&out)
        } else {
            out.append(.note("nobody asks for roles any more: \(why)"))
            rebuild = rebuild ?? "nobody asks for roles"
        }
    }
}
