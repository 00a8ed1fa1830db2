import DrillCore
import DrillRunner
import Testing

private func workload(_ name: WorkloadName, from: HostSelector = .host("client")) -> Workload {
    Workload(
        name: name, client: "redis", from: from, parameters: ["address": "10.77.0.10:6379"],
        rate: 500, lanes: [.fresh, .kept], operation: .ledger)
}

private func input(
    _ timeline: [Step], workloads: [Workload]? = nil, trials: Int = 1,
    verify: Duration = .seconds(30)
) -> RunInput {
    var input = simulatedInput(timeline, trials: trials)
    input.scenario.workloads = workloads ?? [workload("kv")]
    input.system.limits.verify = verify
    return input
}

private func kill(for length: Duration) -> Step {
    Step(
        id: "kill", start: .at(.seconds(1)),
        action: .fault(FaultUse(fault: "node.kill", target: .host(.role(.primary)))),
        end: .duration(length))
}

/// Names of what happened, in order; the lines of one reading are one.
private func story(_ lab: SimulatedLab) -> [String] {
    var story: [String] = []
    for (_, event) in lab.recorded {
        let line: String? =
            switch event.kind {
            case .injected(let step, _, _, _): "injected \(step)"
            case .healBegun(let step): "heal_begun \(step)"
            case .healed(let step, _, _): "healed \(step)"
            case .steady(let phase): "steady \(phase.rawValue)"
            case .verify(let sweep, let host, _, _): "verify \(sweep) \(host)"
            case .verified(let facts):
                "verified \(facts.sweep) \(facts.host)" + (facts.failure.map { ": \($0)" } ?? "")
            case .end(let reason): "end \(reason)"
            case .switchover: "switchover"
            case .trial, .role, .proven, .unobserved, .redundancy, .noticed, .identity, .visible,
                .step:
                nil
            }
        if let line, line != story.last { story.append(line) }
    }
    return story
}

@Test func `a new primary is read back before the heal, and everybody at the end`() throws {
    var lab = SimulatedLab()
    _ = lab.run(input([kill(for: .seconds(5))]))
    #expect(
        story(lab) == [
            "steady before", "injected kill", "verify 1 client", "verified 1 client",
            "heal_begun kill", "healed kill", "steady after", "verify 2 client",
            "verified 2 client", "verify 2 a", "verified 2 a", "verify 2 b", "verified 2 b",
            "end complete",
        ])
    try #require(lab.readings.count == 2)
    let (first, last) = (lab.readings[0], lab.readings[1])
    #expect(first.host == "client")
    #expect(first.plan.endpoint == "client" && first.plan.servers.isEmpty)
    #expect(first.plan.client == "redis")
    #expect(first.plan.parameters == ["address": "10.77.0.10:6379"])
    #expect(last.plan.servers.map(\.host) == ["a", "b"])
    #expect(last.plan.servers.map(\.address) == ["10.77.0.11", "10.77.0.12"])
    #expect(first.plan.ledgers.map(\.prefix) == last.plan.ledgers.map(\.prefix))
    #expect(zip(first.plan.ledgers, last.plan.ledgers).allSatisfy { $0.count < $1.count })
    #expect(first.plan.ledgers.allSatisfy { $0.count > 0 })
}

@Test func `reading back begins when the new primary has served clients for a stable stretch`()
    throws
{
    var lab = SimulatedLab()
    _ = lab.run(input([kill(for: .seconds(8))]))
    let t0 = try #require(
        lab.recorded.first { if case .injected = $0.event.kind { true } else { false } })
    let begun = (try #require(lab.readings.first).at - t0.event.interval.high).milliseconds
    // 400 ms to take over, 1 s of a clean stretch; progress comes every 50 ms.
    #expect(begun >= 1400 && begun <= 1600, "\(begun)")
}

@Test func `no prefix is used twice`() {
    var lab = SimulatedLab(verdicts: [.pass, .inconclusive])
    var wanted = input(
        [kill(for: .seconds(3))], workloads: [workload("kv"), workload("other")], trials: 2)
    wanted.scenario.retries = 1
    _ = lab.run(wanted)
    let lasts = lab.readings.filter { $0.plan.sweep == 2 }
    #expect(lasts.count == 3)
    let prefixes = lasts.flatMap { $0.plan.ledgers.map(\.prefix) }
    #expect(prefixes.count == 12)
    #expect(Set(prefixes).count == 12, "\(prefixes)")
    #expect(prefixes.first == "fd:run:1.1:0:")
    // A key of one is no key of another.
    for prefix in prefixes {
        #expect(!prefixes.contains { $0 != prefix && $0.hasPrefix(prefix) })
    }
}

