import DrillAnalysis
import DrillCore
import DrillTesting

/// A trial of a ledger with everything at its default: 100 writes/s, acknowledged as soon as they are due, a killed at
/// 3 s, b primary from 3.3 s, healed at 11 s; read back from b at 9 s and from everybody at 20 s.
struct Ledger {
    var trace = "100/s; service 0ms"
    /// Of a write due at an instant in milliseconds, in the last sweep; nil: not read.
    var kept: (Double) -> Bool? = { _ in true }
    /// In the sweep before the heal; nil: there was none.
    var keptBeforeHeal: ((Double) -> Bool?)?
    /// By server; nil: only the endpoint was asked.
    var keptOn: [HostName: (Double) -> Bool?] = [:]
    var answeredBy: (Double) -> HostName? = { _ in nil }
    var events: [HistoryEvent] = [
        .role("a", true, at: 0), .role("b", false, at: 0),
        .injected(host: "a", role: .primary, at: 3_000), .proven("a", .dead, at: 3_000),
        .role("b", true, at: 3_300), .healBegun(at: 11_000),
    ]
    var extra: [HistoryEvent] = []
    var timeline: [Step]?
    var promisesNone = false
    var knownUnsafe: String?
    var expectations: [Expectation] = []
    var arrange: ([ClientOperation]) -> [ClientOperation] = { $0 }
    var shift = Duration.zero
    var end = "complete"
    var endpoint: HostName? = "client"

    var input: TrialInput {
        get throws {
            let trace = try Trace(trace)
            let writes = trace.writes(by: answeredBy)
            var read: [HistoryEvent] = []
            if let keptBeforeHeal {
                read += writes.filter { $0.intended.nanoseconds < 9_000_000_000 }
                    .readBack(sweep: 1, on: "client", at: 9_000, keptBeforeHeal)
            }
            if let endpoint {
                read += writes.readBack(sweep: 2, on: endpoint, at: 20_000, kept)
            }
            for (host, kept) in keptOn {
                read += writes.readBack(sweep: 2, on: host, at: 20_000, kept)
            }
            let scenario = Scenario(
                name: "ledger", knownUnsafe: knownUnsafe,
                workloads: [
                    Workload(
                        name: "log", client: "redis", rate: trace.rate, operation: .ledger,
                        timeout: trace.timeout)
                ], timeline: timeline ?? [Drill.step()], expectations: expectations)
            let system = System(
                name: "pair", hosts: [],
                roles: Roles(among: ["a", "b"], primary: .holds(address: "10.77.0.10")),
                promisesNoLostWrites: promisesNone)
            let history = History(
                streams: [
                    OperationStream(name: "log/fresh/write", operations: arrange(writes))
                ], events: events + extra + read + [.end(end, at: 21_000)])
            return TrialInput(
                scenario: scenario, system: system, history: history.shifted(by: shift), index: 1)
        }
    }

    var report: TrialReport { get throws { TrialAnalysis.analyze(try input) } }

    func run() throws -> RunReport {
        let input = try input
        return RunAnalysis.judge(
            scenario: input.scenario, system: input.system, trials: [TrialAnalysis.analyze(input)],
            facts: RunFacts(
                id: "r", scenario: "ledger", system: "pair", lab: "namespaces", version: "0"))
    }
}
