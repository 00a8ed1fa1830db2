import DrillCore
import DrillFaults

extension ScenarioReader {
    mutating func readTimeline(_ tree: Tree) -> [Step] {
        let items = reading.items(tree, "'timeline'")
        var ids: [StepID] = []
        for (index, item) in items.enumerated() {
            let id = readID(item, index: index, count: items.count)
            if ids.contains(id) {
                reading.error(item["id"]?.place ?? item.place, "step '\(id)' is there twice")
            }
            ids.append(id)
        }
        var steps: [Step] = []
        for (item, id) in zip(items, ids) {
            if let step = readStep(item, id: id, ids: ids) { steps.append(step) }
        }
        checkEvents(steps)
        return steps
    }

    private func readID(_ item: Tree, index: Int, count: Int) -> StepID {
        guard let tree = item["id"] else {
            if count > 1, item.entries != nil {
                reading.error(
                    item.place, "this step needs 'id': the timeline has \(count) steps",
                    hint: "such as id: kill")
            }
            return StepID(count > 1 ? "step\(index + 1)" : "step")
        }
        guard let text = reading.text(tree, "'id'", scope) else {
            return StepID("step\(index + 1)")
        }
        reading.checkName(text, "a step's id", at: tree.place)
        return StepID(text)
    }

    private mutating func readStep(_ item: Tree, id: StepID, ids: [StepID]) -> Step? {
        let what = "step '\(id)'"
        let (keys, known) = Self.keys(Grammar.step, of: item)
        guard let fields = reading.fields(item, what, keys, checkUnknown: known) else { return nil }
        stepPlaces[id] = fields
        let action: Step.Action?
        var heals = true
        switch (fields["fault"], fields["do"]) {
        case (nil, nil):
            reading.error(
                item.place, "\(what) needs 'fault' or 'do'",
                hint:
                    "fault: \(FaultCatalog.all.map { $0.description.name }.joined(separator: ", "))"
            )
            action = nil
        case (_?, _?):
            reading.error(fields.keyPlace("do"), "\(what) has both 'fault' and 'do'")
            action = nil
        case (_?, nil):
            let fault = readFault(fields)
            heals = fault?.description.heals ?? true
            action = fault.map { .fault($0.use) }
            // Without its description nothing can be said of what ends it.
            if fault == nil, fields["fault"].flatMap(\.text).flatMap(FaultCatalog.named) == nil {
                _ = readStart(fields, what, ids: ids)
                return nil
            }
            if fault == nil, let name = fields["fault"]?.text {
                heals = FaultCatalog.named(name)?.description.heals ?? true
            }
        case (nil, let doTree?):
            heals = false
            let word = reading.word(doTree, "'do'", ["switchover"], scope)
            for key in ["host", "link", "network", "traffic"] where fields[key] != nil {
                reading.error(
                    fields.keyPlace(key), "'do: switchover' takes no '\(key)'",
                    hint: "the system file says how it is done")
            }
            if word != nil, isSystemKnown, system.switchover == nil {
                reading.error(
                    doTree.place, "the system has no 'switchover'",
                    hint: "add to the system file: switchover: {host: primary, run: [argv]}")
            }
            action = word.map { _ in .switchover }
        }
        let start = readStart(fields, what, ids: ids)
        let end = readEnd(fields, what, id: id, ids: ids, heals: heals)
        let measured = fields["measure"].flatMap { reading.flag($0, "'measure'", scope) } ?? true
        guard let action, let start, let end else { return nil }
        // A fault's own key wins: the jitter of a link.delay is that of its delay.
        let isOwn =
            fields["fault"]?.text.flatMap(FaultCatalog.named)?.description.parameters
            .contains { $0.name == "jitter" } ?? false
        return Step(
            id: id, start: start, jitter: isOwn ? .zero : readJitter(fields, start),
            action: action, end: end, measured: measured)
    }

    private func readJitter(_ fields: Fields, _ start: Step.Start) -> Duration {
        let given = fields["jitter"].flatMap { reading.duration($0, "'jitter'", scope) }
        switch start {
        case .after: return given ?? .zero
        case .at:
            guard let given, let tree = fields["jitter"] else {
                return max(.seconds(1), system.limits.timer)
            }
            if given < system.limits.timer {
                reading.warning(
                    tree.place,
                    "jitter \(given.spelled) is shorter than the system's timer (\(system.limits.timer.spelled)): the RTO is that of one phase of it",
                    hint: "leave jitter out, or write \(system.limits.timer.spelled)")
            }
            return given
        }
    }

    private func readStart(_ fields: Fields, _ what: String, ids: [StepID]) -> Step.Start? {
        switch (fields["at"], fields["after"]) {
        case (nil, nil): return .at(.zero)
        case (_?, _?):
            reading.error(fields.keyPlace("after"), "\(what) has both 'at' and 'after'")
            return nil
        case (let at?, nil): return reading.duration(at, "'at'", scope).map { .at($0) }
        case (nil, let after?):
            guard let wait = readWait(after, "'after'", ids: ids, own: nil) else { return nil }
            return .after(wait.event, plus: wait.plus, atMost: wait.atMost)
        }
    }

