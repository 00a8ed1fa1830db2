import DrillCore

extension ScenarioReader {
    mutating func readExpectations(
        _ tree: Tree, workloads: [Workload], steps: [Step], trials: Int
    ) -> [Expectation] {
        var expectations: [Expectation] = []
        for entry in reading.named(tree, "'expect'") {
            guard let name = readMetric(entry, workloads: workloads, steps: steps) else { continue }
            let thresholds = entry.value.items ?? [entry.value]
            if thresholds.isEmpty {
                reading.error(entry.value.place, "'\(entry.key)' has no threshold")
            }
            for threshold in thresholds {
                guard let text = reading.text(threshold, "'\(entry.key)'", scope),
                    let condition = readCondition(
                        text, name.metric, entry.key, trials: trials, at: threshold.place)
                else { continue }
                expectations.append(
                    Expectation(
                        metric: name.spelled, step: name.step, workload: name.workload,
                        condition: condition, text: text))
                expectationPlaces.append(threshold.place)
            }
        }
        return expectations
    }

    private struct MetricName {
        var metric: Metric
        var spelled: String
        var step: StepID?
        var workload: WorkloadName?
    }

    /// `[workload.]metric[.part][.step]`
    private func readMetric(
        _ entry: Tree.Entry, workloads: [Workload], steps: [Step]
    ) -> MetricName? {
        var parts = entry.key.split(separator: ".", omittingEmptySubsequences: false).map(
            String.init)
        // Those that could not be read are known names all the same.
        let workloadNames = workloadPlaces.keys.map(\.rawValue).sorted()
        var workload: WorkloadName?
        if parts.count > 1, MetricCatalog.named(parts[0]) == nil, workloadNames.contains(parts[0]) {
            workload = WorkloadName(parts.removeFirst())
        }
        guard let metric = MetricCatalog.named(parts[0]) else {
            let words = MetricCatalog.all.map(\.name) + (workload == nil ? workloadNames : [])
            reading.error(
                entry.place, "unknown metric '\(parts[0])'",
                hint: NearWord.hint(parts[0], words, "metrics"))
            return nil
        }
        if let workload, !metric.perWorkload, !scope.isMasked {
            reading.error(
                entry.place,
                "'\(metric.name)' is one number of the whole trial, not of '\(workload)'",
                hint: "write it without the workload")
            return nil
        }
        parts.removeFirst()
        var spelled = metric.name
        if !metric.parts.isEmpty {
            guard let part = parts.first, metric.parts.contains(part) else {
                let list = metric.parts.map { "\(metric.name).\($0)" }.joined(separator: ", ")
                reading.error(
                    entry.place,
                    parts.isEmpty
                        ? "'\(metric.name)' does not say which: the window decides the number"
                        : "'\(metric.name).\(parts[0])' is no metric", hint: "write one of: \(list)"
                )
                return nil
            }
            spelled += ".\(part)"
            parts.removeFirst()
        }
        var step: StepID?
        if let name = parts.first {
            parts.removeFirst()
            guard metric.perStep,
                metric.name != "success_rate" || spelled.hasSuffix("during_fault"),
                parts.isEmpty
            else {
                reading.error(entry.place, "'\(spelled)' takes no '.\(name)'")
                return nil
            }
            guard stepPlaces[StepID(name)] != nil else {
                reading.error(
                    entry.place, "unknown step '\(name)' in '\(entry.key)'",
                    hint: NearWord.hint(name, stepPlaces.keys.map(\.rawValue).sorted(), "steps"))
                return nil
            }
            step = StepID(name)
        }
        guard
            checkMeasurable(
                metric, spelled, step, entry, workloads: workloads, steps: steps)
        else { return nil }
        return MetricName(metric: metric, spelled: spelled, step: step, workload: workload)
    }

