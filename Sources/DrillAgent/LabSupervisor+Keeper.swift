import DrillCore
import Glibc

/// The supervisor is the keeper of every change in its lab: recorded before it is made, compared before it is undone.
extension LabSupervisor: KeeperHands {
    /// Carries out what the controller orders: a change, the undoing of an open one, or what leaves nothing to undo.
    func order(_ operation: FaultOperation, id: Int) async throws(LabFailure) -> LabReply {
        let keeper = try builtLab().keeper
        let change = Change.lab(operation)
        var met: String?
        if case .lab(.detach(let link, let treatment)) = operation {
            // An emulator that hangs must not hold up the heal.
            let links = try builtLab().network.links
            let counted = Promise<String?>()
            spawn { counted.fulfil(await links.met(treatment.traffic, on: link)) }
            met = await counted.wait(until: .now + .milliseconds(100)) ?? nil
        }
        if let record = keeper.record(undoneBy: change) {
            let undone = try await keeper.undo(record)
            var reply = reply(id, undone.interval, undone.verdict, undone.message)
            reply.detail["met"] = met
            return reply
        }
        let outcome = keeper.takeOutcome(ofUndo: change)
        // Starting a service is an order of its own, too: for one that a switchover ended, or that ended since.
        let isStillToDo = try isStart(ofStopped: operation)
        let isStart = if case .host(_, .startService) = operation { true } else { false }
        if let outcome, !isStillToDo {
            // It was healed without an order, and the event has said so; now the order has come.
            return reply(id, InstantInterval(.now), outcome.verdict, outcome.message)
        }
        if operation.takesBack || isStart && !isStillToDo {
            if let outcome = keeper.unrestored.last(where: { $0.record.undo == change }) {
                return reply(id, InstantInterval(.now), .restoreFailed, outcome.message)
            }
            // What was never made (its injecting failed, or was cut short) is as it was.
            return reply(id, InstantInterval(.now), .notNeeded, nil)
        }
        guard let inverse = operation.inverse else {
            try keeper.check()
            return LabReply(id: id, interval: try await perform(operation))
        }
        let look = try await look(operation)
        let interval = try await keeper.change(
            AgentMachine.Request(
                change: change, undo: .lab(inverse), before: look?.now, sets: look?.set,
                isLasting: operation.isLasting))
        return LabReply(id: id, interval: interval, detail: try detail(of: operation))
    }

    private func isStart(ofStopped operation: FaultOperation) throws(LabFailure) -> Bool {
        guard case .host(let name, .startService(let service)) = operation else { return false }
        let host = try self.host(name)
        if host.services.contains(where: { $0.name == service && $0.isStarting }) { return false }
        return try !host.place(of: service).isPopulated()
    }

    private func reply(
        _ id: Int, _ interval: InstantInterval, _ verdict: HealVerdict, _ message: String?
    ) -> LabReply {
        var failure: LabFailure?
        if verdict == .restoreFailed {
            failure = LabFailure(kind: .failed, message: message ?? "it could not be restored")
        }
        return LabReply(id: id, failure: failure, interval: interval, verdict: verdict)
    }

    func perform(_ change: Change) async throws(LabFailure) -> InstantInterval {
        switch change {
        case .lab(let operation): return try await perform(operation)
        case .machine, .machineUndo:
            throw LabFailure(kind: .failed, message: "a lab changes nothing of its machine")
        }
    }

    func mayBePartial(_ change: Change) -> Bool {
        switch change {
        // A lane that cannot be opened is rolled back where it is made.
        case .lab(.lab(.attach)): false
        case .lab, .machine, .machineUndo: true
        }
    }

    func undo(_ record: UndoRecord) async -> Undone {
        let low = RunInstant.now
        func ended(_ verdict: HealVerdict, _ message: String? = nil) -> Undone {
            Undone(
                verdict: verdict, message: message, interval: InstantInterval(low: low, high: .now))
        }
        guard case .lab(let change) = record.change, case .lab(let undo) = record.undo else {
            return ended(.notNeeded)
        }
        // With the lab goes all that is in it.
        if isEnding, !record.isLasting { return ended(.notNeeded) }
        do throws(LabFailure) {
            if let set = record.sets {
                if record.before == set { return ended(.notNeeded) }
                let now = try await look(change)?.now
                if now == Self.gone { return ended(.notNeeded) }
                if now != set { return ended(.superseded) }
            }
            if case .host(let name, _) = undo, let kernel = lab?.hosts[name]?.kernel {
                if record.isLasting, kernel.state != .running {
                    try await undoAfterHost(record)
                    return ended(.restored)
                }
                // Its processes, and their clocks, died with it.
                if kernel.state == .dead { return ended(.notNeeded) }
            }
            if case .lab(.detach(let link, let treatment)) = undo {
                let network = try builtLab().network
                let (interval, verdict) = try await network.links.detach(
                    treatment, from: link, at: try network.place(of: link))
                return Undone(verdict: verdict, interval: interval)
            }
            let interval: InstantInterval
            do throws(LabFailure) {
                interval = try await perform(undo)
            } catch {
                // The host may have died under it.
                guard record.isLasting, case .host(let name, _) = undo,
                    lab?.hosts[name]?.kernel.state == .dead
                else { throw error }
                try await undoAfterHost(record)
                return ended(.restored)
            }
            if case .lab(.boot(let host)) = undo {
                // Booting ends the silence that the kill began with.
                try builtLab().keeper.settle(undoneBy: .lab(.lab(.unsilence(host))))
            }
            return Undone(verdict: .restored, interval: interval)
        } catch {
            return ended(.restoreFailed, error.message)
        }
    }

