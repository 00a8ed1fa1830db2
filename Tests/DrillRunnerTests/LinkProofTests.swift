import DrillCore
import DrillRunner
import Testing

private func use(_ fault: String, _ parameters: [String: String] = [:]) -> FaultUse {
    FaultUse(
        fault: fault,
        target: .link(LinkSelector(from: .host("a"), to: .host("b"), bothWays: false)),
        parameters: parameters)
}

private func step(
    _ id: StepID, _ use: FaultUse, at: Duration = .seconds(1),
    for length: Duration = .seconds(4)
) -> Step {
    Step(id: id, start: .at(at), action: .fault(use), end: .duration(length))
}

/// The last that was said of each step's proof.
private func proofs(_ lab: SimulatedLab) -> [StepID: StepProof] {
    var proofs: [StepID: StepProof] = [:]
    for entry in lab.recorded {
        if case .step(let facts) = entry.event.kind, let proof = facts.proof {
            proofs[facts.step] = proof
        }
    }
    return proofs
}

private let loss = use("link.loss", ["ratio": "20%"])
private let delay = use("link.delay", ["delay": "50ms"])

@Test func `a loss is proven by its packets, beside a control, and seen to be gone`() throws {
    var lab = SimulatedLab()
    let outcome = lab.run(simulatedInput([step("lossy", loss)]))
    #expect(outcome?.end == .complete)
    let proof = try #require(proofs(lab)["lossy"])
    #expect(proof.proven, "\(proof.witnesses)")
    #expect(proof.witnesses.contains { $0.hasPrefix("a -> b:") && $0.contains("lost") })
    #expect(proof.witnesses.contains { $0.hasPrefix("a -> b multicast:") })
    #expect(proof.witnesses.contains { $0.contains("(control)") })
    #expect(proof.witnesses.contains { $0.hasPrefix("a -> b after the heal:") })
}

@Test func `a fault that was accepted and does nothing is not proven`() throws {
    for use in [loss, delay, use("link.partition")] {
        var trouble = SimulatedLab.Trouble()
        trouble.hasIdleLinks = true
        var lab = SimulatedLab(trouble: trouble)
        _ = lab.run(simulatedInput([step("idle", use)]))
        let proof = try #require(proofs(lab)["idle"])
        #expect(!proof.proven, "\(use.fault): \(proof.witnesses)")
    }
}

@Test func `faults that overlap on one link are each proven beside the other`() throws {
    var lab = SimulatedLab()
    _ = lab.run(
        simulatedInput([
            step("slow", delay, at: .seconds(1), for: .seconds(6)),
            step("lossy", loss, at: .seconds(3), for: .seconds(6)),
        ]))
    let proofs = proofs(lab)
    for id: StepID in ["slow", "lossy"] {
        let proof = try #require(proofs[id])
        #expect(proof.proven, "\(id): \(proof.witnesses)")
    }
}

@Test func `a host that dies during a fault of its link leaves the rest of the window as proof`()
    throws
{
    var lab = SimulatedLab()
    let kill = Step(
        id: "kill", start: .at(.seconds(4)),
        action: .fault(FaultUse(fault: "node.kill", target: .host(.host("b")))),
        end: .duration(.seconds(2)))
    _ = lab.run(
        simulatedInput([step("lossy", loss, at: .seconds(1), for: .seconds(8)), kill]))
    let proof = try #require(proofs(lab)["lossy"])
    #expect(proof.proven, "\(proof.witnesses)")
}

@Test func `the environment is attached once, proven before each trial, and never healed`() {
    var lab = SimulatedLab()
    let outcome = lab.run(simulatedInput([], environment: [delay], trials: 2))
    #expect(outcome?.end == .complete)
    #expect(lab.closed.count == 2)
    let attached = lab.requests.filter {
        if case .perform(.lab(.attach)) = $0 { true } else { false }
    }
    #expect(attached.count == 1)
    #expect(
        !lab.requests.contains { if case .perform(.lab(.detach)) = $0 { true } else { false } })
}

