import DrillCore
import DrillFaults

/// What is done, seen and undone, a line each, for `firedrill plan` and the reference of faults.
enum PlanLines {
    /// What a link's packets see, both ways together.
    static func effect(of action: Step.Action, _ proof: ProofPlan) -> [String] {
        guard case .fault(let use) = action, case .link(let link) = use.target,
            let treatment = proof.links.first?.treatment
        else { return [] }
        let effect = EffectText.withRoundTrip(treatment.effect, bothWays: link.bothWays)
        let traffic = treatment.traffic == .all ? "" : " \(treatment.traffic)"
        return ["    effect \(link)\(traffic) \(effect)"]
    }

    static func endpoint(_ workload: Workload) -> String {
        let keys = ["url", "address", "sentinels", "endpoints", "conninfo", "command"]
        return keys.lazy.compactMap { workload.parameters[$0] }.first ?? ""
    }

    /// What becomes of the writes of ledgers.
    static func readingBack(_ scenario: Scenario, _ system: System) -> [String] {
        let ledgers = scenario.workloads.filter { $0.operation == .ledger }
        guard !ledgers.isEmpty else { return [] }
        let hosts = system.dataHosts(besides: scenario.workloads)
        let outside = ledgers.first { workload in
            switch workload.from {
            case .host(let host): !hosts.contains(host)
            case .role, .every: false
            }
        }
        let names = ledgers.map(\.name.rawValue).joined(separator: ", ")
        let most = "at most \(system.limits.verify.spelled)"
        let each = hosts.map(\.rawValue).joined(separator: " and ")
        guard let outside else {
            return ["read back (\(names)): at the end, from \(each) one by one, \(most)"]
        }
        return [
            "read back (\(names)):",
            "  a new primary, by \(outside.name), when it has served clients for \(scenario.stable.spelled); a heal waits for it, \(most)",
            "  at the end, by \(outside.name) and from \(each) one by one, \(most)",
        ]
    }

    static func inject(_ operations: [FaultOperation]) -> [String] {
        operations.flatMap { lines("do   ", $0) }
    }

    static func heal(_ operations: [FaultOperation]) -> [String] {
        operations.flatMap { lines("heal ", $0) }
    }

    /// - Parameter environment: what is done to the links all the time.
    static func proof(_ proof: ProofPlan, beside environment: [ProofPlan] = []) -> [String] {
        var lasting = ProofPlan()
        lasting.links = environment.flatMap(\.links)
        var lines: [String] = []
        for path in proof.unreachable {
            lines.append("    proof \(path.from) gets no answer from \(path.to) (\(path.address))")
        }
        for path in proof.reachable {
            lines.append("    proof \(path.from) still reaches \(path.to) (\(path.address))")
        }
        for link in proof.links {
            let rest = lasting.effect(on: link.link, link.treatment.traffic)
            let packets = EffectProof.demand(link.treatment.effect, beside: rest).count
            lines.append(
                "    proof \(path(link.link, link.treatment.traffic)) shows it in \(packets) packets of our own"
            )
        }
        for control in proof.controls {
            let others = proof.links.contains { $0.link == control.link }
            lines.append(
                "    proof \(path(control.link, control.traffic)) flows as before"
                    + (others ? " (other traffic of the link)" : ""))
        }
        for operation in proof.inspections {
            lines.append(
                "    proof looked at on the host, after t0 and before the heal: \(text(operation))")
        }
        return lines
    }

    private static func path(_ link: LinkDirection, _ traffic: TrafficSelector) -> String {
        traffic == .all ? "\(link)" : "\(link), \(traffic),"
    }

    private static func lines(_ word: String, _ operation: FaultOperation) -> [String] {
        ["    \(word) \(text(operation))"]
            + NetlinkMessages.of(operation).map { "            \($0)" }
    }

    private static func text(_ operation: FaultOperation) -> String {
        switch operation {
        case .lab(let operation): text(operation)
        case .host(let host, let operation): "\(host): \(text(operation))"
        }
    }

    private static func text(_ operation: LabOperation) -> String {
        switch operation {
        case .silence(let host): "silence \(host): both directions of its switch ports to a sink"
        case .unsilence(let host): "end the silence of \(host)"
        case .kill(let host): "kill \(host): all its processes, its kernel state with them"
        case .freeze(let host): "freeze \(host): all its processes"
        case .thaw(let host): "thaw \(host)"
        case .boot(let host): "boot \(host): fresh kernel state, its own addresses, its services"
        case .carrier(let host, let network, let up):
            "carrier \(up ? "up" : "down") at the switch port of \(host) on \(network)"
        case .attach(let direction, let treatment):
            "filter at the egress of \(direction.to)'s switch port on \(direction.network): \(arrivals(direction, treatment))"
        case .detach(let direction, let treatment):
            "remove the filter \(direction.from) -> \(direction.to) on \(direction.network)\(treatment.effect == .sink ? "" : ", then the device")"
        case .flap(let host, let network, let period, let duty):
            "carrier of \(host)'s switch port on \(network): down for \((period * duty).spelled) of every \(period.spelled)"
        case .unflap(let host, let network):
            "carrier up at the switch port of \(host) on \(network), and it stays up"
        }
    }

    private static func arrivals(_ link: LinkDirection, _ treatment: LinkTreatment) -> String {
        let what = treatment.traffic == .all ? "all" : "\(treatment.traffic)"
        return switch treatment.effect {
        case .sink: "\(what) that arrived from \(link.from) to a sink"
        case .impair: "\(what) that arrived from \(link.from), \(EffectText.of(treatment.effect))"
        }
    }

    private static func text(_ operation: HostOperation) -> String {
        switch operation {
        case .killService(let service): "SIGKILL to all of \(service)"
        case .stopService(let service): "SIGTERM to \(service), SIGKILL after 5s"
        case .startService(let service): "start \(service)"
        case .pauseService(let service): "stop all processes of \(service)"
        case .continueService(let service): "continue \(service)"
        case .signalService(let service, let number):
            "signal \(Signal.names.first { Signal.number($0) == number } ?? "\(number)") to \(service)"
        case .run(let argv), .command(let argv, _), .undo(let argv): "run \(argv)"
        case .beginStress(let stress): "a helper takes \(HostEffectText.of(stress))"
        case .endStress(let stress): "end the helper that takes \(HostEffectText.of(stress))"
        case .fillDisk(let fill): "a file without a name takes \(HostEffectText.of(fill))"
        case .emptyDisk(let fill): "end the file that takes \(HostEffectText.of(fill))"
        case .skewClock(let service, let offset):
            "clock of \(service) \(HostEffectText.of(offset)), by libfaketime"
        case .resetClock(let service): "clock of \(service) right again"
        case .throttleDisk(let rate):
            "its disk reads and writes at most \(HostEffectText.bytes(Int64(rate))) a second each"
        case .unthrottleDisk: "its disk without that limit"
        }
    }
}
