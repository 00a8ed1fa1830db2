import DrillCore
import DrillScenario
import Testing

@Suite struct PlanTests {
    @Test func `a plan shows what would be done, roles unresolved`() throws {
        let scenario = Files.scenario.with(
            "  - {id: back,",
            "  - {id: cut, at: 90s, fault: link.partition, link: \"client<->*\", for: 10s}\n  - {id: back,"
        )
        let cell = try Files(scenario: scenario).load().get()[0]
        Golden.check(RunPlan(cell).rendered, "plan.txt")
    }

    @Test func `a plan of link faults shows what packets see, on either backend`() throws {
        let timeline = """
            timeline:
              - {id: slow, fault: link.delay, link: "primary<->standby", delay: 25ms, jitter: 5ms, distribution: normal, for: 20s}
              - {id: bursts, at: 30s, fault: link.loss, link: "a->b", traffic: vrrp, model: gilbert-elliott, p: 5%, r: 25%, for: 60s}
              - {id: cable, at: 100s, fault: link.flap, host: b, duty: 25%, for: 10s}

            """
        let parts = Files.scenario.split(separator: "timeline:\n")
        let head = String(parts[0]).with(
            "workloads:",
            "environment:\n  - {fault: link.loss, link: client<->a, ratio: 10%}\nworkloads:")
        let cell = try Files(scenario: head + timeline).load().get()[0]
        #expect(cell.capabilities == [])
        Golden.check(RunPlan(cell).rendered, "links.txt")
    }

    /// Steps that cannot overlap may do what together has no sum.
    @Test(arguments: [
        ("at: 10s, ", true), ("at: 8s, ", false), ("after: {event: x.healed}, ", true),
        ("after: {event: x.injected, plus: 9s}, ", true),
        ("after: {event: x.injected, plus: 8s}, ", false), ("after: {event: x.stable}, ", false),
    ])
    func `what is provably apart does not meet`(start: String, isApart: Bool) throws {
        let jittery = "fault: link.delay, link: \"a->b\", delay: 9ms, jitter: 2ms"
        let parts = Files.scenario.split(separator: "timeline:\n")
        let files = Files(
            scenario: String(parts[0])
                + "timeline:\n  - {id: x, \(jittery), for: 8s}\n  - {id: y, \(start)\(jittery), for: 8s}\n"
        )
        #expect(files.complaints().isEmpty == isApart, "\(files.complaints())")
    }

    @Test func `k of 99.9 % and 500 operations is 6`() throws {
        let plan = RunPlan(try Files().load().get()[0])
        let stream = try #require(plan.streams.first)
        #expect(stream.stream == "web/fresh/read")
        #expect(stream.operations == 500)
        #expect(stream.k == 6)
        #expect(stream.leastSent == 250)
        #expect(stream.smallestOutage == .milliseconds(12))
        #expect(stream.smallestRTO == .milliseconds(262))
    }

    @Test func `the schemas and listings come from the catalogs`() throws {
        Golden.check(JSONSchema.scenario, "scenario.schema.json")
        Golden.check(JSONSchema.system, "system.schema.json")
        var text = ""
        for name in [nil, "process.signal", "link.partition", "link.loss"] {
            text += try Listing.faults(name).get() + "\n"
        }
        for name in [nil, "http", "tcp"] { text += try Listing.clients(name).get() + "\n" }
        for name in [nil, "success_rate", "rpo"] { text += try Listing.metrics(name).get() + "\n" }
        Golden.check(text, "listings.txt")
        guard case .failure(let list) = Listing.faults("node.kil") else {
            Issue.record("an unknown fault is listed")
            return
        }
        #expect(
            list.rendered.hasPrefix(
                "firedrill faults: error: unknown fault 'node.kil'\ndid you mean 'node.kill'?"))
    }

    @Test func `the reference of faults is that of the catalog`() throws {
        Golden.check(try FaultReference.markdown().get(), "../../../docs/FAULTS.md")
    }

    @Test func `the reference of clients is that of the catalog`() {
        Golden.check(ClientReference.markdown, "../../../docs/CLIENTS.md")
    }
}