    /// A dead or frozen host runs no program; an empty one in its place does.
    private func undoAfterHost(_ record: UndoRecord) async throws(LabFailure) {
        let folder = try builtLab().folder
        guard let (host, arguments) = AfterHost.program(for: record) else { return }
        let child = try AfterHost.start(arguments, for: host, of: folder)
        let isOver = await Reactor.shared.readable(
            child.pidfd.number, until: .now + AfterHost.limit)
        if case .expired = isOver { try child.kill() }
        try AfterHost.check(child.reap(), arguments)
    }

    func healed(
        by: HealedBy, why: String, _ outcomes: [UndoOutcome], _ interval: InstantInterval
    ) {
        guard !isEnding else { return }
        emit(
            .healed(
                by: by, why: why,
                outcomes.compactMap { outcome in
                    guard case .lab(let operation) = outcome.record.change else { return nil }
                    return HealOutcome(
                        operation: operation, verdict: outcome.verdict, message: outcome.message)
                }, interval))
    }

    func abandon(why: String) {
        complain(LabFailure(kind: .failed, message: "the lab is given up: \(why)"))
        Reactor.shared.stop(status: 1)
    }

    // MARK: what is there

    /// The place of the value is no more: its host has died, its processes have ended.
    static let gone = "gone"

    /// What an operation's value is now, and what it sets; nil: it is compared where it is performed.
    func look(
        _ operation: FaultOperation
    ) async throws(LabFailure) -> (now: String, set: String)? {
        switch operation {
        case .lab(let operation): try look(operation)
        case .host(let host, let operation): try look(operation, on: try self.host(host))
        }
    }

    private func look(
        _ operation: LabOperation
    ) throws(LabFailure) -> (now: String, set: String)? {
        let network = try builtLab().network
        switch operation {
        case .silence(let host):
            return (try network.isSilenceInPlace(host) ? "silent" : "open", "silent")
        case .kill(let name):
            let kernel = try host(name).kernel
            return (kernel.state == .dead ? "dead" : "alive", "dead")
        case .freeze(let name):
            let kernel = try host(name).kernel
            switch kernel.state {
            case .dead: return (Self.gone, "frozen")
            case .running, .frozen:
                return (try kernel.system.isAskedToFreeze() ? "frozen" : "running", "frozen")
            }
        case .carrier(let host, let name, up: false):
            return (try network.isPortUp(host, name) ? "up" : "down", "down")
        // Several may hold at once, and the switch knows which.
        case .attach, .detach: return nil
        case .flap(let host, let name, _, _):
            let port = HostFaults.Port(host: host, network: name)
            return (hostFaults.flaps[port] == nil ? "steady" : "flapping", "flapping")
        case .unflap: return nil
        case .unsilence, .thaw, .boot, .carrier: return nil
        }
    }

    private func look(
        _ operation: HostOperation, on host: LabHostState
    ) throws(LabFailure) -> (now: String, set: String)? {
        switch operation {
        case .killService(let name):
            if host.kernel.state == .dead { return (Self.gone, "stopped") }
            let place = host.place(of: name)
            return (try place.isPopulated() ? "running" : "stopped", "stopped")
        case .pauseService(let name):
            let place = host.place(of: name)
            guard try place.isPopulated() else { return (Self.gone, "paused") }
            return (try place.isAskedToFreeze() ? "paused" : "running", "paused")
        case .beginStress(let stress): return look(.stress(stress), on: host)
        case .fillDisk(let fill): return look(.fill(fill), on: host)
        case .throttleDisk:
            guard let throttle = hostFaults.throttles[host.name] else { return ("free", "limited") }
            return (throttle.kernel.state == .dead ? Self.gone : "limited", "limited")
        case .skewClock(let name, let offset):
            let clock = ServiceClock(of: name, on: host.kernel)
            return (clock.offset()?.spelledOffset ?? Self.gone, offset.spelledOffset)
        case .stopService, .startService, .continueService, .signalService, .run, .undo, .command,
            .endStress, .emptyDisk, .resetClock, .unthrottleDisk:
            return nil
        }
    }
}

extension FaultOperation {
    /// What it does outlives the lab's hosts and the kernel.
    var isLasting: Bool {
        switch self {
        // A filled disk is a file without a name, which goes with the helper that holds it.
        case .host(_, .command): true
        case .lab, .host: false
        }
    }
}

extension FaultOperation {
    /// Ends a change and makes none.
    fileprivate var takesBack: Bool {
        switch self {
        case .lab(.unsilence), .lab(.thaw), .lab(.boot), .lab(.carrier(_, _, up: true)),
            .lab(.unflap),
            .lab(.detach), .host(_, .continueService), .host(_, .undo), .host(_, .endStress),
            .host(_, .emptyDisk),
            .host(_, .resetClock), .host(_, .unthrottleDisk):
            true
        case .lab, .host: false
        }
    }
}
