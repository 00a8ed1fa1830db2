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
        lines.append(contentsOf: environmentLines)
        lines.append(contentsOf: steadyLines)
        lines.append(contentsOf: timelineLines)
        lines.append(contentsOf: PlanLines.readingBack(scenario, system))
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
            let target = PlanLines.endpoint(workload)
            let operation = workload.operation == .get ? "" : " \(workload.operation.rawValue)"
            lines.append(
                "  \(workload.name): \(workload.client)\(operation) \(target) from \(workload.from), \(workload.rate.formattedShortly)/s a lane, \(workload.arrival.rawValue), timeout \(workload.timeout.spelled), slow \(workload.slow.spelled)"
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

    private var environmentLines: [String] {
        guard !environment.isEmpty else { return [] }
        var lines = ["environment, from before the steady state to the end:"]
        for plan in environment {
            lines.append("  \(plan.use.fault) \(plan.use.target)")
            if let problem = plan.problem { lines.append("    cannot: \(problem)") }
            lines += PlanLines.effect(of: .fault(plan.use), plan.proof)
            lines += PlanLines.inject(plan.inject)
            lines += PlanLines.proof(plan.proof)
        }
        return lines
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
            lines += PlanLines.effect(of: step.action, plan.proof)
            lines += PlanLines.inject(plan.inject)
            lines += PlanLines.proof(plan.proof, beside: environment.map(\.proof))
            lines.append("    until \(ended(step))")
            lines += PlanLines.heal(plan.heal)
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
