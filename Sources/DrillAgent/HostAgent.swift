import CLinux
import DrillCore
import Glibc

/// The agent of a host that is no lab's: it changes the machine that it runs on, by order of one controller, and is the
/// keeper of every change. It makes no namespaces: what it touches is what the machine's owner has.
@LabActor
final class HostAgent: KeeperHands {
    static let version = "1"

    private let answers = LineWriter(Descriptor(1))
    private let allowsManagement: Bool
    private var run: RunID?
    private var folder: RunFolder?
    private var keeper: Keeper?
    private var changes: MachineChanges?
    /// Of the changes that are being made, for `perform`.
    private var states: [MachineChange: MachineState] = [:]
    /// What stays after everything was taken back; nil: that has not begun.
    private var left: Promise<[String]>?
    private var isEnding: Bool { left != nil }

    private init(allowsManagement: Bool) { self.allowsManagement = allowsManagement }

    /// `agent [--allow-management]`: returns the program's exit status.
    nonisolated static func main(_ arguments: [String]) -> Int32 {
        guard arguments.isEmpty || arguments == ["--allow-management"] else {
            AgentMain.complain(AgentMain.usage)
            return 64
        }
        setsid()
        for ignored in [SIGINT, SIGHUP, SIGPIPE] { Glibc.signal(ignored, SIG_IGN) }
        Surroundings.surviveMemoryShortage()
        spawn {
            let agent = HostAgent(allowsManagement: !arguments.isEmpty)
            spawn { await agent.awaitSignal() }
            await agent.listen()
            // The end of the file is the end of the controller.
            await agent.end()
        }
        return Reactor.shared.run()
    }

    private func listen() async {
        let source = Descriptor(0)
        var lines = LineSplitter()
        while case .ready = await Reactor.shared.readable(source.number) {
            do {
                let bytes = try source.read()
                if bytes.isEmpty { return }
                for line in lines.add(bytes) {
                    let request = try JSONLine.decode(AgentRequest.self, from: line)
                    spawn { [self] in await answer(request) }
                }
            } catch let failure as LabFailure {
                complain(failure.message)
                return
            } catch {
                complain("a request cannot be read: \(error)")
            }
        }
    }

    private func awaitSignal() async {
        do {
            let signals = try Descriptor(
                result: [SIGTERM].withUnsafeBufferPointer {
                    clinux_signal_descriptor($0.baseAddress, $0.count)
                }, "make a signal descriptor")
            defer { withExtendedLifetime(signals) {} }
            guard case .ready = await Reactor.shared.readable(signals.number) else { return }
            await end()
        } catch {
            complain(error.message)
        }
    }

    private func answer(_ request: AgentRequest) async {
        let low = RunInstant.now
        var reply: LabReply
        do throws(LabFailure) {
            reply = try await carryOut(request.command, id: request.id, low)
        } catch {
            reply = LabReply(
                id: request.id, failure: error, interval: InstantInterval(low: low, high: .now))
        }
        answers.send(LabMessage.reply(reply))
        if case .finish = request.command {
            await answers.drained()
            Reactor.shared.stop(status: reply.detail["left_behind"] == "" ? 0 : 5)
        }
    }

    private func carryOut(
        _ command: AgentCommand, id: Int, _ low: RunInstant
    ) async throws(LabFailure) -> LabReply {
        var detail: [String: String] = [:]
        switch command {
        case .hello: detail = try greeting()
        case .begin(let run, let lease): try await begin(run, lease)
        case .perform(let change):
            let interval = try await make(change)
            return LabReply(id: id, interval: interval)
        case .undo(let change): return try await takeBack(change, id: id)
        case .renew: try working().keeper.renew()
        case .finish: detail["left_behind"] = await finish().joined(separator: "\n")
        }
        return LabReply(id: id, interval: InstantInterval(low: low, high: .now), detail: detail)
    }

    private func greeting() throws(LabFailure) -> [String: String] {
        let management = try MachineChanges(run: RunID("")).management(Self.connection)
        return [
            "versions": Self.version, "boot_id": try BootInstant.bootID(),
            "management": management.sorted().joined(separator: " "),
        ]
    }

    private static var connection: String? {
        getenv("SSH_CONNECTION").map { String(cString: $0) }
    }

    private func working() throws(LabFailure) -> (keeper: Keeper, changes: MachineChanges) {
        guard let keeper, let changes, !isEnding else {
            throw LabFailure(
                kind: .failed, message: isEnding ? "the agent is ending" : "say begin first")
        }
        return (keeper, changes)
    }

    // MARK: changes

    private func begin(_ run: RunID, _ lease: Duration) async throws(LabFailure) {
        guard keeper == nil, !isEnding else {
            throw LabFailure(kind: .failed, message: "the agent has begun already")
        }
        setenv(OwnProcess.marker, run.rawValue, 1)
        let folder = RunFolder(run: run)
        let changes = try MachineChanges(run: run)
        let watchdog = try WatchdogProcess(run, sharesNetwork: true)
        let keeper: Keeper
        do {
            keeper = try Keeper(
                folder, lock: try folder.make(cgroup: try folder.cgroup()), hands: self,
                watchdog: watchdog)
        } catch {
            await watchdog.dismiss()
            throw error
        }
        keeper.beginLease(lease)
        self.run = run
        self.folder = folder
        self.changes = changes
        self.keeper = keeper
    }

    private func make(_ change: MachineChange) async throws(LabFailure) -> InstantInterval {
        let (keeper, changes) = try working()
        guard states[change] == nil, keeper.record(undoneBy: .machineUndo(change)) == nil else {
            throw LabFailure(kind: .failed, message: "this change is in effect already")
        }
        try protectManagement(change, changes)
        let state = try changes.look(change, ours: ownClassifiers)
        states[change] = state
        defer { states[change] = nil }
        return try await keeper.change(
            AgentMachine.Request(
                change: .machine(change), undo: .machineUndo(change),
                before: try MachineChanges.encode(state), isLasting: change.isLasting))
    }