@Test func `the heal waits for the reading, and no longer than its limit`() throws {
    var slow = SimulatedLab.Trouble()
    slow.readingTakes = .seconds(4)
    var lab = SimulatedLab(trouble: slow)
    _ = lab.run(input([kill(for: .seconds(2))]))
    let heal = try #require(
        lab.recorded.first { if case .healBegun = $0.event.kind { true } else { false } })
    let waited = (heal.event.interval.low - lab.readings[0].at).milliseconds
    #expect(waited >= 4000 && waited < 4100, "\(waited)")

    var silent = SimulatedLab.Trouble()
    silent.readingTakes = nil
    lab = SimulatedLab(trouble: silent)
    _ = lab.run(input([kill(for: .seconds(2))], verify: .seconds(6)))
    let begun = try #require(
        lab.recorded.first { if case .healBegun = $0.event.kind { true } else { false } })
    let limit = (begun.event.interval.low - lab.readings[0].at).milliseconds
    #expect(limit >= 6000 && limit < 6100, "\(limit)")
    let why = "not finished within limits.verify (6s)"
    #expect(
        story(lab) == [
            "steady before", "injected kill", "verified 1 client: \(why)", "heal_begun kill",
            "healed kill", "steady after", "verified 2 client: \(why)", "verified 2 a: \(why)",
            "verified 2 b: \(why)", "end complete",
        ])
}

@Test func `without a new primary only the end is read`() {
    var trouble = SimulatedLab.Trouble()
    trouble.neverTakesOver = true
    var lab = SimulatedLab(trouble: trouble)
    _ = lab.run(input([kill(for: .seconds(3))]))
    #expect(lab.readings.map(\.plan.sweep) == [2])
    #expect(story(lab).last == "end complete")
}

@Test func `a scenario without a ledger reads nothing back`() {
    var lab = SimulatedLab()
    _ = lab.run(simulatedInput([kill(for: .seconds(3))]))
    #expect(lab.readings.isEmpty)
}

@Test func `the streams of a register workload meet on keys that no other workload and trial has`()
{
    var lab = SimulatedLab()
    var workloads = ["kv", "other"].map { workload($0) }
    for index in workloads.indices { workloads[index].operation = .register }
    _ = lab.run(input([kill(for: .seconds(3))], workloads: workloads, trials: 2))
    #expect(lab.readings.isEmpty)
    #expect(
        lab.plans.map { $0.streams.map(\.prefix) }
            == [1, 2].map { trial in
                ["kv", "other"].flatMap {
                    Array(repeating: "fd:run:\(trial).1:\($0):", count: 4)
                }
            })
    let streams = lab.plans[0].streams
    #expect(streams.prefix(4).map(\.kind) == [.read, .write, .read, .write])
    #expect(streams.prefix(4).map(\.lane) == [.fresh, .fresh, .kept, .kept])
    // Who answers is known here as it is for ledgers.
    #expect(streams.allSatisfy { $0.servers.map(\.host) == ["a", "b"] && $0.rate == 500 })
}

@Test func `a soak is read back at its end`() {
    var lab = SimulatedLab()
    _ = lab.run(input([]))
    #expect(lab.readings.map(\.plan.sweep) == [2])
    #expect(story(lab).last == "end complete")
}

@Test func `a step that heals nothing is read back too`() {
    let step = Step(id: "over", start: .at(.seconds(1)), action: .switchover)
    var wanted = input([step])
    wanted.system.switchover = SwitchoverAction(
        host: .role(.primary), kind: .signal(service: "web", name: "TERM"))
    var lab = SimulatedLab()
    _ = lab.run(wanted)
    #expect(
        story(lab) == [
            "steady before", "switchover", "verify 1 client", "verified 1 client", "steady after",
            "verify 2 client", "verified 2 client", "verify 2 a", "verified 2 a", "verify 2 b",
            "verified 2 b", "end complete",
        ])
}

@Test func `writes from beside the primary are read back by the client that is outside`() throws {
    var lab = SimulatedLab()
    let beside = workload("beside", from: .role(.primary))
    _ = lab.run(input([kill(for: .seconds(3))], workloads: [beside, workload("kv")]))
    let last = try #require(lab.readings.last)
    #expect(last.host == "client" && last.plan.endpoint == "client")
    #expect(last.plan.ledgers.count == 4)

    // Nobody is outside: the endpoint is no endpoint of clients, and the hosts are asked one by one.
    lab = SimulatedLab()
    _ = lab.run(input([kill(for: .seconds(3))], workloads: [beside]))
    #expect(lab.readings.map(\.plan.sweep) == [2])
    #expect(lab.readings.last?.host == "a")
    #expect(lab.readings.last?.plan.endpoint == nil)
    #expect(lab.readings.last?.plan.servers.map(\.host) == ["a", "b"])
}

