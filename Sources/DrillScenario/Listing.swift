import DrillCore
import DrillFaults
import DrillWorkload

/// What `firedrill faults`, `clients` and `metrics` print, from the catalogs.
package enum Listing {
    /// All faults, or what one of them takes; a near word where there is none of that name.
    package static func faults(_ name: String? = nil) -> Result<String, DiagnosticList> {
        let all = FaultCatalog.all.map { $0.description }
        guard let name else { return .success(table(all.map { ($0.name, $0.summary) })) }
        guard let fault = all.first(where: { $0.name == name }) else {
            return unknown("fault", name, all.map(\.name))
        }
        var lines = ["\(fault.name): \(fault.summary)", "  t0: \(fault.instant)"]
        switch fault.target {
        case .host: lines.append("  host: a host's name, primary or standby")
        case .link:
            lines.append("  link: \"a->b\", \"a<->b\", \"primary<->standby\", \"client<->*\"")
        }
        if fault.takesNetwork { lines.append("  network: where hosts have several") }
        if fault.target == .link {
            lines.append("  traffic: tcp/5432, udp/53 or vrrp: only this, and the rest flows")
        }
        lines += fault.parameters.map {
            parameter($0.name, kind($0.kind), $0.required, $0.defaultValue, $0.summary)
        }
        lines.append(
            fault.heals
                ? "  for or until: when the heal begins" : "  heals nothing: neither for nor until")
        if fault.isCondition { lines.append("  may be an environment, for the whole run") }
        if !fault.example.isEmpty {
            lines.append("such as {fault: \(fault.name), \(fault.example)}")
        }
        return .success(lines.joined(separator: "\n") + "\n")
    }

    package static func clients(_ name: String? = nil) -> Result<String, DiagnosticList> {
        let all = ClientCatalog.all
        guard let name else {
            return .success(
                table(
                    all.map {
                        ($0.name, $0.summary + ($0.lack == nil ? "" : " (not in this build)"))
                    }))
        }
        guard let client = all.first(where: { $0.name == name }) else {
            return unknown("client", name, all.map(\.name))
        }
        var lines = ["\(client.name): \(client.summary)"]
        lines.append("  operation: \(client.operations.map(\.rawValue).joined(separator: ", "))")
        lines += client.parameters.map {
            parameter($0.name, kind($0.kind), $0.required, $0.defaultValue, $0.summary)
        }
        if !client.keptLaneNeeds.isEmpty {
            lines.append("  the kept lane needs \(client.keptLaneNeeds.joined(separator: " and "))")
        }
        if !client.alternatives.isEmpty {
            lines.append("  it needs \(client.choice)")
        }
        if !client.refusals.isEmpty {
            lines.append(
                "  a write fails for certain by \(client.refusals.joined(separator: ", ")); "
                    + "any other end but ok is indeterminate")
        }
        if let lack = client.lack { lines.append("  \(lack)") }
        return .success(lines.joined(separator: "\n") + "\n")
    }

    package static func metrics(_ name: String? = nil) -> Result<String, DiagnosticList> {
        let all = MetricCatalog.all
        guard let name else {
            return .success(
                table(all.map { ($0.name, $0.summary) }))
        }
        guard let metric = MetricCatalog.named(name) else {
            return unknown("metric", name, all.map(\.name))
        }
        var lines = ["\(metric.name): \(metric.summary)"]
        let names =
            metric.parts.isEmpty ? [metric.name] : metric.parts.map { "\(metric.name).\($0)" }
        let threshold: String =
            switch metric.unit {
            case .duration: "\"max <= 5s\""
            case .ratio: "\"min >= 99%\""
            case .count: "\"max == 0\""
            case .occurrence: metric.words.unseen
            }
        lines += names.map { "  \($0): \(threshold)" }
        if metric.perStep {
            let first = metric.parts.first.map { "\(metric.name).\($0)" } ?? metric.name
            lines.append("  of one step: \(first).STEP")
        }
        if metric.perWorkload { lines.append("  of one workload: WORKLOAD.\(names[0])") }
        return .success(lines.joined(separator: "\n") + "\n")
    }

    static func table(_ rows: [(String, String)]) -> String {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map {
            "\($0.0)\(String(repeating: " ", count: width - $0.0.count + 2))\($0.1)\n"
        }.joined()
    }

    private static func parameter(
        _ name: String, _ kind: String, _ required: Bool, _ value: String?, _ summary: String
    ) -> String {
        let need = required ? "required" : value.map { "\($0) unless given" } ?? "optional"
        return "  \(name): \(kind), \(need): \(summary)"
    }

    static func kind(_ kind: FaultDescription.ParameterKind) -> String {
        switch kind {
        case .duration: "a duration (250ms)"
        case .ratio: "a share (1%)"
        case .rate: "a rate (20Mbit/s)"
        case .size: "a size (64kB)"
        case .service: "a service of the system"
        case .signal: "a signal (\(Signal.names.joined(separator: ", ")))"
        case .count: "a whole number"
        case .word(let words): words.joined(separator: " or ")
        case .path: "a path"
        case .offset: "a duration that may be negative (-90s)"
        case .command: "a list of words"
        }
    }

    static func kind(_ kind: ClientDescription.ParameterKind) -> String {
        switch kind {
        case .url: "http://ADDRESS:PORT/PATH"
        case .hostAndPort: "ADDRESS:PORT"
        case .hostsAndPorts: "ADDRESS:PORT,ADDRESS:PORT"
        case .port: "a port"
        case .text: "a text"
        case .duration: "a duration (250ms)"
        case .conninfo: "a libpq connection string"
        case .command: "a list of words"
        case .word(let words): words.joined(separator: " or ")
        }
    }

    private static func unknown(
        _ what: String, _ name: String, _ names: [String]
    ) -> Result<String, DiagnosticList> {
        .failure(
            DiagnosticList([
                Diagnostic(
                    file: "firedrill \(what)s", line: 0, column: 0,
                    message: "unknown \(what) '\(name)'",
                    hint: NearWord.hintWithList(name, names, "\(what)s"))
            ]))
    }
}
