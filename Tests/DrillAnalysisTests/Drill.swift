import DrillAnalysis
import DrillCore
import DrillTesting

/// A trial with everything at its default, as the known answers state it: 100/s, time-out 250 ms, stable 1 s,
/// t0 3 s, heal 11 s.
struct Drill {
    var trace = ""
    var slow: Double?
    var steady = 1.0
    var timeline: [Step]?
    var events: [HistoryEvent]?
    var extra: [HistoryEvent] = []
    var expectations: [Expectation] = []
    var among: [HostName] = []
    var redundancy = false
    var end: HistoryEvent? = .end(at: 20_000)
    var arrange: ([ClientOperation]) -> [ClientOperation] = { $0 }
    var every = 1
    var shift = Duration.zero

    static func step(
        _ id: StepID = "kill", _ fault: String = "node.kill",
        end: Step.End = .event(
            .init(step: "kill", event: .stable), plus: .zero, atMost: .seconds(60))
    ) -> Step {
        Step(
            id: id,
            action: .fault(FaultUse(fault: fault, target: .host(.host("a")))), end: end)
    }

    var input: TrialInput {
        get throws {
            let trace = try Trace(trace)
            let workload = Workload(
                name: "web", client: "http", rate: trace.rate / Double(every),
                timeout: trace.timeout, slow: slow.map { .nanoseconds(Int64($0 * 1e6)) })
            let scenario = Scenario(
                name: "known-answer", workloads: [workload],
                steadyState: SteadyState(successRate: steady), timeline: timeline ?? [Self.step()],
                expectations: expectations)
            let system = System(
                name: "pair", hosts: [],
                roles: among.isEmpty
                    ? nil : Roles(among: among, primary: .holds(address: "10.77.0.10")),
                redundancy: redundancy
                    ? Probe(host: .role(.standby), run: [:], equals: "", every: .milliseconds(200))
                    : nil)
            let standard: [HistoryEvent] = [.injected(at: 3_000), .healBegun(at: 11_000)]
            let operations = arrange(trace.operations()).enumerated()
                .filter { $0.offset.isMultiple(of: every) }.map(\.element)
            let history = History(
                streams: [OperationStream(name: "web/fresh/read", operations: operations)],
                events: (events ?? standard) + extra + (end.map { [$0] } ?? []))
            return TrialInput(
                scenario: scenario, system: system, history: history.shifted(by: shift), index: 1)
        }
    }

    var report: TrialReport { get throws { TrialAnalysis.analyze(try input) } }
    var kill: StepReport { get throws { try report.steps[0] } }
}
