import DrillCore
import DrillFaults

/// docs/FAULTS.md: every fault from the catalog, its example compiled as `firedrill plan` compiles it.
package enum FaultReference {
    /// Ends with a line feed. Fails where a fault's own example is not valid.
    package static func markdown() -> Result<String, DiagnosticList> {
        var text = head
        for fault in FaultCatalog.all.map({ $0.description }) {
            switch section(fault) {
            case .success(let section): text += "\n" + section
            case .failure(let list): return .failure(list)
            }
        }
        return .success(text)
    }

    private static let head = """
        # Faults

        Made by `firedrill faults --markdown` from the catalog; `firedrill faults NAME` prints one of them, and `firedrill plan SCENARIO` the same for a step of yours. In
        the examples a is primary; RTM_… are the netlink messages.

        ## What all have in common

        - **t0** is an interval that certainly holds the moment at which the effect began: from just before the first change was requested to after the kernel acknowledged
          the last one that counts, and read back as asked.
        - **Heal**: an undo record is on disk before each change. It is undone where the value is still what the fault set, else it is left alone (`superseded`), and read back. An
          `environment` is never healed before the lab is taken down.
        - **In effect** means seen, not believed. A fault whose effect was not seen makes the trial inconclusive, with the figures.

        ## Link faults

        - **Where**: `a->b` is a filter (clsact, u32, preference 0xfd1e) at the egress of b's switch port that takes what arrived at a's port: unicast, multicast (VRRP), ARP, IPv6 and
          broadcast of a alike, and nothing of anyone else. It redirects to one device (`laneN`) for each direction and kind of traffic: an `ifb` whose root is netem, or a TAP of our
          emulator; what is cut goes to a sink. The port's own root qdisc is never touched. The filter goes before the device.
        - **Backends**: `netem` where the kernel has it, else our own `emulator` with the same parameters; `firedrill doctor` says which and why, and the report names it.
        - **`traffic: tcp/5432`** (either port), `udp/53`, `vrrp`: only this; IPv4 without options and IPv6 without extension headers. The rest of the link is a control.
        - **Proof**: packets of our own, unicast and to the system's multicast groups and of the same kind as `traffic:`, are sent over the link from before t0 to after the heal. The
          interval of what was seen must hold the request and exclude no effect, in every part of the window. Directions that the fault must leave alone are watched beside it. A
          ratio that the step's length is too short to prove is a diagnostic: 1 % of loss takes 688 packets, 0.1 % takes 6,905.
        - **Together**: what shares a link, a direction and traffic becomes one set of parameters: delays add, independent ratios are 1 − ∏(1 − p), the smallest rate holds, and a cut
          wins. Of jitter, loss with a memory and reordering there is one at most; two that may overlap are a diagnostic. A change of what holds is one message to the same lane, with
          every attribute, zeros included: netem keeps what is absent.
        - **Packets, not super-frames**: hosts of a lab send with gso_max_segs 1, so that one packet is hit and not 64 kB.

        """

    private static func section(_ fault: FaultDescription) -> Result<String, DiagnosticList> {
        let plan: RunPlan
        switch example(fault) {
        case .success(let found): plan = found
        case .failure(let list): return .failure(list)
        }
        var lines = ["## \(fault.name)", "", "\(capitalised(fault.summary)).", ""]
        lines += ["```yaml", "- {fault: \(fault.name), \(fault.example)}", "```", ""]
        lines += parameters(fault)
        lines.append("")
        lines.append("- t0: \(fault.instant)")
        if fault.isCondition { lines.append("- may be an `environment`") }
        if !fault.heals { lines.append("- heals nothing: neither `for` nor `until`") }
        lines += fault.notes.map { "- \($0)" }
        lines += ["", "```"]
        for step in plan.steps {
            guard case .fault(let use) = step.step.action,
                let plan = PossiblePlans(use, plan.system).plans.first
            else { continue }
            lines +=
                (PlanLines.effect(of: step.step.action, plan.proof)
                + PlanLines.inject(plan.inject) + PlanLines.proof(plan.proof)
                + PlanLines.heal(plan.heal)).map { String($0.dropFirst(4)) }
        }
        lines += ["```", ""]
        return .success(lines.joined(separator: "\n"))
    }

    private static func parameters(_ fault: FaultDescription) -> [String] {
        var rows: [(key: String, kind: String, value: String, summary: String)] = []
        switch fault.target {
        case .host: rows.append(("host", "`primary`, `standby` or a host", "required", "where"))
        case .link:
            rows.append(
                ("link", "`\"a->b\"`, `\"a<->b\"`, `\"client<->*\"`", "required", "where"))
        }
        if fault.takesNetwork {
            rows.append(("network", "a network", "the first", "where hosts have several"))
        }
        if fault.target == .link {
            rows.append(
                ("traffic", "`tcp/PORT`, `udp/PORT`, `vrrp`", "all", "only this is hit"))
        }
        rows += fault.parameters.map {
            (
                $0.name, Listing.kind($0.kind),
                $0.required ? "required" : $0.defaultValue.map { "`\($0)`" } ?? "", $0.summary
            )
        }
        return ["| key | value | default | |", "|---|---|---|---|"]
            + rows.map { "| `\($0.key)` | \($0.kind) | \($0.value) | \($0.summary) |" }
    }

    private static func capitalised(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst()
    }

    // MARK: - The example

    private struct Missing: Error {}

    private static func example(_ fault: FaultDescription) -> Result<RunPlan, DiagnosticList> {
        let scenario = """
            apiVersion: firedrill/v1
            kind: Scenario
            name: example
            system: system.yaml
            workloads:
              web: {client: http, url: "http://{{vip}}/", rate: 500/s}
            timeline:
              - {fault: \(fault.name), \(fault.example)}

            """
        let files = ["example of \(fault.name)": scenario, "system.yaml": system]
        let cells = ScenarioLoader.load(
            path: "example of \(fault.name)", options: .init(templatesRequired: false),
            readFile: { path in
                guard let text = files[path] else { throw Missing() }
                return Array(text.utf8)
            })
        return cells.map { RunPlan($0[0]) }
    }

    private static let system = """
        apiVersion: firedrill/v1
        kind: System
        name: example
        networks:
          main: {subnet: 10.77.0.0/24, vips: [10.77.0.10]}
        hosts:
          a: {address: 10.77.0.11}
          b: {address: 10.77.0.12}
          client: {address: 10.77.0.100}
        services:
          web: {hosts: [a, b], run: [web], ready: {tcp: 80}}
        roles:
          among: [a, b]
          primary: {holds: "{{vip}}"}

        """
}
