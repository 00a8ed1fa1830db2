import DrillAnalysis
import DrillCore
import DrillTesting
import Testing

/// a is primary from the beginning; the trace itself is of no matter.
private func roles(
    _ extra: [HistoryEvent],
    start: [HistoryEvent] = [.role("a", true, at: 0), .role("b", false, at: 0)],
    fault: String = "node.kill", shift: Duration = .zero
) throws -> TrialReport {
    try Drill(
        trace: "100/s; silent 3.0-6.3", timeline: [Drill.step("kill", fault)],
        events: [
            .injected("kill", fault, host: "a", role: .primary, at: 3_000), .healBegun(at: 11_000),
        ],
        extra: start + extra, among: ["a", "b"], shift: shift
    ).report
}

@Test func `a killed holder whose address is never withdrawn is no split brain`() throws {
    let report = try roles([.proven("a", .dead, at: 3_000), .role("b", true, at: 6_290)])
    #expect(report.splitBrain.seen == false)
    #expect(report.splitBrain.atMost == 0)
    #expect(report.roleChanges == 1)
    #expect(report.primaryBefore == "a")
    #expect(report.primaryAfter == "b")
    #expect(report.steps[0].instants.t3 == 6_290)
    #expect(report.steps[0].instants.t4 == 6_301)
    #expect(report.failover == true)
    #expect(report.verdict == .pass)
}

@Test func `the standby may take the role after the service is back, and must keep it`() throws {
    let dead = HistoryEvent.proven("a", .dead, at: 3_000)
    #expect(try roles([dead, .role("b", true, at: 6_400)]).failover == true)
    #expect(
        try roles([dead, .role("b", true, at: 6_400), .role("b", false, at: 6_500)]).failover
            == false)
}

@Test func `the same kill without proof is two primaries`() throws {
    let report = try roles([.role("b", true, at: 6_290)])
    #expect(report.splitBrain.seen == true)
    #expect(report.failover == false)
}

@Test func `what nobody watched is no successful failover`() throws {
    let report = try roles([
        .proven("a", .dead, at: 3_000), .role("b", true, at: 6_290),
        .unobserved("b", at: 7_000, to: 9_000),
    ])
    #expect(report.splitBrain.seen == nil)
    // Nor a failed one.
    #expect(report.failover == nil)
    #expect(report.isFailoverUnknown)
}

@Test func `relabelled hosts change nothing but their names`() throws {
    let report = try roles([.proven("a", .dead, at: 3_000), .role("b", true, at: 6_290)])
    let other = try Drill(
        trace: "100/s; silent 3.0-6.3",
        events: [.injected(host: "b", role: .primary, at: 3_000), .healBegun(at: 11_000)],
        extra: [
            .role("b", true, at: 0), .role("a", false, at: 0), .proven("b", .dead, at: 3_000),
            .role("a", true, at: 6_290),
        ], among: ["a", "b"]
    ).report
    #expect(other.primaryBefore == "b")
    #expect(other.splitBrain == report.splitBrain)
    #expect(other.steps[0].rto == report.steps[0].rto)
    #expect(other.steps[0].instants == report.steps[0].instants)
    #expect(other.failover == report.failover)
}

@Test func `a frozen holder is a latent claim, and split brain when it thaws`() throws {
    let frozen: [HistoryEvent] = [.proven("a", .frozen, at: 3_000), .role("b", true, at: 6_290)]
    let quiet = try roles(frozen + [.role("a", false, at: 11_010)], fault: "node.pause")
    #expect(quiet.splitBrain.latentClaim)
    #expect(quiet.splitBrain.seen == false)
    let awake = try roles(
        frozen + [.role("a", true, at: 11_010), .role("b", false, at: 11_200)], fault: "node.pause")
    #expect(awake.splitBrain.seen == true)
    #expect(awake.splitBrain.atLeast == 190)
    #expect(awake.splitBrain.atMost == 200)
    #expect(awake.primaryAfter == "a")
    #expect(awake.roleChanges == 2)
}