@Test func `an environment that does nothing begins no trial`() {
    var trouble = SimulatedLab.Trouble()
    trouble.hasIdleLinks = true
    var lab = SimulatedLab(trouble: trouble, verdicts: [.inconclusive])
    _ = lab.run(simulatedInput([step("lossy", loss)], environment: [delay]))
    #expect(
        lab.recorded.contains {
            if case .end(let reason) = $0.event.kind {
                reason.hasPrefix("not_ready: the environment is not proven")
            } else {
                false
            }
        })
    #expect(
        !lab.recorded.contains { if case .injected = $0.event.kind { true } else { false } })
}

@Test func `a step on a link with an environment is proven beside it`() throws {
    var lab = SimulatedLab()
    _ = lab.run(simulatedInput([step("lossy", loss)], environment: [delay]))
    let proof = try #require(proofs(lab)["lossy"])
    #expect(proof.proven, "\(proof.witnesses)")
}

@Test func `what the lab healed without an order ends the trial`() throws {
    var trouble = SimulatedLab.Trouble()
    trouble.healsAt = .seconds(6)
    var lab = SimulatedLab(trouble: trouble, verdicts: [.inconclusive, .pass])
    let outcome = lab.run(
        simulatedInput([step("lossy", loss, for: .seconds(20))], trials: 1, retries: 1))
    #expect(outcome?.end == .complete)
    let first = lab.recorded.filter { $0.trial.attempt == 1 }.map(\.event.kind)
    #expect(first.contains(.healed(step: "lossy", by: .lease, verdict: .restored)))
    #expect(first.contains(.end(reason: "healed_early: the lease was over")))
    #expect(lab.supervisors == 2, "the next attempt has a new lab")
}

/// The order was on its way when the lab healed, and was carried out after that.
@Test(arguments: ["node.pause", "node.kill", "link.down"])
func `what is injected after the lab has healed everything is healed, too`(fault: String) throws {
    let use = FaultUse(fault: fault, target: .host(.role(.primary)))
    let step = Step(
        id: "it", start: .at(.seconds(1)), action: .fault(use), end: .duration(.seconds(5)))
    var first = SimulatedLab()
    _ = first.run(simulatedInput([step], trials: 1))
    let injections = first.requests.indices.filter {
        guard case .perform(let operation) = first.requests[$0] else { return false }
        return operation.inverse != nil
    }
    #expect(injections.count == (fault == "link.down" ? 1 : 2))
    for (index, isRefused) in injections.flatMap({ [($0, false), ($0, true)] }) {
        var trouble = SimulatedLab.Trouble()
        trouble.healsBeforeRequest = index + 1
        trouble.refusesHealed = isRefused
        var lab = SimulatedLab(trouble: trouble, verdicts: [.inconclusive])
        _ = lab.run(simulatedInput([step], trials: 1, retries: 0))
        #expect(lab.leftAtTeardown == [], "request \(index + 1)")
        let events = lab.recorded.map(\.event.kind)
        #expect(events.last == .end(reason: "healed_early: the emulator ended"))
        // Nobody aborted: that would be a finding about the system.
        #expect(
            !events.contains { if case .healed(_, .abort, _) = $0 { true } else { false } })
    }
}

/// Between its silence and its death, too, and between its death and its boot.
@Test(arguments: ["node.kill", "node.reboot", "node.pause"])
func `a fault that is interrupted half-way is undone as far as it came`(fault: String) throws {
    let use = FaultUse(fault: fault, target: .host(.role(.primary)))
    let end: Step.End = fault == "node.reboot" ? .none : .duration(.seconds(5))
    let step = Step(id: "it", start: .at(.seconds(1)), action: .fault(use), end: end)
    var whole = SimulatedLab()
    _ = whole.run(simulatedInput([step], trials: 1))
    #expect(whole.leftAtTeardown == [])
    for request in 1...whole.requests.count {
        var trouble = SimulatedLab.Trouble()
        trouble.interruptAtRequest = request
        var lab = SimulatedLab(trouble: trouble, verdicts: [.inconclusive])
        _ = lab.run(simulatedInput([step], trials: 1, retries: 0))
        #expect(lab.leftAtTeardown == [], "request \(request)")
    }
}

@Test func `the lab hears every second that its controller lives`() {
    var lab = SimulatedLab()
    _ = lab.run(simulatedInput([step("lossy", loss)]))
    let renewals = lab.requests.count { $0 == .renew }
    #expect(renewals >= 8)
}
