internal import DrillCore
internal import DrillFaults

/// What holds for the whole run: attached once a lab is up, proven before each trial, never healed before teardown.
extension RunMachine {
    mutating func applyEnvironment(_ now: RunInstant, _ out: inout [RunDirective]) {
        guard !input.scenario.environment.isEmpty else {
            startLoad(now, &out)
            return
        }
        if environmentApplied {
            proveEnvironment(now, &out)
            return
        }
        environment = ProofPlan()
        var operations: [FaultOperation] = []
        do throws(FaultError) {
            for use in input.scenario.environment {
                guard let fault = FaultCatalog.named(use.fault) else {
                    throw FaultError("no fault is called '\(use.fault)'")
                }
                let plan = try fault.plan(
                    use, targets: try resolver.targets(use.target), topology: topology)
                operations += plan.inject
                environment.links += plan.proof.links
                environment.inspections += plan.proof.inspections
            }
        } catch {
            notReady("environment: \(error)", now, &out)
            return
        }
        enter(
            .applyingEnvironment, "applying the environment", until: now + .seconds(20), &out)
        for operation in operations {
            send(.perform(operation), for: .environment(operation), &out)
        }
    }

    mutating func environmentReplied(
        _ operation: FaultOperation, _ reply: LabReply, _ now: RunInstant,
        _ out: inout [RunDirective]
    ) {
        if let failure = reply.failure {
            bringUpFailed(failure, now, &out)
        } else {
            changes.note(operation, step: nil, reply.interval)
        }
    }

    /// Long enough for the rarest of its effects.
    private var environmentWindow: Duration {
        let windows = merged(environment).links.map { link in
            let effect = link.treatment.effect
            return EffectProof.demand(effect).shortest * 2 + Self.flight(effect)
        }
        return max(.seconds(1), windows.max() ?? .zero)
    }

    mutating func proveEnvironment(_ now: RunInstant, _ out: inout [RunDirective]) {
        environmentApplied = true
        let window = environmentWindow
        let watches = watches("\(trial.stem).environment", merged(environment), window: window)
        environmentWatches = watches.map(\.path.id)
        environmentSince = now + .milliseconds(50)
        startPaths(watches, &out)
        for operation in environment.inspections {
            send(.inspect(operation), for: .inspectEnvironment, &out)
        }
        enter(
            .provingEnvironment, "proving the environment",
            until: now + window + .milliseconds(100), &out)
    }

    /// Several entries on one link are seen as what they do together.
    private func merged(_ proof: ProofPlan) -> ProofPlan {
        var merged = proof
        merged.links = []
        for entry in proof.links {
            let same = proof.links.filter {
                $0.link == entry.link && $0.treatment.covers(entry.treatment.traffic)
            }
            guard
                let effect = try? LinkEffect.sum(same.map(\.treatment.effect)),
                !merged.links.contains(where: {
                    $0.link == entry.link && $0.treatment.traffic == entry.treatment.traffic
                })
            else { continue }
            merged.links.append(
                .init(
                    link: entry.link,
                    treatment: LinkTreatment(effect, traffic: entry.treatment.traffic)))
        }
        return merged
    }

    mutating func environmentWatched(_ now: RunInstant, _ out: inout [RunDirective]) {
        environmentUntil = now
        enter(.closingEnvironment, phaseText, until: now + .seconds(15), &out)
        send(.stopPaths(environmentWatches), for: .stopPaths, &out)
    }

    mutating func environmentProven(_ now: RunInstant, _ out: inout [RunDirective]) {
        let ids = environmentWatches
        environmentWatches = []
        let seen = findings(
            ids, step: nil, from: environmentSince ?? now, until: environmentUntil ?? now)
        for id in ids { watches[id] = nil }
        var broken = environmentFaults
        environmentFaults = []
        if isOpen({ $0 == .inspectEnvironment }) {
            broken.append("what is in effect was not told in time")
        }
        let proof = StepProof(
            proven: seen.isProven && broken.isEmpty, witnesses: seen.sentences + broken)
        environmentProof = proof
        guard proof.proven else {
            notReady(
                "the environment is not proven: \(proof.witnesses.joined(separator: "; "))", now,
                &out)
            return
        }
        startLoad(now, &out)
    }
}