@Test(arguments: [(20.0, Bool?.some(false), 20.0), (21.0, true, 0.0)])
func `a clean handover may overlap for as long as the system says`(
    _ length: Double, _ seen: Bool?, _ handover: Double
) throws {
    let report = try roles(
        [.role("b", true, at: 3_600), .role("a", false, at: 3_600 + length)],
        fault: "process.signal")
    #expect(report.splitBrain.seen == seen)
    #expect(report.splitBrain.handoverOverlap ?? 0 == handover)
}

@Test func `a host that gains the role and loses it again beside the holder is no handover`() throws
{
    let report = try roles(
        [.role("b", true, at: 3_600), .role("b", false, at: 3_610)], fault: "link.partition")
    #expect(report.splitBrain.seen == true)
    #expect(report.splitBrain.atLeast == 10)
}

@Test func `address stamps count with their inner ends`() throws {
    let report = try roles(
        [.role("b", true, at: 3_600, to: 3_650), .role("a", false, at: 3_640, to: 3_700)],
        fault: "link.partition")
    #expect(report.splitBrain.seen == false)
    #expect(report.splitBrain.atLeast == 0)
}

@Test(arguments: [
    // One answer each shows that both held it at some instant of their own, not at the same one.
    ([("a", 100.0, 105.0), ("b", 102.0, 106.0)], false),
    ([("a", 100, 105), ("a", 120, 125), ("b", 102, 106)], false),
    ([("a", 100, 105), ("a", 120, 125), ("b", 102, 106), ("b", 112, 116)], true),
])
func `a polled claim holds between two primary answers`(
    _ polls: [(String, Double, Double)], _ seen: Bool
) {
    let claims = RoleClaims.collect(
        events: polls.map {
            .poll(HostName($0.0), true, asked: $0.1, answered: $0.2, bootID: "1")
        }, exclusions: [], recordEnd: RunInstant(nanoseconds: 1_000_000_000))
    let report = SplitBrain.find(
        claims: claims,
        roles: Roles(among: ["a", "b"], primary: .holds(address: "")), exclusions: [],
        events: polls.map { .poll(HostName($0.0), true, asked: $0.1, answered: $0.2) }, from: nil)
    #expect(report.seen == seen)
}

@Test func `a polled claim does not span two boots`() {
    let events: [HistoryEvent] = [
        .poll("a", true, asked: 100, answered: 105, bootID: "1"),
        .poll("a", true, asked: 120, answered: 125, bootID: "2"),
    ]
    let claims = RoleClaims.collect(
        events: events, exclusions: [], recordEnd: RunInstant(nanoseconds: 1_000_000_000))
    #expect(claims.claims.count == 2)
    #expect(claims.claims.allSatisfy { $0.sure == nil })
}

@Test func `a polled claim does not hold across a time in which nobody asked`() throws {
    func answers(
        _ later: Bool, _ deaf: [HistoryEvent], every: Duration? = nil
    ) -> RoleClaims {
        RoleClaims.collect(
            events: [
                .poll("a", true, asked: 100, answered: 105, epoch: "7"),
                .poll("a", true, asked: 120, answered: 125, epoch: "7"),
                .poll("a", later, asked: 900, answered: 905, epoch: "7"),
                .poll("a", later, asked: 920, answered: 925, epoch: "7"),
            ] + deaf, exclusions: [], recordEnd: RunInstant(nanoseconds: 1_000_000_000),
            every: every)
    }
    let deaf = [HistoryEvent.unobserved("a", at: 130, to: 890)]
    #expect(answers(true, []).claims.count == 1)
    let held = answers(true, deaf)
    #expect(answers(true, [], every: .milliseconds(20)).claims == held.claims)
    #expect(held.claims.map(\.sure?.high.nanoseconds) == [120_000_000, 920_000_000])
    #expect(held.claims.map(\.beginning) == [.acquired, .resumed])
    #expect(RoleChanges.count(held.claims, from: nil) == 0)
    let gone = answers(false, deaf)
    #expect(gone.claims.count == 1)
    #expect(gone.holders(at: RunInstant(nanoseconds: 904_000_000)) == ["a"])
    #expect(gone.holders(at: RunInstant(nanoseconds: 906_000_000)).isEmpty)
}

