import DrillCore
import DrillFaults

/// Link faults that meet on one link, and effects that nobody could prove.
extension ScenarioReader {
    /// Something that is done to links for a while.
    private struct Doing {
        /// Nil: the environment's.
        var step: Step?
        var use: FaultUse
        var place: Place
        var treatments: [(link: LinkDirection, treatment: LinkTreatment)]

        var name: String { step.map { "step '\($0.id)'" } ?? "the environment" }
    }

    func checkLinks(_ scenario: Scenario) {
        guard isSystemKnown else { return }
        let doings = doings(scenario)
        let lasting = doings.filter { $0.step == nil }
        for (index, doing) in doings.enumerated() {
            checkProof(doing, beside: doing.step == nil ? [] : lasting, scenario)
            for earlier in doings[..<index] { checkMeeting(earlier, doing, scenario) }
        }
    }

    private func doings(_ scenario: Scenario) -> [Doing] {
        let lasting = zip(scenario.environment, environmentPlaces).map { use, fields in
            Doing(
                step: nil, use: use, place: fields.keyPlace("fault"),
                treatments: PossiblePlans(use, system).treatments)
        }
        let steps = scenario.timeline.compactMap { step -> Doing? in
            guard case .fault(let use) = step.action else { return nil }
            return Doing(
                step: step, use: use, place: stepPlaces[step.id]?.keyPlace("fault") ?? tree.place,
                treatments: PossiblePlans(use, system).treatments)
        }
        return lasting + steps
    }

    /// Parameters of faults on one link and direction become one set; not all have a sum.
    private func checkMeeting(_ a: Doing, _ b: Doing, _ scenario: Scenario) {
        if let first = a.step, let second = b.step,
            StepWindow.areApart(first, second, in: scenario.timeline)
        {
            return
        }
        for (link, ours) in a.treatments {
            for (other, theirs) in b.treatments
            where link == other && ours.traffic.meets(theirs.traffic) {
                guard case .impair(let left) = ours.effect,
                    case .impair(let right) = theirs.effect
                else { continue }
                do throws(MergeConflict) {
                    _ = try Impairment.merged([left, right])
                } catch {
                    conflict(a, b, on: link, error)
                    return
                }
            }
        }
    }

    private func conflict(
        _ a: Doing, _ b: Doing, on link: LinkDirection, _ conflict: MergeConflict
    ) {
        let hint: String =
            if let first = a.step, b.step != nil {
                "let one end \(StepWindow.margin.spelled) before the other begins (at and for), or begin after: {event: \(first.id).healed}"
            } else {
                "the environment is never healed: one of the two must do without"
            }
        reading.error(
            b.place,
            "\(b.use.fault) of \(b.name) meets \(a.use.fault) of \(a.name) (\(a.place.file):\(a.place.line):\(a.place.column)) on \(link): \(conflict)",
            hint: hint)
    }

    /// Whether so many packets as the effect needs can be sent in the longest time that it may hold.
    private func checkProof(_ doing: Doing, beside lasting: [Doing], _ scenario: Scenario) {
        let fields = doing.step.flatMap { stepPlaces[$0.id] }
        var window = RunBound.trial(of: scenario)
        var place = doing.place
        if let step = doing.step {
            window = StepWindow.most(step) ?? scenario.observe
            for key in ["for", "until"] { place = fields?[key]?.place ?? place }
        }
        for (link, treatment) in doing.treatments {
            let others = lasting.flatMap(\.treatments).filter {
                $0.link == link && $0.treatment.covers(treatment.traffic)
            }.map(\.treatment.effect)
            let rest: LinkEffect?
            do throws(MergeConflict) {
                rest = try LinkEffect.sum(others)
            } catch {
                // Told as what it is already.
                continue
            }
            guard
                let problem = EffectProof.problem(treatment.effect, beside: rest, within: window)
            else { continue }
            reading.error(place, "\(doing.use.fault) of \(doing.name) on \(link): \(problem)")
            return
        }
    }
}

extension TrafficSelector {
    /// Whether one packet may be of both kinds.
    func meets(_ other: TrafficSelector) -> Bool { self == other || self == .all || other == .all }
}
