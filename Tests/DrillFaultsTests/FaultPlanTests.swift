import DrillCore
import DrillFaults
import Testing

private let topology = Topology(
    hosts: ["a", "b", "client"], networks: ["main", "heartbeat"],
    addresses: [
        "a": ["main": "10.77.0.11", "heartbeat": "10.78.0.11"],
        "b": ["main": "10.77.0.12", "heartbeat": "10.78.0.12"],
        "client": ["main": "10.77.0.100"],
    ], services: ["a": ["web"], "b": ["web"]], among: ["a", "b"])

private func plan(
    _ fault: String, _ targets: FaultTargets = .host("a"), network: NetworkName? = nil,
    _ parameters: [String: String] = [:]
) throws -> FaultPlan {
    let use = FaultUse(
        fault: fault, target: .host(.host("a")), network: network, parameters: parameters)
    return try #require(FaultCatalog.named(fault)).plan(use, targets: targets, topology: topology)
}

private let aToB = LinkDirection(network: "main", from: "a", to: "b")
private let cut = LinkTreatment(.sink)
private let bToA = LinkDirection(network: "main", from: "b", to: "a")

@Test func `a killed host is silent before it dies, and boots`() throws {
    let plan = try plan("node.kill")
    #expect(plan.inject == [.lab(.silence("a")), .lab(.kill("a"))])
    #expect(plan.effective == 1, "t0 is that of the silence")
    #expect(plan.heal == [.lab(.boot("a"))])
    #expect(plan.proof.states == ["a": .dead])
    #expect(plan.proof.unreachable.map(\.from) == ["b", "client"])
    #expect(plan.proof.reachable.map(\.to) == ["b"])
}

@Test func `a paused host is thawed before it is heard again`() throws {
    let plan = try plan("node.pause")
    #expect(plan.inject == [.lab(.silence("a")), .lab(.freeze("a"))])
    #expect(plan.heal == [.lab(.thaw("a")), .lab(.unsilence("a"))])
    #expect(plan.proof.states == ["a": .frozen])
}

@Test(arguments: [(nil, Duration.seconds(1)), ("2500ms", .milliseconds(2500))])
func `a reboot waits with the power off`(off: String?, wait: Duration) throws {
    let plan = try plan("node.reboot", .host("a"), off.map { ["off": $0] } ?? [:])
    #expect(plan.inject == [.lab(.silence("a")), .lab(.kill("a")), .lab(.boot("a"))])
    #expect(plan.waits == [2: wait])
    #expect(plan.heal.isEmpty)
}

@Test func `process faults leave the host alone`() throws {
    let web = ["service": "web"]
    #expect(try plan("process.kill", .host("a"), web).inject == [.host("a", .killService("web"))])
    #expect(try plan("process.kill", .host("a"), web).heal == [.host("a", .startService("web"))])
    #expect(try plan("process.pause", .host("a"), web).inject == [.host("a", .pauseService("web"))])
    #expect(
        try plan("process.pause", .host("a"), web).heal == [.host("a", .continueService("web"))])
    #expect(
        try plan("process.restart", .host("a"), web).inject == [
            .host("a", .stopService("web")), .host("a", .startService("web")),
        ])
    #expect(
        try plan("process.signal", .host("a"), ["service": "web", "signal": "HUP"]).inject == [
            .host("a", .signalService("web", 1))
        ])
}

@Test func `a cable is pulled on the network that is named, else on the first`() throws {
    // Over its other network the host still acts.
    #expect(try plan("link.down").proof.states.isEmpty)
    #expect(try plan("link.down").inject == [.lab(.carrier("a", "main", up: false))])
    #expect(
        try plan("link.down", .host("a"), network: "heartbeat").heal == [
            .lab(.carrier("a", "heartbeat", up: true))
        ])
}

@Test func `a partition is one change a direction and is undone backwards`() throws {
    let cut = LinkTreatment(.sink)
    let both = try plan("link.partition", .links([("a", "b"), ("b", "a")]))
    #expect(both.inject == [.lab(.attach(aToB, cut)), .lab(.attach(bToA, cut))])
    #expect(both.effective == 2, "it holds when the last direction is cut")
    #expect(both.heal == [.lab(.detach(bToA, cut)), .lab(.detach(aToB, cut))])
    #expect(both.proof.controls.map(\.link.from) == ["client", "client"])
    let oneWay = try plan("link.partition", .links([("b", "a")]))
    #expect(oneWay.inject == [.lab(.attach(bToA, cut))])
    #expect(oneWay.effective == 1)
}

@Test(arguments: [
    ("process.kill", [:], "process.kill needs 'service'"),
    (
        "process.signal", ["service": "web", "signal": "NOPE"],
        "process.signal needs 'signal', one of HUP, INT, QUIT, KILL, USR1, USR2, TERM, CONT, STOP, WINCH"
    ),
    ("node.reboot", ["off": "1"], "node.reboot needs 'off' as a duration, such as 1s"),
])
func `what is missing is named`(fault: String, parameters: [String: String], message: String) {
    #expect(throws: FaultError(message)) { try plan(fault, .host("a"), parameters) }
}

@Test func `what heals nothing has no heal, and every other fault has one`() throws {
    var parameters = [
        "service": "web", "signal": "TERM", "delay": "25ms", "ratio": "10%", "size": "64MB",
        "folder": "/tmp", "offset": "-90s", "run": #"["touch", "/run/x"]"#,
        "undo": #"["rm", "/run/x"]"#,
    ]
    for fault in FaultCatalog.all {
        parameters["rate"] = fault.description.target == .host ? "1MB" : "8Mbit/s"
        let description = fault.description
        let targets: FaultTargets = description.target == .host ? .host("a") : .links([("a", "b")])
        let plan = try plan(description.name, targets, parameters)
        #expect(plan.heal.isEmpty != description.heals, "\(description.name)")
        #expect(plan.effective >= 1 && plan.effective <= plan.inject.count)
    }
}
