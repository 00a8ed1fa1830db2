package import DrillCore

/// Known outages against what the analysis of any trial says of them. Pure.
package enum Calibration {
    /// An outage that was made: when the silence took effect, and when it ended, each as the kernel's interval.
    package struct Known: Hashable, Sendable {
        package var began: InstantInterval
        package var ended: InstantInterval
        package init(began: InstantInterval, ended: InstantInterval) {
            self.began = began
            self.ended = ended
        }

        /// The shortest and the longest that it can have been, in milliseconds.
        package var length: ClosedRange<Double> {
            let low = max(.zero, ended.low - began.high)
            return low.milliseconds...max(low, ended.high - began.low).milliseconds
        }
    }

    /// What one known outage was measured as, and how long it was.
    package struct Sample: Hashable, Sendable {
        package var truth: ClosedRange<Double>
        package var outage: Measure
        package var rto: Measure
    }

    /// What must be around an outage for its analysis: a clean stretch before it and one after.
    package static let margin = Duration.milliseconds(400)
    package static let stable = Duration.milliseconds(200)

    /// - Parameters:
    ///   - known: in the order of time, `margin` and more apart.
    ///   - workload: the one that made `operations`, at a constant rate.
    ///   - operations: of one stream, sorted by intended instant.
    package static func measure(
        _ known: [Known], workload: Workload, operations: [ClientOperation]
    ) -> [Sample] {
        var start = operations.startIndex
        return known.map { outage in
            let from = outage.began.low - margin
            let to = outage.ended.high + margin
            start = operations[start...].firstIndex { $0.intended >= from } ?? operations.endIndex
            let part = Array(operations[start...].prefix { $0.intended <= to })
            let report = TrialAnalysis.analyze(
                TrialInput(
                    scenario: scenario(workload), system: system,
                    history: History(
                        streams: [OperationStream(name: workload.streams[0], operations: part)],
                        events: [
                            HistoryEvent(
                                InstantInterval(outage.began.low - stable), .steady(phase: .before)),
                            HistoryEvent(
                                outage.began,
                                .injected(
                                    step: "silence", fault: "link.partition", host: nil, role: nil)),
                            HistoryEvent(InstantInterval(to), .end(reason: "complete")),
                        ]), index: 1))
            let step = report.steps[0]
            return Sample(truth: outage.length, outage: step.outage, rto: step.rto)
        }
    }

    /// The silence is no step that heals: its end is the system's own recovery.
    private static func scenario(_ workload: Workload) -> Scenario {
        Scenario(
            name: "calibrate", workloads: [workload],
            steadyState: SteadyState(successRate: 1, duration: stable), stable: stable,
            timeline: [
                Step(
                    id: "silence",
                    action: .fault(
                        FaultUse(fault: "link.partition", target: .host(.host("server")))))
            ])
    }

    private static let system = System(
        name: "calibrate",
        hosts: [Host(name: "server", addresses: []), Host(name: "client", addresses: [])])

    /// A measure that is not known holds nothing and is within nothing.
    package static func compare(
        _ samples: [Sample], _ path: KeyPath<Sample, Measure>
    ) -> CalibrationReport.Comparison {
        var errors: [Double] = []
        var widths: [Double] = []
        var holding = 0
        var within = 0
        for sample in samples {
            let measure = sample[keyPath: path]
            guard let value = measure.value, let low = measure.low, let high = measure.high else {
                continue
            }
            let middle = (sample.truth.lowerBound + sample.truth.upperBound) / 2
            errors.append(value - middle)
            widths.append(high - low)
            if low <= sample.truth.upperBound, sample.truth.lowerBound <= high { holding += 1 }
            if abs(value - middle) <= high - low + 1 { within += 1 }
        }
        errors.sort()
        widths.sort()
        return CalibrationReport.Comparison(
            count: samples.count, holding: holding, within: within,
            errorMedian: errors.isEmpty ? 0 : errors[errors.count / 2],
            errorLowest: errors.first ?? 0, errorHighest: errors.last ?? 0,
            widthMedian: widths.isEmpty ? 0 : widths[widths.count / 2],
            widthHighest: widths.last ?? 0)
    }
}
