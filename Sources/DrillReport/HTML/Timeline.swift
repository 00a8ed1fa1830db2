import DrillCore

/// What the picture of a trial shows, before anything is drawn. All instants are milliseconds from the trial's first
/// intended operation, as in `report.json`.
struct Timeline {
    struct Band {
        var step: String
        var title: String
        var start: Double
        /// Nil where the step heals nothing.
        var end: Double?
    }

    struct Mark {
        /// Where there are several: an instant belongs to one of them.
        var step: String?
        /// Empty for the heal, which has no name among the phases (docs/MEASUREMENT.md).
        var name: String
        var meaning: String
        var at: Double
    }

    struct Recovery {
        var step: String
        var from: Double
        var rto: Measure
        var predicted: ClosedRange<Double>?
        var source: String?
    }

    struct Stream {
        var name: String
        var operations: [ClientOperation]
        var slow: Duration
    }

    var origin: RunInstant
    var end: Double
    var bands: [Band]
    var marks: [Mark]
    var recoveries: [Recovery]
    var lanes: [RoleLane]
    var overlaps: [RoleLane.Span]
    var streams: [Stream]
    var outages: [(stream: String, outage: OutageReport)]
    var splitBrain: SplitBrainReport

    init?(_ trial: TrialReport, _ history: History, _ record: RunRecord, _ language: Language) {
        let intended = history.streams.compactMap { $0.operations.first?.intended }.min()
        guard let origin = intended ?? history.events.first?.interval.low else { return nil }
        self.origin = origin
        func at(_ instant: RunInstant) -> Double { (instant - origin).milliseconds }
        let lastIntended = history.streams.compactMap { $0.operations.last?.intended }.max()
        let lastEvent = history.events.map(\.interval.high).max()
        end = max(1, at(max(lastIntended ?? origin, lastEvent ?? origin)))

        var healBegun: [String: Double] = [:]
        for event in history.events {
            if case .healBegun(let step) = event.kind {
                healBegun[step.rawValue] = at(event.interval.low)
            }
        }
        bands = []
        marks = []
        recoveries = []
        let several = trial.steps.count > 1
        for step in trial.steps {
            let instants = step.instants
            guard let t0 = instants.t0Low ?? instants.t0High else { continue }
            let action = step.fault ?? step.action ?? ""
            let heals = step.fault != nil && step.heal != nil
            bands.append(
                Band(
                    step: step.step,
                    title: "\(step.step): \(action)" + (step.host.map { " @ \($0)" } ?? ""),
                    start: t0, end: healBegun[step.step] ?? (heals ? end : nil)))
            for instant in Instant.all {
                guard let at = instant.value(instants) else { continue }
                if !step.measured, instant.name != "t0" { continue }
                marks.append(
                    Mark(
                        step: several ? step.step : nil, name: instant.name,
                        meaning: instant.meaning(language), at: at))
            }
            if let heal = healBegun[step.step] {
                marks.append(
                    Mark(
                        step: several ? step.step : nil, name: "",
                        meaning: language("heal begins", "开始复原"),
                        at: heal))
            }
            let shown =
                step.rto.status == .censored
                || (step.rto.status == .measured && (step.rto.value ?? 0) > 0 && instants.t5 != nil)
            if step.measured, shown {
                let theory = record.system.prediction
                let predicted = theory?.rto(of: step, in: trial)
                recoveries.append(
                    Recovery(
                        step: step.step, from: t0, rto: step.rto, predicted: predicted,
                        source: predicted == nil ? nil : theory?.source))
            }
        }
        marks.sort { ($0.at, $0.name) < ($1.at, $1.name) }

        lanes = RoleLane.lanes(
            history, among: record.system.roles?.among ?? [], origin: origin, end: end)
        overlaps = RoleLane.overlaps(lanes)
        streams = history.streams.map { stream in
            let reported = trial.streams.first { $0.stream == stream.name.rawValue }
            let slow = reported?.slow ?? trial.slow
            return Stream(
                name: stream.name.rawValue, operations: stream.operations,
                slow: .nanoseconds(Int64(slow * 1e6)))
        }
        outages = trial.streams.flatMap { stream in stream.outages.map { (stream.stream, $0) } }
        splitBrain = trial.splitBrain
    }

    /// The instants of the phases (docs/MEASUREMENT.md), in their order.
    struct Instant: Sendable {
        var name: String
        var english: String
        var chinese: String
        var value: @Sendable (StepReport.Instants) -> Double?

        func meaning(_ language: Language) -> String { language(english, chinese) }

        static let all = [
            Instant(name: "t0", english: "fault", chinese: "故障生效") { $0.t0Low ?? $0.t0High },
            Instant(name: "t1", english: "first failure", chinese: "首次失败") { $0.t1 },
            Instant(name: "t2", english: "noticed", chinese: "系统察觉") { $0.t2 },
            Instant(name: "t3", english: "new primary", chinese: "新主就位") { $0.t3 },
            Instant(name: "t4", english: "its first good answer", chinese: "新主首次应答") { $0.t4 },
            Instant(name: "t5", english: "service back", chinese: "服务恢复") { $0.t5 },
            Instant(name: "t6", english: "redundant again", chinese: "冗余恢复") { $0.t6 },
            Instant(name: "t7", english: "healed and steady", chinese: "全部复原") { $0.t7 },
        ]
    }

    /// Worth a picture of its own: an outage that is a small part of the trial.
    var closeUps: [ClosedRange<Double>] {
        recoveries.compactMap { recovery in
            guard recovery.rto.status == .measured, let value = recovery.rto.value else {
                return nil
            }
            let predicted = recovery.predicted.map { min($0.upperBound, value * 4) } ?? 0
            let last = max(value, predicted)
            let margin = max(last * 0.12, 20)
            guard last + 2 * margin < end * 0.5 else { return nil }
            return max(0, recovery.from - margin)...min(end, recovery.from + last + margin)
        }
    }
}
