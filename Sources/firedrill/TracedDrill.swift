import DrillAnalysis
import DrillCore
import DrillSimulation
import FoundationEssentials
import TwinCore

/// One simulated drill with all that happened in it, as a text, a page and a JSON file: evidence about a model, and each of
/// them says so.
struct TracedDrill {
    static let mark = "MODEL EVIDENCE: simulated, not measured on any system"

    let plan: DrillPlan
    let outcome: DrillOutcome
    /// Its own checks', or that of the checker of registers.
    let violation: DrillViolation?
    /// False where the checker of registers reached its limits.
    var isDecided: Bool { consistency.linearizable != nil }
    private let trace: [SimulatedEvent]
    private let consistency: ConsistencyFinding

    init(seed: UInt64, planted: PlantedBug?) {
        var pair = SimulatedPair(traced: true)
        pair.run(seed: seed, planted: planted)
        plan = pair.plan
        outcome = pair.outcome
        trace = pair.trace
        consistency = ConsistencyFinding.find(RegisterHistory(pair.operations))
        violation =
            outcome.violation ?? (consistency.linearizable == false ? .notLinearizable : nil)
    }

    /// `37.61 ms`.
    static func milliseconds(_ nanoseconds: Int64) -> String {
        let hundredths = (nanoseconds + 5_000) / 10_000
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) ms"
    }

    private var verdict: String {
        violation.map { "COUNTER-EXAMPLE: \($0.summary)" } ?? "no counter-example"
    }

    private var facts: [String] {
        var facts = ["seed \(plan.seed), \(outcome.events) events"]
        if let bug = plan.planted { facts.append("planted \(bug.name): \(bug.summary)") }
        facts += plan.faults.map {
            let at = Self.milliseconds($0.at)
            let length = $0.fault.isInstant ? "" : " for \(Self.milliseconds($0.length))"
            return "\($0.fault.summary), at \(at)\(length)"
        }
        switch consistency.linearizable {
        case true?: facts.append("\(consistency.operations) register operations: linearizable")
        case false?: facts.append("\(consistency.operations) register operations: NOT LINEARIZABLE")
        case nil: facts.append("\(consistency.operations) register operations: not known")
        }
        facts.append("digest \(String(outcome.digest, radix: 16))")
        return facts
    }

    var text: String {
        ([Self.mark] + facts + ["", "   ms since the drill began"] + trace.map(\.line) + [verdict])
            .joined(separator: "\n")
    }

    /// `drill-SEED.txt`, `.html` and `.json` in the folder.
    func write(to folder: String, replay: String) throws {
        let name = "\(folder)/drill-\(plan.seed)"
        try Files.write(Array((text + "\n").utf8), to: name + ".txt")
        try Files.write(Array(page(replay).utf8), to: name + ".html")
        try Files.write(Array((json(replay) + "\n").utf8), to: name + ".json")
    }

    private func page(_ replay: String) -> String {
        func clean(_ text: String) -> String {
            text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
                .replacing(">", with: "&gt;")
        }
        let rows = trace.map { event in
            let kind =
                switch event.kind {
                case .fault: "fault"
                case .message: "message"
                case .deed: "deed"
                case .violation: "violation"
                }
            let micros = "\(event.at % 1_000_000 / 1000)"
            let zeros = String(repeating: "0", count: 3 - micros.count)
            let name = event.node < 0 ? "" : SimulatedEvent.names[event.node]
            return
                "<tr class=\(kind)><td>\(event.at / 1_000_000).\(zeros)\(micros)</td><td>\(name)</td><td>\(clean(event.text))</td></tr>"
        }
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>Simulated drill \(plan.seed)</title>
            <style>
            :root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:0 auto;padding:1rem}
            .mark{background:#fd6;color:#000;padding:.6rem 1rem;font-weight:700}
            table{border-collapse:collapse;font-variant-numeric:tabular-nums}td{padding:.1rem .8rem;vertical-align:top}
            td:first-child{text-align:right}.message{color:#777}.fault{background:#fec;color:#000}
            .violation{background:#c22;color:#fff}
            </style></head><body>
            <p class="mark">\(clean(Self.mark))</p>
            <h1>\(clean(verdict))</h1>
            <ul>\(facts.map { "<li>\(clean($0))</li>" }.joined())</ul>
            <p>Replay: <code>\(clean(replay))</code></p>
            <table><tr><th>ms</th><th>node</th><th>what</th></tr>
            \(rows.joined(separator: "\n"))
            </table></body></html>

            """
    }

    func json(_ replay: String) -> String {
        struct Event: Encodable {
            var at_ns: Int64
            var node: String?
            var what: String
        }
        struct Drill: Encodable {
            var schema = "firedrill/simulated-drill/v1"
            var evidence = "model"
            var seed: UInt64
            var planted: String?
            var violation: String?
            var facts: [String]
            var replay: String
            var events: [Event]
        }
        return SimulationJSON.encode(
            Drill(
                seed: plan.seed, planted: plan.planted?.name, violation: violation?.name,
                facts: facts, replay: replay,
                events: trace.map {
                    Event(
                        at_ns: $0.at, node: $0.node < 0 ? nil : SimulatedEvent.names[$0.node],
                        what: $0.text)
                }))
    }
}
