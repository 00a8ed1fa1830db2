import DrillAnalysis
import DrillCore
import DrillTesting
import Testing

/// One acknowledged write: the host that answered, when it was sent and when it was acknowledged, in milliseconds.
private typealias Answered = (host: HostName?, sent: Double, completed: Double)

private func report(
    _ writes: [Answered], _ extra: [HistoryEvent] = [], clockError: Duration = .zero,
    roles: [HistoryEvent] = [.role("a", true, at: 0), .role("b", false, at: 0)],
    among: [HostName] = ["a", "b"], shift: Duration = .zero
) -> TrialReport {
    let operations = writes.enumerated().map { index, write in
        let span = HistoryEvent.span(write.sent, write.completed)
        return ClientOperation(
            intended: span.low, dispatched: span.low, sent: span.low, completed: span.high,
            outcome: .ok, key: "k\(index)", host: write.host)
    }
    var events = roles + extra
    if clockError > .zero {
        events.append(
            HistoryEvent(
                HistoryEvent.span(0, nil),
                .trial(
                    .init(
                        index: 1, attempt: 1, seed: nil,
                        clockErrorNanoseconds: clockError.nanoseconds))))
    }
    let isPolled = roles.contains {
        if case .role(let seen) = $0.kind { seen.source == .poll } else { false }
    }
    let history = History(
        streams: [OperationStream(name: "log/fresh/write", operations: operations)],
        events: events + [.end(at: 20_000)])
    return TrialAnalysis.analyze(
        TrialInput(
            scenario: Scenario(
                name: "dual",
                workloads: [Workload(name: "log", client: "redis", rate: 10, operation: .ledger)],
                timeline: []),
            system: System(
                name: "pair", hosts: [],
                roles: among.isEmpty
                    ? nil
                    : Roles(
                        among: among,
                        primary: isPolled
                            ? .run([:], equals: "", every: .milliseconds(50))
                            : .holds(address: "10.77.0.10"))),
            history: history.shifted(by: shift), index: 1))
}

private let interleaved: [Answered] = [
    ("a", 1_000, 1_001), ("b", 1_100, 1_101), ("a", 1_200, 1_201), ("b", 1_300, 1_301),
]

@Test(arguments: [Duration.zero, .seconds(3600), .nanoseconds(1)])
func `writes that interleave between two hosts without a role change are a dual service`(
    _ shift: Duration
) {
    let brain = report(interleaved, shift: shift).splitBrain
    #expect(brain.dualService == true)
    #expect(brain.dualClaim == false)
    #expect(brain.seen == true)
    // b1 was acknowledged at 1101, a2 sent at 1200; b1 sent at 1100, a2 acknowledged at 1201.
    #expect(brain.atLeast == 99)
    #expect(brain.atMost == 101)
    let shuffled = [interleaved[2], interleaved[0], interleaved[3], interleaved[1]]
    #expect(report(shuffled).splitBrain == brain)
}

@Test func `writes of two clients go to two stores, and do not interleave`() {
    func brain(_ clients: [String], split: Bool) -> SplitBrainReport {
        let traces = clients.enumerated().map { place, client in
            // Each client's primary is another host; or both see both.
            let writes = interleaved.filter { split || ($0.host == "a") == (place == 0) }
            return OperationStream(
                name: StreamName("\(client)\(place)/fresh/write"),
                operations: writes.enumerated().map { index, write in
                    let span = HistoryEvent.span(write.sent, write.completed)
                    return ClientOperation(
                        intended: span.low, dispatched: span.low, sent: span.low,
                        completed: span.high, outcome: .ok, key: "\(client)\(index)",
                        host: write.host)
                })
        }
        return TrialAnalysis.analyze(
            TrialInput(
                scenario: Scenario(
                    name: "two",
                    workloads: clients.enumerated().map { place, client in
                        Workload(
                            name: WorkloadName("\(client)\(place)"), client: client, rate: 10,
                            operation: .register)
                    }, timeline: []),
                system: System(
                    name: "pair", hosts: [],
                    roles: Roles(among: ["a", "b"], primary: .holds(address: "10.77.0.10"))),
                history: History(
                    streams: traces,
                    events: [.role("a", true, at: 0), .role("b", false, at: 0), .end(at: 20_000)]),
                index: 1)
        ).splitBrain
    }
    #expect(brain(["postgres", "etcd"], split: false).dualService == false)
    #expect(brain(["postgres", "etcd"], split: true).dualService == true)
    // Two workloads of one client may well write to one store: a client beside the old primary is found by that.
    #expect(brain(["redis", "redis"], split: false).dualService == true)
}

