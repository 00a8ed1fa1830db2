import DrillCore

/// What can only be judged when everything was read.
extension ScenarioReader {
    func check(_ scenario: Scenario) {
        let streams = StreamPlan.all(scenario)
        checkStreams(streams, scenario)
        checkRecoveryThresholds(streams, scenario)
        checkLengths(scenario)
        checkAborts(scenario)
        checkPorts(scenario)
        checkLinks(scenario)
        checkLedgers(scenario)
    }

    /// One client reads all ledgers of a trial back.
    private func checkLedgers(_ scenario: Scenario) {
        let ledgers = scenario.workloads.filter { $0.operation == .ledger }
        guard let first = ledgers.first else { return }
        for other in ledgers where other.client == first.client {
            let own = other.parameters["database"]
            guard own != first.parameters["database"] else { continue }
            reading.error(
                workloadPlaces[other.name]?["database"]?.place ?? tree.place,
                "the ledgers '\(first.name)' and '\(other.name)' have different databases, and all are read back from the first one's",
                hint: "write the same database for both, or operation: get")
        }
        for other in ledgers
        where other.client == first.client && other.client == "process"
            && other.parameters["command"] != first.parameters["command"]
        {
            reading.warning(
                workloadPlaces[other.name]?["command"]?.place ?? tree.place,
                "the ledgers '\(first.name)' and '\(other.name)' have different commands: both are read back by the first one's, which has to see what the other wrote"
            )
        }
        guard let other = ledgers.first(where: { $0.client != first.client }) else { return }
        reading.error(
            workloadPlaces[other.name]?["client"]?.place ?? tree.place,
            "the ledgers '\(first.name)' and '\(other.name)' have different clients, and one client reads all back",
            hint: "write client: \(first.client), or operation: get")
    }

    /// Fewer than 20 operations in a stretch cannot tell noise from an outage.
    private func checkStreams(_ streams: [StreamPlan], _ scenario: Scenario) {
        var told: Set<WorkloadName> = []
        for stream in streams where stream.operations < 20 && told.insert(stream.workload).inserted
        {
            let fields = workloadPlaces[stream.workload]
            let place = fields?["rate"]?.place ?? tree.place
            let seconds = Double(scenario.stable.nanoseconds) / 1e9
            let rate = Int((20 / seconds).rounded(.up))
            let stable = Duration.milliseconds(Int64((20_000 / stream.rate).rounded(.up)))
            reading.error(
                place,
                "stream \(stream.stream) has \(stream.operations) operations in stable.for \(scenario.stable.spelled); 20 are needed to end an outage",
                hint: "write rate: \(rate)/s or more, or stable: {for: \(stable.spelled)}")
        }
    }

    private func largest(_ metric: String, for step: StepID, _ scenario: Scenario) -> (
        value: Double, text: String
    )? {
        var largest: (value: Double, text: String)?
        for expectation in scenario.expectations
        where expectation.metric == metric && (expectation.step ?? step) == step {
            guard case .threshold(_, let comparison, let value) = expectation.condition,
                comparison == .less || comparison == .lessOrEqual,
                value > (largest?.value ?? -1)
            else { continue }
            largest = (value, expectation.text)
        }
        return largest
    }

    /// An upper threshold below what the stream can show can never be passed.
    private func checkRecoveryThresholds(_ streams: [StreamPlan], _ scenario: Scenario) {
        for (expectation, place) in zip(scenario.expectations, expectationPlaces)
        where expectation.metric == "rto" {
            guard case .threshold(_, let comparison, let value) = expectation.condition else {
                continue
            }
            switch comparison {
            case .greater, .greaterOrEqual: continue
            case .less, .lessOrEqual, .equal: break
            }
            let judged = streams.filter { (expectation.workload ?? $0.workload) == $0.workload }
            guard let worst = judged.max(by: { $0.smallestRTO < $1.smallestRTO }),
                value < worst.smallestRTO.milliseconds
            else { continue }
            let periods = worst.k == 1 ? "1 period" : "\(worst.k) periods"
            reading.error(
                place,
                "no RTO below \(worst.smallestRTO.spelled) can be shown: stream \(worst.stream) has slow \(worst.slow.spelled) + \(periods) of \(worst.period.spelled)",
                hint:
                    "ask for \(worst.smallestRTO.spelled) or more, or lower slow, or raise the rate"
            )
        }
    }

    /// The heal must not come before an outage as long as is allowed could be seen to end.
    private func checkLengths(_ scenario: Scenario) {
        for step in scenario.timeline {
            guard case .duration(let length) = step.end, step.measured,
                let largest = largest("rto", for: step.id, scenario)
            else { continue }
            let needed = Duration.nanoseconds(Int64(largest.value * 1e6)) + scenario.stable
            guard length < needed else { continue }
            reading.error(
                stepPlaces[step.id]?["for"]?.place ?? tree.place,
                "for: \(length.spelled) is too short: an RTO that passes '\(largest.text)' needs \(needed.spelled) with stable.for \(scenario.stable.spelled)",
                hint:
                    "write for: \(needed.spelled), or until: {event: stable, plus: 5s, at_most: 60s}"
            )
        }
    }

    private func checkAborts(_ scenario: Scenario) {
        let length = RunBound.afterSteadyState(of: scenario)
        for (abort, place) in zip(scenario.aborts, abortPlaces) where abort.duration > length {
            reading.error(
                place,
                "'abort' looks at \(abort.duration.spelled), and the run is over after \(length.spelled) at most",
                hint: "write a shorter one: for \(min(.seconds(20), length).spelled)")
        }
    }

    private func checkPorts(_ scenario: Scenario) {
        for budget in PortBudget.all(scenario) where !budget.isEnough {
            let names = budget.workloads
            guard let fields = names.first.flatMap({ workloadPlaces[$0] }),
                let workload = scenario.workloads.first(where: { $0.name == names.first })
            else { continue }
            let isReset = workload.parameters["close"] == "rst"
            let most = Int(
                workload.rate * Double(PortBudget.ports) / Double(budget.needed))
            var hint = "lower the rate to \(most)/s"
            if isReset {
                hint += ", or the timeout"
            } else {
                hint += ", or use lanes: [kept]"
                if workload.client == "http" { hint += ", or close: rst" }
            }
            reading.error(
                fields["rate"]?.place ?? tree.place,
                "fresh connections to \(budget.destination) need \(budget.needed) local ports at once; there are \(PortBudget.ports)"
                    + (isReset ? "" : " (a closed one is held for 60s)"), hint: hint)
        }
    }
}
