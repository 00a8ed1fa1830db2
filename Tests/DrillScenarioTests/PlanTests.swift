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
        for name in [nil, "process.signal", "link.partition"] {
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
}