@Test func `a blind probe during a partition makes split brain unknown`() throws {
    let report = try roles([.unobserved("a", at: 3_000, to: 11_000)], fault: "link.partition")
    #expect(report.splitBrain.seen == nil)
    #expect(report.splitBrain.reason == "nobody watched the role of a for 8000.0 ms")
    let dead = try roles([
        .proven("a", .dead, at: 3_000), .unobserved("a", at: 3_000, to: 11_000),
    ])
    #expect(dead.splitBrain.seen == false)
}

@Test func `what a host held before nobody listened is sure again only by fresh evidence`() throws {
    let deaf: [HistoryEvent] = [
        .unobserved("a", at: 5_000, to: 7_000), .role("b", true, at: 5_500),
    ]
    let unsure = try roles(deaf, fault: "process.pause")
    #expect(unsure.splitBrain.seen == nil)
    #expect(unsure.splitBrain.atLeast == 0)
    let given = try roles(deaf + [.role("a", false, at: 6_900)], fault: "process.pause")
    #expect(given.splitBrain.seen == nil)
    #expect(given.splitBrain.atMost == 1_400)
    #expect(given.primaryAfter == "b")
    #expect(given.roleChanges == 1)
    let held = try roles(
        deaf + [.role("a", true, at: 6_900), .role("a", false, at: 8_000)], fault: "process.pause")
    #expect(held.splitBrain.seen == true)
    #expect(held.splitBrain.atLeast == 1_100)
    #expect(held.splitBrain.atMost == 2_500)
}

@Test func `polls that stop make split brain unknown`() {
    let polls: [HistoryEvent] = (0..<100).flatMap { index -> [HistoryEvent] in
        let at = Double(index) * 50
        let b = HistoryEvent.poll("b", false, asked: at, answered: at + 5)
        return (20..<60).contains(index) ? [b] : [.poll("a", true, asked: at, answered: at + 5), b]
    }
    let roles = Roles(
        among: ["a", "b"], primary: .run([:], equals: "", every: .milliseconds(50)))
    func seen(_ events: [HistoryEvent]) -> Bool? {
        SplitBrain.find(
            claims: RoleClaims.collect(
                events: events, exclusions: [], recordEnd: RunInstant(nanoseconds: 6_000_000_000)),
            roles: roles, exclusions: [], events: events, from: nil
        ).seen
    }
    #expect(seen(polls) == nil)
    let all: [HistoryEvent] = (0..<100).flatMap { index -> [HistoryEvent] in
        let at = Double(index) * 50
        return [
            .poll("a", true, asked: at, answered: at + 5),
            .poll("b", false, asked: at, answered: at + 5),
        ]
    }
    #expect(seen(all) == false)
}

@Test func `a step that took the wrong host for the primary is inconclusive`() throws {
    let report = try roles(
        [], start: [.role("a", false, at: 0), .role("b", true, at: 0)])
    #expect(report.verdict == .inconclusive)
    #expect(report.reasons == ["'kill' took a for the primary, but at t0 b held the role"])
}

@Test func `a system without roles has no split brain`() throws {
    let report = try Drill(trace: "100/s; silent 3.0-3.3").report
    #expect(report.splitBrain.seen == nil)
    #expect(report.splitBrain.reason == "the system has no roles")
    #expect(report.failover == true)
}

@Test func `roles do not depend on when it happened`() throws {
    let events: [HistoryEvent] = [.proven("a", .dead, at: 3_000), .role("b", true, at: 6_290)]
    #expect(try roles(events, shift: .seconds(3600)) == (try roles(events)))
    #expect(try roles(events, shift: .nanoseconds(1)) == (try roles(events)))
}
