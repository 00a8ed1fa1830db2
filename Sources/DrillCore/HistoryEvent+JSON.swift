/// A text that other programs may have written as a number: an epoch of 7 is the epoch "7".
private struct LenientText: Codable {
    var text: String?

    init(text: String) { self.text = text }
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self.text = text
        } else if let number = try? container.decode(Int64.self) {
            text = String(number)
        }
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// The flat object of one line.
private struct EventLine: Codable {
    var event: String
    var low_ns: Int64
    var high_ns: Int64
    var step: StepID?
    var fault: String?
    var host: HostName?
    var role: Role?
    var by: HealedBy?
    var verdict: HealVerdict?
    var primary: Bool?
    var source: HistoryEvent.RoleSource?
    var epoch: LenientText?
    var boot_id: LenientText?
    var asked: Int64?
    var answered: Int64?
    var term: Int64?
    var state: HistoryEvent.ProvenState?
    var effect: LenientText?
    var value: Bool?
    var from: HostName?
    var to: HostName?
    var sweep: Int?
    var key: String?
    var present: Bool?
    var reason: String?
    var phase: HistoryEvent.SteadyPhase?
    var facts: HistoryEvent.TrialFacts?
    var step_facts: HistoryEvent.StepFacts?
    var id: LenientText?
    var verify_facts: VerifyFacts?

    init(event: String, interval: InstantInterval) {
        self.event = event
        low_ns = interval.low.nanoseconds
        high_ns = interval.high.nanoseconds
    }
}

extension HistoryEvent: Codable {
    package func encode(to encoder: any Encoder) throws {
        try line.encode(to: encoder)
    }

    private var line: EventLine {
        switch kind {
        case .trial(let facts): make("trial") { $0.facts = facts }
        case .steady(let phase): make("steady") { $0.phase = phase }
        case .injected(let step, let fault, let host, let role):
            make("injected") {
                $0.step = step
                $0.fault = fault
                $0.host = host
                $0.role = role
            }
        case .healBegun(let step): make("heal_begun") { $0.step = step }
        case .healed(let step, let by, let verdict):
            make("healed") {
                $0.step = step
                $0.by = by
                $0.verdict = verdict
            }
        case .role(let observation):
            make("role") {
                $0.host = observation.host
                $0.primary = observation.primary
                $0.source = observation.source
                $0.epoch = observation.epoch.map(LenientText.init(text:))
                $0.boot_id = observation.bootID.map(LenientText.init(text:))
                $0.asked = observation.asked?.nanoseconds
                $0.answered = observation.answered?.nanoseconds
                $0.term = observation.term
            }
        case .proven(let host, let step, let state, let effect):
            make("proven") {
                $0.host = host
                $0.step = step
                $0.state = state
                $0.effect = effect.map(LenientText.init(text:))
            }
        case .unobserved(let host): make("unobserved") { $0.host = host }
        case .redundancy(let value, let bootID):
            make("redundancy") {
                $0.value = value
                $0.boot_id = bootID.map(LenientText.init(text:))
            }
        case .noticed(let host): make("noticed") { $0.host = host }
        case .switchover(let step, let from, let to):
            make("switchover") {
                $0.step = step
                $0.from = from
                $0.to = to
            }
        case .verify(let sweep, let host, let key, let present):
            make("verify") {
                $0.sweep = sweep
                $0.host = host
                $0.key = key
                $0.present = present
            }
        case .end(let reason): make("end") { $0.reason = reason }
        case .identity(let host, let id):
            make("identity") {
                $0.host = host
                $0.id = LenientText(text: id)
            }
        case .visible(let host, let key, let present):
            make("visible") {
                $0.host = host
                $0.key = key
                if !present { $0.present = false }
            }
        case .verified(let facts): make("verified") { $0.verify_facts = facts }
        case .step(let facts): make("step") { $0.step_facts = facts }
        }
    }

    private func make(_ name: String, _ fill: (inout EventLine) -> Void) -> EventLine {
        var line = EventLine(event: name, interval: interval)
        fill(&line)
        return line
    }

    package init(from decoder: any Decoder) throws {
        let line = try EventLine(from: decoder)
        func need<T>(_ value: T?, _ key: String) throws -> T {
            guard let value else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: [], debugDescription: "event '\(line.event)' lacks '\(key)'"))
            }
            return value
        }
        guard line.low_ns <= line.high_ns, line.asked ?? .min <= line.answered ?? .max else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: [], debugDescription: "event '\(line.event)' ends before it begins")
            )
        }
        let kind: Kind
        switch line.event {
        case "trial": kind = .trial(try need(line.facts, "facts"))
        case "steady": kind = .steady(phase: line.phase ?? .before)
        case "injected":
            kind = .injected(
                step: try need(line.step, "step"), fault: line.fault ?? "", host: line.host,
                role: line.role)
        case "heal_begun": kind = .healBegun(step: try need(line.step, "step"))
        case "healed":
            kind = .healed(
                step: try need(line.step, "step"), by: line.by, verdict: line.verdict ?? .restored)
        case "role":
            kind = .role(
                RoleObservation(
                    host: try need(line.host, "host"), primary: try need(line.primary, "primary"),
                    source: line.source ?? .address, epoch: line.epoch?.text,
                    bootID: line.boot_id?.text,
                    asked: line.asked.map(RunInstant.init(nanoseconds:)),
                    answered: line.answered.map(RunInstant.init(nanoseconds:)), term: line.term))
        case "proven":
            kind = .proven(
                host: try need(line.host, "host"), step: try need(line.step, "step"),
                state: try need(line.state, "state"), effect: line.effect?.text)
        case "unobserved": kind = .unobserved(host: try need(line.host, "host"))
        case "redundancy":
            kind = .redundancy(value: try need(line.value, "value"), bootID: line.boot_id?.text)
        case "noticed": kind = .noticed(host: try need(line.host, "host"))
        case "switchover":
            kind = .switchover(step: try need(line.step, "step"), from: line.from, to: line.to)
        case "verify":
            kind = .verify(
                sweep: try need(line.sweep, "sweep"), host: try need(line.host, "host"),
                key: try need(line.key, "key"), present: try need(line.present, "present"))
        case "identity":
            kind = .identity(
                host: try need(line.host, "host"), id: try need(line.id?.text, "id"))
        case "visible":
            kind = .visible(
                host: try need(line.host, "host"), key: try need(line.key, "key"),
                present: line.present ?? true)
        case "verified": kind = .verified(try need(line.verify_facts, "verify_facts"))
        case "end": kind = .end(reason: line.reason ?? "")
        case "step": kind = .step(try need(line.step_facts, "step_facts"))
        default:
            throw DecodingError.dataCorrupted(
                .init(codingPath: [], debugDescription: "unknown event '\(line.event)'"))
        }
        self.init(
            InstantInterval(
                low: RunInstant(nanoseconds: line.low_ns),
                high: RunInstant(nanoseconds: line.high_ns)), kind)
    }
}