    /// Links whose clsact this run has made: a second cut there must not take it for foreign.
    private var ownClassifiers: Set<Int32> {
        guard let keeper else { return [] }
        return Set(
            keeper.openRecords.compactMap { record in
                guard case .machine(.cut) = record.change,
                    let state = try? MachineChanges.state(of: record), !state.hadClassifier
                else { return nil }
                return state.link
            })
    }

    /// Whoever cuts the branch that the controller sits on could only wait for the lease.
    private func protectManagement(
        _ change: MachineChange, _ changes: MachineChanges
    ) throws(LabFailure) {
        guard !allowsManagement, let interface = change.interface,
            try changes.management(Self.connection).contains(interface)
        else { return }
        throw LabFailure(
            kind: .capability,
            message:
                "\(interface) carries the controller's own connection (\(Self.connection ?? "")); start the agent with --allow-management to change it all the same"
        )
    }

    private func takeBack(
        _ change: MachineChange, id: Int
    ) async throws(LabFailure) -> LabReply {
        let keeper = try working().keeper
        let undone: Undone
        if let record = keeper.record(undoneBy: .machineUndo(change)) {
            undone = try await keeper.undo(record)
        } else if let outcome = keeper.takeOutcome(ofUndo: .machineUndo(change)) {
            undone = Undone(
                verdict: outcome.verdict, message: outcome.message, interval: InstantInterval(.now))
        } else {
            throw LabFailure(kind: .failed, message: "no such change is in effect")
        }
        var failure: LabFailure?
        if undone.verdict == .restoreFailed {
            failure = LabFailure(
                kind: .failed, message: undone.message ?? "it could not be restored")
        }
        return LabReply(
            id: id, failure: failure, interval: undone.interval, verdict: undone.verdict)
    }

    // MARK: the keeper's hands

    func perform(_ change: Change) async throws(LabFailure) -> InstantInterval {
        guard case .machine(let change) = change, let changes else {
            throw LabFailure(kind: .failed, message: "this is no change of a machine")
        }
        let state = states[change] ?? MachineState()
        switch change {
        case .cut(let traffic): return try changes.cut(traffic)
        case .lower(let interface): return try changes.lower(interface, state)
        case .command(let arguments, _): return try await Self.runToEnd(arguments)
        case .impair:
            throw LabFailure(kind: .capability, message: "impairing comes later")
        }
    }

    func mayBePartial(_ change: Change) -> Bool { true }

    func undo(_ record: UndoRecord) async -> Undone {
        let low = RunInstant.now
        guard case .machine(let change) = record.change, let run else {
            return Undone(verdict: .notNeeded, interval: InstantInterval(.now))
        }
        switch change {
        case .command(_, let undo):
            do throws(LabFailure) {
                return Undone(verdict: .restored, interval: try await Self.runToEnd(undo))
            } catch {
                return Undone(
                    verdict: .restoreFailed, message: error.message,
                    interval: InstantInterval(low: low, high: .now))
            }
        case .cut, .impair, .lower: return MachineChanges.undo(change, record, of: run)
        }
    }

    private static func runToEnd(_ arguments: [String]) async throws(LabFailure) -> InstantInterval
    {
        let low = RunInstant.now
        let child = try MachineChanges.start(arguments)
        let started = RunInstant.now
        let deadline = low + MachineChanges.commandLimit
        guard case .ready = await Reactor.shared.readable(child.pidfd.number, until: deadline)
        else { throw MachineChanges.end(child, arguments) }
        try MachineChanges.check(child, arguments)
        return InstantInterval(low: low, high: started)
    }

    /// There is no lab: it is told in words.
    func healed(
        by: HealedBy, why: String, _ outcomes: [UndoOutcome], _ interval: InstantInterval
    ) {
        guard !isEnding else { return }
        let what = outcomes.map { "\($0.record.number) \($0.verdict.rawValue)" }
        complain("healed by \(by.rawValue): \(why) (\(what.joined(separator: ", ")))")
    }

    func abandon(why: String) {
        complain("given up: \(why)")
        Reactor.shared.stop(status: 1)
    }

    // MARK: the end

    /// Once, for everybody who asks: whoever comes second waits for the same end.
    private func finish() async -> [String] {
        if let left { return await left.wait() }
        let promise = Promise<[String]>()
        left = promise
        promise.fulfil(await takeEverythingBack())
        return await promise.wait()
    }

    private func takeEverythingBack() async -> [String] {
        guard let keeper, let folder else { return [] }
        _ = await keeper.end(by: .plan, why: "the agent ends").wait()
        var left = keeper.unrestored.map { $0.message ?? "a change" }
        // A journal with a change that could not be taken back stays for the sweep.
        if left.isEmpty {
            do throws(LabFailure) {
                try folder.remove()
            } catch {
                left.append(error.message)
            }
        }
        await keeper.farewell()
        return left
    }

    private func end() async {
        let left = await finish()
        for thing in left { complain("left behind: \(thing)") }
        await answers.drained()
        Reactor.shared.stop(status: left.isEmpty ? 0 : 5)
    }

    private func complain(_ text: String) { answers.send(LabMessage.event(.log(text))) }
}

extension MachineChange {
    /// Outlives the kernel that it was made in.
    var isLasting: Bool {
        switch self {
        case .command: true
        case .cut, .impair, .lower: false
        }
    }

    var interface: String? {
        switch self {
        case .cut(let traffic), .impair(let traffic, _): traffic.interface
        case .lower(let interface): interface
        case .command: nil
        }
    }
}