    private func readEnd(
        _ fields: Fields, _ what: String, id: StepID, ids: [StepID], heals: Bool
    ) -> Step.End? {
        let name = fields["fault"]?.text ?? "do: switchover"
        guard heals else {
            for key in ["for", "until"] where fields[key] != nil {
                reading.error(
                    fields.keyPlace(key), "\(name) heals nothing and takes no '\(key)'")
            }
            return Step.End.none
        }
        switch (fields["for"], fields["until"]) {
        case (nil, nil):
            reading.error(
                fields.place, "\(what) needs 'for' or 'until': when does the heal begin?",
                hint: "such as until: {event: stable, plus: 5s, at_most: 60s}")
            return nil
        case (_?, _?):
            reading.error(fields.keyPlace("until"), "\(what) has both 'for' and 'until'")
            return nil
        case (let tree?, nil): return reading.positive(tree, "'for'", scope).map { .duration($0) }
        case (nil, let until?):
            if until.entries == nil {
                return reading.word(until, "'until'", ["end"], scope).map { _ in .observation }
            }
            guard let wait = readWait(until, "'until'", ids: ids, own: id) else { return nil }
            return .event(wait.event, plus: wait.plus, atMost: wait.atMost)
        }
    }

    private func readWait(
        _ tree: Tree, _ what: String, ids: [StepID], own: StepID?
    ) -> (event: EventReference, plus: Duration, atMost: Duration)? {
        guard let fields = reading.fields(tree, what, Grammar.until) else { return nil }
        let plus = fields["plus"].flatMap { reading.duration($0, "'plus'", scope) } ?? .zero
        let atMost =
            fields["at_most"].flatMap { reading.positive($0, "'at_most'", scope) } ?? .seconds(60)
        guard let tree = fields["event"], let text = reading.text(tree, "'event'", scope),
            let event = readEvent(text, ids: ids, own: own, at: tree.place)
        else { return nil }
        return (event, plus, atMost)
    }

    private func readEvent(
        _ text: String, ids: [StepID], own: StepID?, at place: Place
    ) -> EventReference? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let words = StepEvent.allCases.map(\.rawValue)
        guard parts.count <= 2 else {
            reading.error(place, "'\(text)' is no event", hint: "write EVENT or STEP.EVENT")
            return nil
        }
        let step: StepID
        if parts.count == 2 {
            guard ids.contains(StepID(parts[0])) else {
                reading.error(
                    place, "unknown step '\(parts[0])'",
                    hint: NearWord.hint(parts[0], ids.map(\.rawValue), "steps"))
                return nil
            }
            step = StepID(parts[0])
        } else if let own {
            step = own
        } else {
            reading.error(
                place, "'after' needs the step whose event it is: '\(text)'",
                hint:
                    "write STEP.\(words.contains(text) ? text : "stable"), with STEP one of: \(ids.map(\.rawValue).joined(separator: ", "))"
            )
            return nil
        }
        guard let event = StepEvent(rawValue: parts[parts.count - 1]) else {
            reading.error(
                place, "unknown event '\(parts[parts.count - 1])'",
                hint: NearWord.hint(parts[parts.count - 1], words, "events"))
            return nil
        }
        if let own, own == step, event == .healed {
            reading.error(
                place, "a step cannot wait for its own 'healed': that comes after it ends",
                hint: "wait for stable, failover or injected")
            return nil
        }
        if isSystemKnown {
            if event == .redundant, system.redundancy == nil {
                reading.error(
                    place,
                    "event 'redundant' needs the system's 'redundancy' probe, and it has none",
                    hint:
                        "add to the system file: redundancy: {host: standby, run: [argv], equals: TEXT}"
                )
                return nil
            }
            if event == .failover, system.roles == nil {
                reading.error(
                    place, "event 'failover' needs the system's 'roles', and it has none",
                    hint: "wait for 'stable'")
                return nil
            }
        }
        return EventReference(step: step, event: event)
    }

    // MARK: - Steps that wait for each other

    private func checkEvents(_ steps: [Step]) {
        let byID = Dictionary(steps.map { ($0.id, $0) }) { first, _ in first }
        for step in steps {
            for (reference, key) in [
                (Self.awaited(step.start), "after"), (Self.awaited(step.end), "until"),
            ] {
                guard let reference, reference.event == .healed, let other = byID[reference.step],
                    other.end == .none
                else { continue }
                let place = stepPlaces[step.id]?[key]?["event"]?.place ?? tree.place
                reading.error(
                    place, "step '\(other.id)' heals nothing and has no 'healed'",
                    hint: "wait for '\(other.id).stable'")
            }
        }
        var reported: Set<StepID> = []
        for step in steps {
            var path: [StepID] = []
            var current: StepID? = step.id
            while let id = current, !path.contains(id) {
                path.append(id)
                current = byID[id].flatMap { Self.awaited($0.start)?.step }
            }
            guard let id = current else { continue }
            let circle = Array(path.drop { $0 != id })
            guard reported.isDisjoint(with: circle) else { continue }
            reported.formUnion(circle)
            let place = stepPlaces[id]?["after"]?["event"]?.place ?? tree.place
            let names = (circle + [id]).map(\.rawValue).joined(separator: " -> ")
            reading.error(
                place, "steps wait for each other: \(names)",
                hint: "one of them must start 'at' an instant")
        }
    }

    static func awaited(_ start: Step.Start) -> EventReference? {
        switch start {
        case .at: nil
        case .after(let reference, _, _): reference
        }
    }

    static func awaited(_ end: Step.End) -> EventReference? {
        switch end {
        case .none, .duration, .observation: nil
        case .event(let reference, _, _): reference
        }
    }
}