@Test(arguments: [0, 1, 2, 3])
func `without one of the four writes nothing interleaves`(_ index: Int) {
    var writes = interleaved
    writes.remove(at: index)
    let brain = report(writes).splitBrain
    #expect(brain.dualService == false)
    #expect(brain.seen == false)
    #expect(brain.atLeast == 0)
}

@Test func `writes under way at the same time have no order`() {
    for index in 0..<3 {
        var writes = interleaved
        // Acknowledged only after the next one was sent.
        writes[index].completed = writes[index + 1].sent + 10
        #expect(report(writes).splitBrain.dualService == false, "\(index)")
    }
}

@Test func `a role change between the second and the third explains them`() {
    let acquired = HistoryEvent.role("a", true, at: 1_150)
    let gone = [HistoryEvent.role("a", false, at: 900), .role("b", true, at: 950)]
    #expect(report(interleaved, gone + [acquired]).splitBrain.dualService == false)
    #expect(report(interleaved, [.switchover(at: 1_150)]).splitBrain.dualService == false)
    // Elsewhere it explains nothing.
    #expect(report(interleaved, [.switchover(at: 1_050)]).splitBrain.dualService == true)
    #expect(report(interleaved, [.switchover(at: 1_250)]).splitBrain.dualService == true)
    // A stamp that may lie between: not seen.
    let late = HistoryEvent.role("a", true, at: 1_050, to: 1_150)
    #expect(report(interleaved, gone + [late]).splitBrain.dualService == false)
}

@Test func `a clock error larger than the gaps leaves the order undecided`() {
    #expect(report(interleaved, clockError: .milliseconds(50)).splitBrain.atLeast == 49)
    let brain = report(interleaved, clockError: .milliseconds(99)).splitBrain
    #expect(brain.dualService == nil)
    #expect(brain.seen == nil && brain.reason?.contains("not decided") == true)
    #expect(brain.atLeast == 0)
}

@Test func `a host whose role nobody watched leaves it open`() {
    let brain = report(interleaved, [.unobserved("a", at: 1_050, to: 1_250)]).splitBrain
    #expect(brain.dualService == nil)
    #expect(brain.seen == nil)
}

@Test func `a role that came back in a time without a look explains nothing and refutes nothing`() {
    func polls(_ host: HostName, _ holds: (Double) -> Bool?) -> [HistoryEvent] {
        stride(from: 0.0, to: 8_000, by: 50).compactMap { at in
            holds(at).map { .poll(host, $0, asked: at, answered: at + 1) }
        }
    }
    // a, then b, then a again, then b: two failovers and a way back, which nobody saw a acquire.
    let roles =
        polls("a") { (1_000..<3_000).contains($0) ? nil : $0 < 4_900 }
        + polls("b") { (1_500..<2_500).contains($0) || $0 >= 5_000 }
    let writes: [Answered] = [
        ("a", 900, 901), ("b", 2_000, 2_001), ("a", 3_100, 3_101), ("b", 5_100, 5_101),
    ]
    #expect(report(writes, roles: roles).splitBrain.dualService == nil)
}

