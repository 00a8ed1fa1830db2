import DrillCore
import DrillRunner
import Testing

private let instance = ServiceInstance(directory: "/run/firedrill/web", run: ["web"])
private let service = ServiceName("web")

func simulatedInput(
    _ timeline: [Step], environment: [FaultUse] = [], trials: Int = 1, retries: Int = 0,
    aborts: [AbortCondition] = [],
    observe: Duration = .seconds(5), switchover: SwitchoverAction? = nil, keepLab: Bool = false
) -> RunInput {
    let main = NetworkName("main")
    return RunInput(
        scenario: Scenario(
            name: "test", trials: trials, retries: retries, environment: environment,
            workloads: [
                Workload(name: "web", client: "http", rate: 500, lanes: [.fresh, .kept])
            ], timeline: timeline, observe: observe, aborts: aborts),
        system: System(
            name: "pair", networks: [Network(name: main, subnet: "10.77.0.0/24")],
            hosts: [
                Host(name: "a", addresses: [(main, "10.77.0.11")]),
                Host(name: "b", addresses: [(main, "10.77.0.12")]),
                Host(name: "client", addresses: [(main, "10.77.0.100")]),
            ],
            services: [
                Service(
                    name: service, hosts: ["a", "b"], instances: ["a": instance, "b": instance])
            ],
            roles: Roles(among: ["a", "b"], primary: .holds(address: "10.77.0.10")),
            switchover: switchover),
        seed: 7, id: "run", folder: "/nowhere", keepLab: keepLab, version: "test")
}

private func fault(
    _ name: String, _ target: FaultTarget = .host(.role(.primary)),
    parameters: [String: String] = [:]
)
    -> Step.Action
{
    .fault(FaultUse(fault: name, target: target, parameters: parameters))
}

private func kill(_ id: StepID = "kill", end: Step.End = .duration(.seconds(3))) -> Step {
    Step(id: id, start: .at(.seconds(1)), jitter: .seconds(1), action: fault("node.kill"), end: end)
}

private func names(_ lab: SimulatedLab) -> [String] {
    lab.recorded.map { entry in
        switch entry.event.kind {
        case .trial: "trial"
        case .steady(let phase): "steady \(phase.rawValue)"
        case .injected(let step, _, let host, let role):
            "injected \(step) \(host?.rawValue ?? "-") \(role?.rawValue ?? "-")"
        case .healBegun(let step): "heal_begun \(step)"
        case .healed(let step, let by, let verdict):
            "healed \(step) \(by?.rawValue ?? "-") \(verdict.rawValue)"
        case .role(let role): "role \(role.host) \(role.primary)"
        case .proven(let host, _, let state, _): "proven \(host) \(state.rawValue)"
        case .unobserved, .redundancy, .noticed, .verify, .identity, .visible, .verified: "other"
        case .switchover(_, let from, let to):
            "switchover \(from?.rawValue ?? "-") \(to?.rawValue ?? "-")"
        case .end(let reason): "end \(reason)"
        case .step(let facts): "step \(facts.step) \(facts.proof?.proven.description ?? "-")"
        }
    }
}

@Test func `a killed primary is proven dead, healed by the plan, and the trial is complete`() {
    var lab = SimulatedLab()
    let outcome = lab.run(simulatedInput([kill()]))
    #expect(outcome == RunOutcome(end: .complete, leftBehind: []))
    #expect(
        names(lab) == [
            "trial", "role a true", "role b false", "steady before", "injected kill a primary",
            "proven a dead", "step kill true", "role b true", "heal_begun kill",
            "healed kill plan restored", "steady after", "trial", "end complete",
        ])
    #expect(!lab.isUp)
}

@Test func `each trial finds the primary anew`() {
    var lab = SimulatedLab()
    _ = lab.run(simulatedInput([kill()], trials: 3))
    let killed = names(lab).filter { $0.hasPrefix("injected") }
    #expect(
        killed == [
            "injected kill a primary", "injected kill b primary", "injected kill a primary",
        ])
    #expect(lab.supervisors == 1, "the lab is reused")
    #expect(lab.closed.map(\.stem) == ["trial-1", "trial-2", "trial-3"])
}