    /// Whether this system and timeline can show the metric at all.
    private func checkMeasurable(
        _ metric: Metric, _ spelled: String, _ step: StepID?, _ entry: Tree.Entry,
        workloads: [Workload], steps: [Step]
    ) -> Bool {
        if stepPlaces.isEmpty, metric.perStep, spelled != "success_rate.overall" {
            reading.error(
                entry.place, "'\(spelled)' needs a step, and the timeline has none",
                hint: "a soak has success_rate.overall, failed, latency, role_changes, split_brain")
            return false
        }
        if let step, let found = steps.first(where: { $0.id == step }), !found.measured {
            reading.error(entry.place, "step '\(step)' is not measured (measure: false)")
            return false
        }
        let needsLedger = ["rpo", "rpo_writes", "replication_lag"].contains(metric.name)
        // A workload that could not be read may have been one.
        if needsLedger, workloads.count == workloadPlaces.count,
            !workloads.contains(where: { $0.operation == .ledger })
        {
            reading.error(
                entry.place, "'\(metric.name)' needs a workload with operation: ledger",
                hint: "only writes that are known one by one can be read back")
            return false
        }
        let needsRegister = ["linearizable", "stale_reads", "lost_updates"].contains(metric.name)
        if needsRegister, workloads.count == workloadPlaces.count,
            !workloads.contains(where: { $0.operation == .register })
        {
            reading.error(
                entry.place, "'\(metric.name)' needs a workload with operation: register",
                hint: "only reads and writes of the same keys can contradict each other")
            return false
        }
        guard isSystemKnown else { return true }
        switch metric.name {
        case "split_brain", "split_brain_time", "role_changes":
            if system.roles == nil {
                reading.error(
                    entry.place, "'\(metric.name)' needs the system's 'roles', and it has none")
                return false
            }
        case "detect":
            if system.noticed == nil {
                reading.error(
                    entry.place, "'detect' needs the system's 'noticed' pattern, and it has none",
                    hint: "add to the system file: noticed: {service: NAME, log: TEXT}")
                return false
            }
        case "time_without_redundancy":
            if system.redundancy == nil {
                reading.error(
                    entry.place,
                    "'time_without_redundancy' needs the system's 'redundancy' probe, and it has none",
                    hint:
                        "add to the system file: redundancy: {host: standby, run: [argv], equals: TEXT}"
                )
                return false
            }
        case _: break
        }
        return true
    }

    // MARK: - Thresholds

    private func readCondition(
        _ text: String, _ metric: Metric, _ key: String, trials: Int, at place: Place
    ) -> Expectation.Condition? {
        if metric.unit == .occurrence {
            let words = metric.words
            if text == words.unseen { return .never }
            if text == words.seen { return .seen }
            reading.error(
                place, "'\(key)' cannot be '\(text)'",
                hint: "write \(words.unseen) or \(words.seen)")
            return nil
        }
        let example = Self.example(metric)
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 3 else {
            reading.error(
                place, "'\(text)' is no threshold of '\(key)'", hint: "such as \"\(example)\"")
            return nil
        }
        guard let aggregate = readAggregate(words[0], trials: trials, at: place) else { return nil }
        guard let comparison = Comparison(rawValue: words[1]) else {
            reading.error(
                place, "unknown comparison '\(words[1])' in '\(text)'",
                hint: "write one of: \(Comparison.allCases.map(\.rawValue).joined(separator: ", "))"
            )
            return nil
        }
        guard let value = readValue(words[2], metric, key, at: place) else { return nil }
        return .threshold(aggregate, comparison, value)
    }

    private static func example(_ metric: Metric) -> String {
        switch metric.unit {
        case .duration: "max <= 5s"
        case .ratio: "min >= 99%"
        case .count: "max == 0"
        case .occurrence: metric.words.unseen
        }
    }

