import DrillCore
import DrillFaults

extension RunPlan {
    /// What `firedrill plan` prints; ends with a line feed.
    package var rendered: String {
        var lines: [String] = []
        let cell = scenario.cell.isEmpty ? "" : " [\(cellText)]"
        lines.append("\(scenario.name)\(cell) on \(system.name) (\(system.lab.rawValue))")
        if !scenario.title.isEmpty { lines.append("  \(scenario.title)") }
        if let harm = scenario.knownUnsafe { lines.append("  known unsafe: \(harm)") }
        let trials = scenario.trials == 1 ? "1 trial" : "\(scenario.trials) trials"
        let retries = scenario.retries == 0 ? "" : ", up to \(scenario.retries) retried"
        lines.append(
            "  \(trials)\(retries), each at most \(trialBound.spelled) and the time to start hosts")
        lines.append("")
        lines.append(contentsOf: workloadLines)
        lines.append(contentsOf: steadyLines)
        lines.append(contentsOf: timelineLines)
        lines.append(contentsOf: expectationLines)
        lines.append(contentsOf: predictionLines)
        if !capabilities.isEmpty {
            lines.append("")
            lines.append("cannot run with this version:")
            lines += capabilities.map { "  \($0)" }
        }
        if !warnings.isEmpty {
            lines.append("")
            lines += warnings.map(\.rendered)
        }
        return Secrets.mask(lines.joined(separator: "\n") + "\n", secrets)
    }

    private var cellText: String {
        scenario.cell.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            .joined(separator: " ")
    }

    private var workloadLines: [String] {
        var lines = ["workloads:"]
        for workload in scenario.workloads {
            let target = workload.parameters["url"] ?? workload.parameters["address"] ?? ""
            lines.append(
                "  \(workload.name): \(workload.client) \(target) from \(workload.from), \(workload.rate.formattedShortly)/s a lane, \(workload.arrival.rawValue), timeout \(workload.timeout.spelled), slow \(workload.slow.spelled)"
            )
            for stream in streams where stream.workload == workload.name {
                lines.append(
                    "    \(stream.stream): N \(stream.operations), k \(stream.k), at least \(stream.leastSent) sent, \(stream.connections) connections; sees outages from \(stream.smallestOutage.spelled), judges RTO from \(stream.smallestRTO.spelled)"
                )
            }
        }
        for budget in ports {
            lines.append(
                "  local ports to \(budget.destination): \(budget.needed) of \(PortBudget.ports)")
        }
        return lines
    }

    private var steadyLines: [String] {
        let rate = (scenario.steadyState.successRate * 100).formattedShortly
        return [
            "steady state: \(rate) % good for \(scenario.steadyState.duration.spelled), awaited for \(system.limits.steady.spelled); stable means \(scenario.stable.spelled)"
        ]
    }

    // MARK: - Timeline

    private var timelineLines: [String] {
        guard !steps.isEmpty else {
            return ["timeline: none, a soak of \(scenario.observe.spelled)"]
        }
        var lines = ["timeline:"]
        for plan in steps {
            let step = plan.step
            let target = plan.target.isEmpty ? "" : " \(plan.target)"
            let measured = step.measured ? "" : ", not measured"
            lines.append("  \(step.id): \(started(step)) \(step.actionName)\(target)\(measured)")
            if let problem = plan.problem { lines.append("    cannot: \(problem)") }
            lines += plan.inject.flatMap { Self.lines("do   ", $0) }
            lines += proofLines(plan.proof)
            lines.append("    until \(ended(step))")
            lines += plan.heal.flatMap { Self.lines("heal ", $0) }
        }
        lines.append("  observe \(scenario.observe.spelled) at most after the last step")
        return lines
    }

    private func started(_ step: Step) -> String {
        let jitter = step.jitter == .zero ? "" : " + [0, \(step.jitter.spelled)]"
        switch step.start {
        case .at(let instant): return "at \(instant.spelled)\(jitter)"
        case .after(let reference, let plus, let atMost):
            let later = plus == .zero ? "" : " + \(plus.spelled)"
            return
                "after \(reference.step).\(reference.event.rawValue)\(later)\(jitter) (within \(atMost.spelled))"
        }
    }

    private func ended(_ step: Step) -> String {
        switch step.end {
        case .none: return "at once: it heals nothing"
        case .duration(let length): return "\(length.spelled) later"
        case .observation: return "the end of the observation"
        case .event(let reference, let plus, let atMost):
            let name =
                reference.step == step.id
                ? reference.event.rawValue : "\(reference.step).\(reference.event.rawValue)"
            let later = plus == .zero ? "" : " + \(plus.spelled)"
            return "\(name)\(later) (within \(atMost.spelled))"
        }
    }

    private func proofLines(_ proof: ProofPlan) -> [String] {
        var lines: [String] = []
        for path in proof.unreachable {
            lines.append("    proof \(path.from) gets no answer from \(path.to) (\(path.address))")
        }
        for path in proof.reachable {
            lines.append("    proof \(path.from) still reaches \(path.to) (\(path.address))")
        }
        return lines
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
        case .attach(let direction, _):
            "filter at the egress of \(direction.to)'s switch port on \(direction.network): all that arrived from \(direction.from) to a sink"
        case .detach(let direction, _):
            "remove the filter \(direction.from) -> \(direction.to) on \(direction.network)"
        case .flap(let host, let network, let period, _):
            "flap the carrier of \(host) on \(network) every \(period.spelled)"
        case .unflap(let host, let network): "carrier of \(host) on \(network) stays up"
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
        case .run(let argv), .command(let argv, _): "run \(argv)"
        case .beginStress(let stress): "begin \(stress)"
        case .endStress(let stress): "end \(stress)"
        case .fillDisk(let fill): "fill \(fill.folder)"
        case .emptyDisk(let fill): "remove what filled \(fill.folder)"
        case .skewClock(let service, let offset): "clock of \(service) by \(offset)"
        case .resetClock(let service): "clock of \(service) as it is"
        case .throttleDisk(let rate): "disk at \(rate) bytes a second"
        case .unthrottleDisk: "disk as it is"
        }
    }

    // MARK: - Expectations

    private var expectationLines: [String] {
        guard !scenario.expectations.isEmpty || !scenario.aborts.isEmpty else {
            return ["expect: nothing"]
        }
        var lines = ["expect:"]
        for expectation in scenario.expectations {
            let workload = expectation.workload.map { "\($0)." } ?? ""
            let step = expectation.step.map { ".\($0)" } ?? ""
            let implied = expectation.implied ? " (implied)" : ""
            lines.append("  \(workload)\(expectation.metric)\(step): \(expectation.text)\(implied)")
        }
        lines += scenario.aborts.map { "  abort when \($0.text)" }
        return lines
    }

    private var predictionLines: [String] {
        guard let prediction = system.prediction else { return [] }
        var lines = ["predicted RTO (\(prediction.source)):"]
        let ranges = prediction.rtoBySurvivor.sorted { $0.key < $1.key }
        for (host, range) in ranges {
            lines.append(
                "  where \(host) survives: \(Self.seconds(range.lowerBound))–\(Self.seconds(range.upperBound)) s"
            )
        }
        return lines
    }

    private static func seconds(_ milliseconds: Double) -> String {
        let value = Int((milliseconds).rounded())
        let rest = String(value % 1000)
        return "\(value / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }
}