@Test func `an inconclusive trial is repeated as often as the scenario says`() {
    var lab = SimulatedLab(verdicts: [.inconclusive, .pass, .inconclusive, .inconclusive])
    _ = lab.run(simulatedInput([kill()], trials: 2, retries: 1))
    #expect(lab.closed.map(\.stem) == ["trial-1", "trial-1.2", "trial-2", "trial-2.2"])
}

@Test func `until stable ends the step after the event and its plus`() throws {
    var lab = SimulatedLab()
    let end = Step.End.event(
        EventReference(step: "kill", event: .stable), plus: .seconds(2), atMost: .seconds(60))
    _ = lab.run(simulatedInput([kill(end: end)]))
    let events = lab.recorded.map(\.event)
    let t0 = try #require(events.first { if case .injected = $0.kind { true } else { false } })
    let heal = try #require(events.first { if case .healBegun = $0.kind { true } else { false } })
    // 400 ms to take over, 1 s of a clean stretch, 2 s more; progress comes every 50 ms.
    let length = (heal.interval.low - t0.interval.high).milliseconds
    #expect(length >= 3400 && length <= 3600, "\(length)")
}

@Test func `at_most bounds the wait for the event and not what follows it`() throws {
    var lab = SimulatedLab()
    let end = Step.End.event(
        EventReference(step: "kill", event: .stable), plus: .seconds(4), atMost: .seconds(3))
    _ = lab.run(simulatedInput([kill(end: end)]))
    let events = lab.recorded.map(\.event)
    let t0 = try #require(events.first { if case .injected = $0.kind { true } else { false } })
    let heal = try #require(events.first { if case .healBegun = $0.kind { true } else { false } })
    let length = (heal.interval.low - t0.interval.high).milliseconds
    #expect(length >= 5400 && length <= 5600, "\(length)")
}

@Test func `an event that does not come ends the step at its limit`() throws {
    var trouble = SimulatedLab.Trouble()
    trouble.neverTakesOver = true
    var lab = SimulatedLab(trouble: trouble)
    let end = Step.End.event(
        EventReference(step: "kill", event: .stable), plus: .seconds(2), atMost: .seconds(9))
    _ = lab.run(simulatedInput([kill(end: end)]))
    let events = lab.recorded.map(\.event)
    let t0 = try #require(events.first { if case .injected = $0.kind { true } else { false } })
    let heal = try #require(events.first { if case .healBegun = $0.kind { true } else { false } })
    #expect((heal.interval.low - t0.interval.high).milliseconds.rounded() == 9000)
}

@Test(arguments: ["node.kill", "node.pause", "node.reboot"])
func `a node fault takes redundancy away until its host is back, whatever a probe says`(
    _ name: String
) throws {
    var trouble = SimulatedLab.Trouble()
    trouble.alwaysRedundant = true
    var lab = SimulatedLab(trouble: trouble)
    let first = Step(
        id: "first", action: fault(name, .host(.host("a")), parameters: ["off": "3s"]),
        end: name == "node.reboot" ? .none : .duration(.seconds(3)))
    let second = Step(
        id: "second",
        start: .after(
            EventReference(step: "first", event: .redundant), plus: .zero, atMost: .seconds(20)),
        action: fault("process.kill", .host(.host("b")), parameters: ["service": "web"]),
        end: .duration(.seconds(1)))
    var wanted = simulatedInput([first, second])
    wanted.system.redundancy = Probe(
        host: .host("b"), run: ["b": ["in-step"]], equals: "yes", every: .milliseconds(50))
    _ = lab.run(wanted)
    let begins = lab.recorded.compactMap { entry in
        if case .injected = entry.event.kind { entry.event.interval.low } else { nil }
    }
    try #require(begins.count == 2, "\(names(lab))")
    let between = (begins[1] - begins[0]).milliseconds
    #expect(between >= 3000 && between < 4000, "\(between)")
}