    private func readAggregate(
        _ word: String, trials: Int, at place: Place
    ) -> Expectation.Aggregate? {
        switch word {
        case "min": return .min
        case "median": return .median
        case "max": return .max
        case _: break
        }
        guard word.hasPrefix("p("), word.hasSuffix(")"),
            let percentile = Quantity.count(String(word.dropFirst(2).dropLast())),
            (1...99).contains(percentile)
        else {
            reading.error(
                place, "unknown word '\(word)' before the comparison",
                hint: NearWord.nearest(to: word, in: ["min", "median", "max"]).map {
                    "did you mean '\($0)'?"
                } ?? "write min, median, max or p(N) with N from 1 to 99")
            return nil
        }
        // Nearest rank: from fewer trials, p(N) is their maximum under another name.
        let needed = (100 + 99 - percentile) / (100 - percentile)
        guard trials >= needed else {
            reading.error(
                place,
                "p(\(percentile)) needs \(needed) trials or more; this scenario has \(trials)",
                hint: "write trials: \(needed), or ask for the max")
            return nil
        }
        return .percentile(percentile)
    }

    private func readValue(
        _ word: String, _ metric: Metric, _ key: String, at place: Place
    ) -> Double? {
        func wrong(_ failure: Quantity.Failure, _ noUnit: String, _ example: String) {
            switch failure {
            case .noUnit:
                reading.error(
                    place, "the threshold of '\(key)' needs a unit: \(word) what?", hint: noUnit)
            case .malformed, .tooLarge:
                reading.error(
                    place, "'\(word)' is no value of '\(key)'", hint: "such as \(example)")
            }
        }
        switch metric.unit {
        case .duration:
            switch Quantity.duration(word) {
            case .success(let value): return value.milliseconds
            case .failure(let failure):
                wrong(failure, "write \(word)ms or \(word)s; units: ns, us, ms, s, m, h", "5s")
            }
        case .ratio:
            switch Quantity.ratio(word) {
            case .success(let value): return value
            case .failure(let failure): wrong(failure, Self.shareHint(word), "99.9%")
            }
        case .count:
            if let count = Quantity.count(word) { return Double(count) }
            reading.error(
                place, "'\(word)' is no value of '\(key)'", hint: "a whole number, such as 0")
        case .occurrence: break
        }
        return nil
    }

    /// 0.4 is likely 40 %.
    private static func shareHint(_ word: String) -> String {
        guard let value = Double(word), value > 0, value <= 1 else { return "write \(word)%" }
        return "write \((value * 100).formattedShortly)%, or \(word)% if that is meant"
    }

    // MARK: - Aborts

    mutating func readAborts(_ tree: Tree) -> [AbortCondition] {
        var aborts: [AbortCondition] = []
        for item in reading.items(tree, "'abort'") {
            guard let text = reading.text(item, "an entry of 'abort'", scope) else { continue }
            let words = text.split(separator: " ").map(String.init)
            let hint = "write \"success_rate < 1% for 20s\""
            guard words.count == 5, words[0] == "success_rate", words[3] == "for" else {
                reading.error(item.place, "'\(text)' is no abort condition", hint: hint)
                continue
            }
            guard let comparison = Comparison(rawValue: words[1]) else {
                reading.error(
                    item.place, "unknown comparison '\(words[1])' in '\(text)'", hint: hint)
                continue
            }
            switch (Quantity.ratio(words[2]), Quantity.duration(words[4])) {
            case (.success(let rate), .success(let duration)) where duration > .zero:
                aborts.append(
                    AbortCondition(
                        comparison: comparison, successRate: rate, duration: duration, text: text))
                abortPlaces.append(item.place)
            case (.failure(.noUnit), _):
                reading.error(
                    item.place, "'abort' needs a unit: \(words[2]) what?",
                    hint: "write \(words[2])%")
            case (_, .failure(.noUnit)):
                reading.error(
                    item.place, "'abort' needs a unit: \(words[4]) what?",
                    hint: "write \(words[4])s")
            case _:
                reading.error(item.place, "'\(text)' is no abort condition", hint: hint)
            }
        }
        return aborts
    }
}