@Test func `without hosts named nothing is said of service, and claims decide`() {
    let brain = report(interleaved.map { (nil, $0.sent, $0.completed) }).splitBrain
    #expect(brain.dualService == nil)
    #expect(brain.dualClaim == false)
    #expect(brain.seen == false)
    // One of many is not enough to say that it never happened.
    var some = interleaved
    some[3].host = nil
    #expect(report(some).splitBrain.dualService == nil)
    #expect(report(interleaved, among: []).splitBrain.dualService == nil)
}

@Test func `a dual service is found after the heal too, and its times are added to the claims'`() {
    let writes = interleaved.map { ($0.host, $0.sent + 10_000, $0.completed + 10_000) }
    let both = [HistoryEvent.role("b", true, at: 5_000), .role("a", false, at: 5_300)]
    let brain = report(writes, both).splitBrain
    #expect(brain.dualClaim == true)
    #expect(brain.dualService == true)
    #expect(brain.atLeast == 399)
}

/// All quadruples, read aloud.
private func naive(_ writes: [Answered], changes: [Double]) -> Double {
    var spans: [(Double, Double)] = []
    for b1 in writes {
        for a2 in writes where a2.host != b1.host && b1.completed < a2.sent {
            let starts = writes.contains { $0.host == a2.host && $0.completed < b1.sent }
            let ends = writes.contains { $0.host == b1.host && $0.sent > a2.completed }
            let quiet = !changes.contains { $0 > b1.completed && $0 < a2.sent }
            if starts, ends, quiet { spans.append((b1.completed, a2.sent)) }
        }
    }
    var sum = 0.0
    var covered = -1.0
    for (low, high) in spans.sorted(by: { $0.0 < $1.0 }) where high > covered {
        sum += high - max(low, covered)
        covered = high
    }
    return sum
}

@Test func `dual service is that of the naive reading`() {
    var seen = 0
    for seed in UInt64(1)...400 {
        var random = SeededGenerator(seed: seed, stream: 0)
        let hosts: [HostName] = ["a", "b", "c"]
        var writes: [Answered] = []
        var at = 100.0
        var host = 0
        for _ in 0..<Int.random(in: 2...14, using: &random) {
            if Int.random(in: 0..<3, using: &random) == 0 {
                host = Int.random(in: 0..<3, using: &random)
            }
            writes.append((hosts[host], at, at + Double(Int.random(in: 1...25, using: &random))))
            at += Double(Int.random(in: 1...20, using: &random))
        }
        let changes = (0..<Int.random(in: 0...2, using: &random)).map { _ in
            Double(Int.random(in: 100...300, using: &random)) + 0.5
        }
        let expected = naive(writes, changes: changes)
        let brain = report(
            writes, changes.map { .switchover(at: $0) }, among: ["a", "b", "c"]
        ).splitBrain
        #expect(brain.atLeast == expected, "seed \(seed)")
        #expect(brain.dualService == (expected > 0), "seed \(seed)")
        if expected > 0 { seen += 1 }
    }
    #expect(seen > 25)
}

@Test func `identities are hosts, two of one host are one, and unknown ones are their own`() {
    func named(_ hosts: [HostName], _ identities: [HistoryEvent]) -> [HostName?] {
        let at = RunInstant(nanoseconds: 0)
        let operations = hosts.map {
            ClientOperation(
                intended: at, dispatched: at, sent: at, completed: at, outcome: .ok, host: $0)
        }
        return History(
            streams: [OperationStream(name: "log/fresh/write", operations: operations)],
            events: identities
        ).namingHosts().streams[0].operations.map(\.host)
    }
    let known: [HistoryEvent] = [
        .identity("a", "f00d", at: 0), .identity("a", "beef", at: 1), .identity("b", "cafe", at: 2),
        .identity("b", "cafe", at: 3),
    ]
    #expect(named(["f00d", "beef", "cafe", "0000"], known) == ["a", "a", "b", "0000"])
    #expect(named(["f00d"], []) == ["f00d"])
    // Claimed by both it is nobody's.
    #expect(
        named(["f00d"], known + [.identity("b", "f00d", at: 4), .identity("b", "f00d", at: 5)])
            == ["f00d"])
}