@Test func `of three that share the role, any that is not primary tells of redundancy`() throws {
    var trouble = SimulatedLab.Trouble()
    trouble.alwaysRedundant = true
    var lab = SimulatedLab(trouble: trouble)
    let first = Step(
        id: "first", action: fault("node.kill", .host(.host("b"))), end: .duration(.seconds(3)))
    let second = Step(
        id: "second",
        start: .after(
            EventReference(step: "first", event: .redundant), plus: .zero, atMost: .seconds(20)),
        action: fault("process.kill", .host(.host("b")), parameters: ["service": "web"]),
        end: .duration(.seconds(1)))
    var wanted = simulatedInput([first, second])
    // The first standby is not the one that comes back.
    wanted.system.hosts.append(Host(name: "x", addresses: [("main", "10.77.0.13")]))
    wanted.system.roles = Roles(among: ["a", "x", "b"], primary: .holds(address: "10.77.0.10"))
    wanted.system.redundancy = Probe(
        host: .role(.standby), run: ["b": ["in-step"], "x": ["in-step"]], equals: "yes",
        every: .milliseconds(50))
    _ = lab.run(wanted)
    let begun = lab.recorded.filter { entry in
        if case .injected = entry.event.kind { true } else { false }
    }
    #expect(begun.count == 2, "\(names(lab))")
}

@Test func `a step whose event does not come is left undone and the trial says so`() {
    var trouble = SimulatedLab.Trouble()
    trouble.neverTakesOver = true
    var lab = SimulatedLab(trouble: trouble)
    let second = Step(
        id: "second",
        start: .after(
            EventReference(step: "kill", event: .failover), plus: .zero, atMost: .seconds(2)),
        action: fault("process.kill", .host(.host("b")), parameters: ["service": "web"]),
        end: .duration(.seconds(1)))
    _ = lab.run(simulatedInput([kill(), second]))
    #expect(names(lab).contains("healed kill plan restored"))
    #expect(
        names(lab).last == "end step_not_begun: second: the event that it waits for did not come")
}

@Test func `a host that still answers is no proof`() {
    var trouble = SimulatedLab.Trouble()
    trouble.leaks = true
    var lab = SimulatedLab(trouble: trouble)
    _ = lab.run(simulatedInput([kill()]))
    #expect(names(lab).contains("step kill false"))
    #expect(!names(lab).contains("proven a dead"))
    #expect(lab.recorded.contains { $0.event.kind == .unobserved(host: "a") })
}

@Test func `an abort condition heals at once and names itself`() {
    var trouble = SimulatedLab.Trouble()
    trouble.neverTakesOver = true
    var lab = SimulatedLab(trouble: trouble)
    let abort = AbortCondition(
        comparison: .less, successRate: 0.5, duration: .seconds(2),
        text: "success_rate < 50% for 2s")
    _ = lab.run(simulatedInput([kill(end: .duration(.seconds(60)))], aborts: [abort]))
    #expect(names(lab).contains("healed kill abort restored"))
    #expect(names(lab).last == "end abort: success_rate < 50% for 2s")
}

@Test func `an abort condition holds to the trial's end`() {
    var trouble = SimulatedLab.Trouble()
    trouble.neverTakesOver = true
    trouble.failing = { if case .perform(.lab(.boot)) = $0 { true } else { false } }
    var lab = SimulatedLab(trouble: trouble)
    let abort = AbortCondition(
        comparison: .less, successRate: 0.5, duration: .seconds(10),
        text: "success_rate < 50% for 10s")
    _ = lab.run(simulatedInput([kill(end: .duration(.seconds(1)))], aborts: [abort]))
    #expect(names(lab).last == "end abort: success_rate < 50% for 10s")
}

