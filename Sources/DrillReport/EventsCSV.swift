package import DrillCore

/// `trial-N.events.csv`: the events of a trial in one flat table. One way only: `trial-N.events.jsonl` is the record.
package enum EventsCSV {
    static let columns = [
        "event", "low_ns", "high_ns", "step", "host", "fault", "role", "primary", "source", "epoch",
        "boot_id", "asked_ns", "answered_ns", "state", "effect", "by", "verdict", "value", "from",
        "to", "sweep", "key", "present", "phase", "reason", "proof",
        "id", "read_level",
    ]

    package static func encode(_ events: [HistoryEvent]) -> [UInt8] {
        var out = CSVTable.line(columns)
        for event in events {
            let cells = cells(event)
            out += CSVTable.line(columns.map { cells[$0] ?? nil })
        }
        return [UInt8](out.utf8)
    }

    private static func cells(_ event: HistoryEvent) -> [String: String?] {
        var cells: [String: String?] = [
            "low_ns": String(event.interval.low.nanoseconds),
            "high_ns": String(event.interval.high.nanoseconds),
        ]
        func put(_ name: String, _ more: [String: String?]) {
            cells["event"] = name
            cells.merge(more) { $1 }
        }
        switch event.kind {
        case .trial(let facts):
            put("trial", ["value": "\(facts.index).\(facts.attempt)"])
        case .steady(let phase): put("steady", ["phase": phase.rawValue])
        case .injected(let step, let fault, let host, let role):
            put(
                "injected",
                [
                    "step": step.rawValue, "fault": fault, "host": host?.rawValue,
                    "role": role?.rawValue,
                ])
        case .healBegun(let step): put("heal_begun", ["step": step.rawValue])
        case .healed(let step, let by, let verdict):
            put(
                "healed",
                ["step": step.rawValue, "by": by?.rawValue, "verdict": verdict.rawValue])
        case .role(let observation):
            put(
                "role",
                [
                    "host": observation.host.rawValue, "primary": String(observation.primary),
                    "source": observation.source.rawValue, "epoch": observation.epoch,
                    "boot_id": observation.bootID,
                    "asked_ns": observation.asked.map { String($0.nanoseconds) },
                    "answered_ns": observation.answered.map { String($0.nanoseconds) },
                ])
        case .proven(let host, let step, let state, let effect):
            put(
                "proven",
                [
                    "host": host.rawValue, "step": step.rawValue, "state": state.rawValue,
                    "effect": effect,
                ])
        case .unobserved(let host): put("unobserved", ["host": host.rawValue])
        case .redundancy(let value, let bootID):
            put("redundancy", ["value": String(value), "boot_id": bootID])
        case .noticed(let host): put("noticed", ["host": host.rawValue])
        case .switchover(let step, let from, let to):
            put(
                "switchover",
                ["step": step.rawValue, "from": from?.rawValue, "to": to?.rawValue])
        case .verify(let sweep, let host, let key, let present):
            put(
                "verify",
                [
                    "sweep": String(sweep), "host": host.rawValue, "key": key,
                    "present": String(present),
                ])
        case .end(let reason): put("end", ["reason": reason])
        case .identity(let host, let id): put("identity", ["host": host.rawValue, "id": id])
        case .visible(let host, let key, let present):
            put("visible", ["host": host.rawValue, "key": key, "present": String(present)])
        case .verified(let facts):
            put(
                "verified",
                [
                    "sweep": String(facts.sweep), "host": facts.host.rawValue,
                    "id": facts.answeredBy, "read_level": facts.readLevel,
                    "reason": facts.failure,
                ])
        case .step(let facts):
            put(
                "step",
                [
                    "step": facts.step.rawValue,
                    "proof": facts.proof.map { $0.witnesses.joined(separator: "; ") },
                ])
        }
        return cells
    }
}
