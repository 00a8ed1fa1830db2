import DrillCore
import DrillRunner
import Testing

private func scenario(_ faults: [String], environment: [String] = []) -> Scenario {
    let link = FaultTarget.link(LinkSelector(from: .host("a"), to: .host("b"), bothWays: false))
    return Scenario(
        name: "test", environment: environment.map { FaultUse(fault: $0, target: link) },
        workloads: [Workload(name: "web", client: "http", rate: 500)],
        timeline: faults.map { fault in
            Step(
                id: StepID(fault), start: .at(.zero),
                action: .fault(FaultUse(fault: fault, target: link)), end: .none)
        })
}

private func system(users: [String?] = [nil]) -> System {
    var index = 0
    let services = users.map { user in
        index += 1
        let instance = ServiceInstance(directory: "/run/firedrill/s", run: ["s"], user: user)
        return Service(
            name: ServiceName("s\(index)"), hosts: ["a"], instances: ["a": instance])
    }
    return System(name: "pair", networks: [], hosts: [], services: services)
}

private let everything = LabCapabilities(
    lacking: Dictionary(
        uniqueKeysWithValues: LabCapability.allCases.map { ($0, "no \($0.rawValue)") }))

@Suite struct LabNeedsTests {
    @Test func `what the machine lacks goes through the greeting's details`() {
        var detail = everything.detail
        detail["versions"] = "1"
        detail["lacks.what a later version knows"] = "unknown here"
        #expect(LabCapabilities(detail: detail) == everything)
        #expect(LabCapabilities(detail: ["versions": "1"]).lacking.isEmpty)
    }

    @Test func `a machine that lacks nothing needed is not refused`() {
        let needs = LabNeeds(scenario(["link.delay"]), system(users: ["www-data", "root", nil]))
        #expect(needs.refusal(by: LabCapabilities()) == nil)
        #expect(needs.refusal(by: LabCapabilities(lacking: [.realtime: "slow"])) == nil)
        let plain = LabNeeds(scenario(["link.partition", "link.down"]), system(users: ["root"]))
        let lacking = LabCapabilities(
            lacking: [.users: "no users", .impairment: "no netem", .diskLimits: "no io"])
        #expect(plain.refusal(by: lacking) == nil)
    }

    @Test func `what a drill does without is told and refuses nothing`() {
        #expect(LabNeeds.limitations(of: everything) == ["no cgroups", "no realtime"])
        #expect(LabNeeds.limitations(of: LabCapabilities()).isEmpty)
        let lacking = LabCapabilities(lacking: [.cgroups: "none", .realtime: "none"])
        #expect(LabNeeds(scenario(["link.delay"]), system()).refusal(by: lacking) == nil)
    }

    @Test func `a refusal names who needs what, and every remedy`() {
        let needs = LabNeeds(
            scenario(["link.delay", "link.loss"], environment: ["link.rate"]),
            system(users: ["www-data", nil, "postgres"]))
        #expect(
            needs.refusal(by: everything) == """
                system pair: no namespaces
                service s1 runs as user www-data, service s3 runs as user postgres: no users
                the environment's link.rate, step link.delay (link.delay), step link.loss (link.loss): no impairment
                """)
    }
}
