import DrillCore
import DrillScenario
import Testing

/// What a scenario says about writes that are read back, and a system about roles that a client asks for.
struct LedgerTests {
    private static let ledger = Files.scenario.with(
        "web: {client: http, url: \"http://{{vip}}/\"",
        "web: {client: postgres, conninfo: \"host={{vip}} dbname=app\", operation: ledger")

    private static func query(_ text: String) -> String {
        Files.system.with("{holds: \"{{vip}}\"}", "{query: \(text), every: 30ms}")
    }

    @Test func `what needs a ledger says so`() {
        let expected = "success_rate.during_fault: \"min >= 40%\""
        for metric in ["rpo: \"max <= 1s\"", "rpo_writes: \"max == 0\""] {
            let complaints = Files(scenario: Files.scenario.with(expected, metric)).complaints()
            #expect(complaints.contains("needs a workload with operation: ledger"), "\(complaints)")
        }
        #expect(Files(scenario: Self.ledger).complaints() == "")
    }

    @Test func `lost writes are judged where there is a ledger and the system promises none`()
        throws
    {
        let system = Files.system.with(
            "name: pair", "name: pair\npromises: {lost_writes: none}")
        func implied(_ scenario: String) throws -> [String] {
            try Files(scenario: scenario, system: system).load().get()[0].scenario.expectations
                .filter(\.implied).map(\.metric)
        }
        #expect(try implied(Self.ledger).contains("rpo_writes"))
        #expect(try !implied(Files.scenario).contains("rpo_writes"))
    }

    @Test func `the plan says what is read back, by whom and for how long`() throws {
        let cell = try Files(scenario: Self.ledger).load().get()[0]
        let plan = RunPlan(cell)
        #expect(
            plan.rendered.contains(
                """
                read back (web):
                  a new primary, by web, when it has served clients for 1s; a heal waits for it, at most 30s
                  at the end, by web and from a and b one by one, at most 30s

                """), "\(plan.rendered)")
        let other = RunPlan(try Files().load().get()[0])
        #expect(!other.rendered.contains("read back"))
        #expect(plan.trialBound == other.trialBound + .seconds(90))
    }

    @Test func `a role may be what a client is answered`() throws {
        let system = Self.query("{client: postgres, sql: select 1, equals: t, conninfo: dbname=x}")
        let cell = try Files(system: system).load().get()[0]
        #expect(
            cell.system.roles?.primary
                == .query(
                    client: "postgres", parameters: ["sql": "select 1", "conninfo": "dbname=x"],
                    equals: "t", every: .milliseconds(30)))
    }

    @Test(arguments: [
        ("{client: postgre, sql: x, equals: t}", "unknown client 'postgre'"),
        ("{client: http, url: x, equals: t}", "client http cannot ask who is primary"),
        ("{client: postgres, equals: t}", "'query' of client postgres needs 'sql'"),
        ("{client: postgres, sql: x}", "'query' needs 'equals'"),
        ("{client: postgres, sql: x, equals: t, sq1: y}", "unknown key 'sq1' in 'query'"),
    ])
    func `a query that cannot be asked is a mistake`(_ text: String, _ complaint: String) {
        let complaints = Files(system: Self.query(text)).complaints()
        #expect(complaints.contains(complaint), "\(complaints)")
    }
}