@Test(arguments: [1, 2])
func `an interrupt is not kept waiting by a reading`(_ sweep: Int) {
    var trouble = SimulatedLab.Trouble()
    trouble.readingTakes = nil
    trouble.interruptAtSweep = sweep
    var lab = SimulatedLab(trouble: trouble)
    let outcome = lab.run(input([kill(for: .seconds(3))], trials: 2))
    // The first sweep runs into its limit before the second begins.
    #expect(outcome?.end == .interrupted(2))
    #expect(lab.closed.count == 1)
    #expect(lab.leftovers.isEmpty)
    #expect(story(lab).contains("healed kill"))
    let told = story(lab).filter { $0.hasPrefix("verified \(sweep)") }
    #expect(!told.isEmpty && told.allSatisfy { $0.hasSuffix(": cut off by the trial's end") })
    let took = (lab.now - lab.readings.last!.at).milliseconds
    #expect(took < 5000, "\(took)")
}

@Test(arguments: [1, 2])
func `a lab that ends while it is read is no end without a trial`(_ sweep: Int) {
    var trouble = SimulatedLab.Trouble()
    trouble.goneAtSweep = sweep
    var lab = SimulatedLab(trouble: trouble)
    let outcome = lab.run(input([kill(for: .seconds(3))]))
    #expect(outcome?.end == .failed("the lab's supervisor ended: killed"))
    #expect(lab.closed.count == 1)
    #expect(story(lab).contains("verified \(sweep) client: the lab's supervisor ended"))
}

@Test func `a reading that fails is told with its reason, and the trial goes on`() {
    var trouble = SimulatedLab.Trouble()
    trouble.readingFails = "no such client"
    var lab = SimulatedLab(trouble: trouble)
    let outcome = lab.run(input([kill(for: .seconds(4))]))
    #expect(outcome?.end == .complete)
    #expect(story(lab).contains("verified 1 client: no such client"))
    #expect(story(lab).contains("verified 2 b: no such client"))
    #expect(story(lab).last == "end complete")
}

@Test func `a request to read back that is refused is told with its reason`() {
    var trouble = SimulatedLab.Trouble()
    trouble.failing = { if case .startLoad(_, _, .verify) = $0 { true } else { false } }
    var lab = SimulatedLab(trouble: trouble)
    let outcome = lab.run(input([kill(for: .seconds(4))]))
    #expect(outcome?.end == .complete)
    #expect(story(lab).contains("verified 1 client: made to fail"))
}

// MARK: Roles that a client asks for

private func watched(_ timeline: [Step]) -> RunInput {
    var wanted = input(timeline)
    wanted.system.roles = Roles(
        among: ["a", "b"],
        primary: .query(
            client: "redis", parameters: ["command": "ROLE"], equals: "master",
            every: .milliseconds(50)))
    return wanted
}

@Test func `a role that a client asks for is observed from outside the pair`() throws {
    var lab = SimulatedLab()
    let outcome = lab.run(watched([kill(for: .seconds(3))]))
    #expect(outcome == RunOutcome(end: .complete, leftBehind: []))
    #expect(lab.watches == 1)
    let started = lab.requests.compactMap { request in
        if case .startLoad(_, let host, .watch(let plan)) = request { (host, plan) } else { nil }
    }
    let (host, plan) = try #require(started.first)
    #expect(host == "client")
    #expect(plan.servers.map(\.host) == ["a", "b"] && plan.equals == "master")
    let polls = lab.recorded.compactMap { entry in
        if case .role(let role) = entry.event.kind, role.source == .poll { role } else { nil }
    }
    let first = try #require(polls.first)
    #expect(first.epoch == "\(first.host)/1")
    #expect(try #require(first.asked) < (try #require(first.answered)))
    #expect(polls.contains { $0.host == "b" && $0.primary })
    #expect(story(lab).contains("verified 1 client"), "the failover was seen")
}

@Test func `while nobody asks for roles the hosts are unobserved`() throws {
    var trouble = SimulatedLab.Trouble()
    trouble.watchEndsAfter = .seconds(4)
    var lab = SimulatedLab(trouble: trouble)
    let outcome = lab.run(watched([kill(for: .seconds(3))]))
    #expect(outcome?.end == .complete)
    #expect(lab.watches > 1)
    let blind = lab.recorded.filter {
        if case .unobserved = $0.event.kind { true } else { false }
    }
    #expect(blind.contains { $0.event.kind == .unobserved(host: "a") })
    #expect(blind.contains { $0.event.kind == .unobserved(host: "b") })
    #expect(lab.notes.contains { $0.contains("nobody asks for roles: made to end") })
}

@Test func `a client that cannot ask for roles ends the run before any trial`() {
    var trouble = SimulatedLab.Trouble()
    trouble.failing = { if case .startLoad(_, _, .watch) = $0 { true } else { false } }
    var lab = SimulatedLab(trouble: trouble)
    let outcome = lab.run(watched([kill(for: .seconds(3))]))
    #expect(outcome?.end == .failed("roles: made to fail"))
    #expect(story(lab).isEmpty || story(lab).last?.hasPrefix("end lab_failed") == true)
}
