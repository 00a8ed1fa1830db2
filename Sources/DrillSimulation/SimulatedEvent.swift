import TwinCore

/// A line of a drill's timeline.
package struct SimulatedEvent: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case fault, message, deed, violation
    }

    /// ns since the drill began.
    package var at: Int64
    /// -1: none in particular.
    package var node: Int
    package var kind: Kind
    package var text: String

    package static let names = ["a", "b", "witness"]

    /// `  251.301  a        becomes primary, epoch 2`: milliseconds, node, what.
    package var line: String {
        let micros = at / 1000
        let whole = "\(micros / 1000)"
        let rest = "\(micros % 1000)"
        let time =
            String(repeating: " ", count: max(0, 5 - whole.count)) + whole + "."
            + String(repeating: "0", count: 3 - rest.count) + rest
        let name = node < 0 ? "" : Self.names[node]
        let mark =
            switch kind {
            case .fault: "!"
            case .violation: "X"
            case .message, .deed: " "
            }
        return "\(time) \(mark) \(name)" + String(repeating: " ", count: 9 - name.count) + text
    }
}

/// What a client asked a node, and what it was answered.
package struct SimulatedOperation: Hashable, Sendable {
    package enum Action: Hashable, Sendable { case read, write }

    package var action: Action
    package var node: Int
    /// ns since the drill began.
    package var asked: Int64
    /// Nil: never.
    package var answered: Int64?
    /// The record that was written, or shown; 0: none. Number and epoch together are its value.
    package var record: Int64
    package var epoch: Int64
}

extension SimulatedPair {
    mutating func note(_ node: Int, _ text: String, _ kind: SimulatedEvent.Kind) {
        trace.append(SimulatedEvent(at: now, node: node, kind: kind, text: text))
    }

    mutating func note(_ fault: SimulatedFault, begins: Bool) {
        if fault.isInstant {
            note(-1, fault.summary, .fault)
        } else {
            note(-1, "\(fault.summary): \(begins ? "begins" : "ends")", .fault)
        }
    }

    mutating func note(_ node: Int, _ event: TwinCore.Event) {
        switch event {
        case .tick: break
        case .message(let message):
            note(
                node, "hears \(message.text) from \(SimulatedEvent.names[Int(message.from)])",
                .message)
        case .wrote: note(node, "writes record \(nodes[node].log.last)", .deed)
        case .linkLost: note(node, "has lost its replication link", .deed)
        case .switchover: note(node, "is told to hand over", .deed)
        }
    }

    mutating func note(_ node: Int, _ action: TwinCore.Action) {
        let record = nodes[node].core.record
        switch action {
        case .send(let message):
            guard message.kind != .heartbeat, message.kind != .heartbeatAnswer else { return }
            note(
                node, "says \(message.text) to \(SimulatedEvent.names[Int(message.to)])", .message)
        case .persist:
            note(
                node,
                "keeps epoch \(record.epoch), standby \(record.inSync ? "in" : "out of") sync",
                .deed)
        case .truncate(let last): note(node, "cuts its log off after \(last)", .deed)
        case .store(let first, let last): note(node, "stores \(first) to \(last)", .deed)
        case .committed(let through): note(node, "acknowledges through \(through)", .deed)
        case .becamePrimary:
            note(
                node, "BECOMES PRIMARY, epoch \(record.epoch), log to \(nodes[node].core.log.last)",
                .deed)
        case .steppedDown(let why): note(node, "STEPS DOWN (\(why))", .deed)
        case .noticed(let silence):
            note(node, "misses the primary, for \(silence / 1_000_000) ms", .deed)
        case .following: note(node, "follows, log to \(nodes[node].core.log.last)", .deed)
        case .standby(let inSync):
            note(node, "calls its standby \(inSync ? "in" : "out of") sync", .deed)
        }
    }
}

extension Message {
    var text: String {
        let what =
            switch kind {
            case .heartbeat:
                "heartbeat (log \(last), committed \(first), statement \(mark): \(flag ? "in" : "out of") sync)"
            case .heartbeatAnswer: "answer (log \(last), statement \(mark))"
            case .voteRequest: "vote request"
            case .granted: "grant"
            case .refused: "refusal"
            case .released: "release at \(last)"
            case .follow: "follow at \(last) of epoch \(mark)"
            case .cut: "cut to \(last) of epoch \(mark)"
            case .append: "records \(first) to \(last) of epoch \(mark)"
            case .appended: "appended through \(last)"
            }
        return "\(what), epoch \(epoch),"
    }
}

extension CrashMoment {
    fileprivate var summary: String {
        switch self {
        case .atOnce: "this instant"
        case .persist: "it keeps its record"
        case .store: "it stores records"
        case .statement: "it says something about its standby"
        case .promotion: "it becomes primary"
        case .acknowledgement: "it acknowledges"
        }
    }
}

extension SimulatedFault {
    package var summary: String {
        func name(_ node: Int) -> String { SimulatedEvent.names[node] }
        return switch self {
        case .crash(let node, let power, let moment, let steps):
            "\(power ? "power loss" : "crash") of \(name(node)), \(steps) steps after \(moment.summary)"
        case .pause(let node): "pause of \(name(node))"
        case .cut(let from, let to): "cut from \(name(from)) to \(name(to))"
        case .cutReplication: "replication cut"
        case .breakLink: "replication link breaks"
        case .loss(let permille): "loss of \(permille) ‰"
        case .duplicate(let permille): "\(permille) ‰ of the datagrams come twice"
        case .delay(let most): "delay of up to \(most / 1000) µs"
        case .delayLink(let from, let to, let most):
            "delay of up to \(most / 1000) µs from \(name(from)) to \(name(to))"
        case .switchover: "switchover"
        }
    }
}