@Test func `without a steady state nothing is broken`() {
    var trouble = SimulatedLab.Trouble()
    trouble.neverSteady = true
    var lab = SimulatedLab(trouble: trouble)
    _ = lab.run(simulatedInput([kill()]))
    #expect(!names(lab).contains { $0.hasPrefix("injected") })
    #expect(names(lab).last?.hasPrefix("end no_steady_state: success_rate 0.0 %") == true)
}

@Test func `a switchover heals nothing and its service is started again in collect`() {
    var lab = SimulatedLab()
    let step = Step(id: "switch", start: .at(.seconds(1)), action: .switchover)
    _ = lab.run(
        simulatedInput(
            [step],
            switchover: SwitchoverAction(
                host: .role(.primary), kind: .signal(service: service, name: "TERM"))))
    #expect(names(lab).contains("switchover a b"))
    #expect(!names(lab).contains { $0.hasPrefix("heal") })
    #expect(lab.requests.contains(.perform(.host("a", .startService(service)))))
    #expect(names(lab).last == "end complete")
}

@Test func `an empty timeline is a soak of the whole observation`() throws {
    var lab = SimulatedLab()
    _ = lab.run(simulatedInput([], observe: .seconds(20)))
    let events = lab.recorded.map(\.event)
    let steady = try #require(events.first { $0.kind == .steady(phase: .before) })
    let end = try #require(events.last)
    #expect((end.interval.low - steady.interval.low).milliseconds >= 20_000)
    #expect(names(lab).last == "end complete")
}

@Test func `a heal that fails is a verdict, and the next trial gets a new lab`() {
    var trouble = SimulatedLab.Trouble()
    trouble.failing = { $0 == .perform(.lab(.boot("a"))) }
    var lab = SimulatedLab(trouble: trouble)
    _ = lab.run(simulatedInput([kill()], trials: 2))
    #expect(names(lab).contains("healed kill plan restore-failed"))
    #expect(lab.supervisors == 2)
}

@Test func `an injection that fails undoes what was done and ends the run`() {
    var trouble = SimulatedLab.Trouble()
    trouble.failing = { $0 == .perform(.lab(.kill("a"))) }
    var lab = SimulatedLab(trouble: trouble)
    let outcome = lab.run(simulatedInput([kill()], trials: 3))
    #expect(outcome?.end == .failed("made to fail"))
    #expect(names(lab).contains("healed kill abort restored"))
    #expect(lab.closed.count == 1)
}

@Test func `a kept lab is not torn down`() {
    var lab = SimulatedLab()
    let outcome = lab.run(simulatedInput([kill()], keepLab: true))
    #expect(lab.isUp)
    #expect(lab.leftovers == [])
    #expect(lab.requests.last == .keep)
    #expect(outcome?.isKept == true)
}

private let everyKind: [Step] = [
    kill(),
    Step(id: "pause", action: fault("node.pause"), end: .duration(.seconds(2))),
    Step(
        id: "cut",
        action: fault(
            "link.partition",
            .link(LinkSelector(from: .host("a"), to: .host("b"), bothWays: true))),
        end: .duration(.seconds(2))),
    Step(
        id: "stop", action: fault("process.kill", parameters: ["service": "web"]),
        end: .duration(.seconds(2))),
]

@Test(arguments: everyKind)
func `an interrupt with any request ends with nothing left in effect`(step: Step) throws {
    var clean = SimulatedLab()
    _ = clean.run(simulatedInput([step]))
    for request in 1...clean.requests.count {
        var trouble = SimulatedLab.Trouble()
        trouble.interruptAtRequest = request
        var lab = SimulatedLab(trouble: trouble)
        let ended = lab.run(simulatedInput([step]))
        let outcome = try #require(ended, "request \(request): no end")
        #expect(!lab.isUp, "request \(request)")
        #expect(!lab.openTwice)
        if lab.requests[request - 1] != .teardown {
            #expect(outcome.end == .interrupted(2), "request \(request)")
        }
        let injected = names(lab).filter { $0.hasPrefix("injected") }.count
        let healed = names(lab).filter { $0.hasPrefix("healed") }.count
        #expect(injected == healed, "request \(request): \(names(lab))")
    }
}

@Test(arguments: everyKind)
func `the supervisor's end at any request ends the run with its reason`(step: Step) throws {
    var clean = SimulatedLab()
    _ = clean.run(simulatedInput([step]))
    for request in 1..<clean.requests.count {
        var trouble = SimulatedLab.Trouble()
        trouble.goneAtRequest = request
        var lab = SimulatedLab(trouble: trouble)
        let ended = lab.run(simulatedInput([step]))
        let outcome = try #require(ended, "request \(request): no end")
        #expect(
            outcome.end == .failed("the lab's supervisor ended: killed"),
            "request \(request): \(outcome)")
    }
}

@Test func `a host that ends by itself ends the run, heals, and tears down once`() throws {
    var clean = SimulatedLab()
    _ = clean.run(simulatedInput([kill()]))
    for request in 2..<clean.requests.count {
        var trouble = SimulatedLab.Trouble()
        trouble.hostEndsAtRequest = request
        var lab = SimulatedLab(trouble: trouble)
        let ended = lab.run(simulatedInput([kill()], trials: 2))
        let outcome = try #require(ended, "request \(request): no end")
        #expect(!lab.isUp, "request \(request)")
        if outcome.end == .complete {
            // Everything was measured by then: the next trial gets a lab of its own.
            #expect(lab.supervisors == 2, "request \(request)")
        } else {
            #expect(outcome.end == .failed("host b ended by itself"), "request \(request)")
            #expect(lab.closed.count == 1, "request \(request)")
        }
        let injected = names(lab).filter { $0.hasPrefix("injected") }.count
        let healed = names(lab).filter { $0.hasPrefix("healed") }.count
        #expect(injected == healed, "request \(request): \(names(lab))")
    }
}

@Test(arguments: everyKind)
func `a supervisor that hangs from any request on does not hang the run`(step: Step) throws {
    var clean = SimulatedLab()
    _ = clean.run(simulatedInput([step]))
    for request in 1...clean.requests.count {
        var trouble = SimulatedLab.Trouble()
        trouble.muteFromRequest = request
        var lab = SimulatedLab(trouble: trouble)
        let ended = lab.run(simulatedInput([step]))
        let outcome = try #require(ended, "request \(request): no end")
        #expect(outcome.end != .complete || !outcome.leftBehind.isEmpty, "request \(request)")
    }
}

@Test func `the same seed gives the same run`() {
    var first = SimulatedLab()
    _ = first.run(simulatedInput(everyKind.prefix(1) + [], trials: 3))
    var second = SimulatedLab()
    _ = second.run(simulatedInput(everyKind.prefix(1) + [], trials: 3))
    #expect(first.recorded.map(\.event) == second.recorded.map(\.event))
    #expect(first.requests == second.requests)
}

@Test func `a lab that cannot be built anew ends the run`() {
    var trouble = SimulatedLab.Trouble()
    trouble.failsToRebuild = true
    trouble.failing = { if case .perform(.lab(.boot)) = $0 { true } else { false } }
    var lab = SimulatedLab(trouble: trouble)
    let outcome = lab.run(simulatedInput([kill()], trials: 2))
    #expect(lab.supervisors == 2)
    #expect(outcome?.end == .failed("made to fail"))
}

@Test func `what the machine lacks is told before anything is built`() throws {
    let lacking = LabCapabilities(lacking: [.namespaces: "none", .realtime: "slow"])
    var lab = SimulatedLab(trouble: .init(lacking: lacking))
    let ended = lab.run(simulatedInput([kill()]))
    #expect(ended?.end == .capability("system pair: none"))
    #expect(lab.requests == [.hello(version: "test"), .teardown])
    lab = SimulatedLab(trouble: .init(lacking: LabCapabilities(lacking: [.realtime: "slow"])))
    let other = lab.run(simulatedInput([kill()]))
    #expect(other?.end == .complete)
}
