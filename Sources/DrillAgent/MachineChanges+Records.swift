import CLinux
import DrillCore
import Glibc

/// From a record back to what was there: the same for the agent, its watchdog and the sweep.
extension MachineChanges {
    static func encode(_ state: MachineState) throws(LabFailure) -> String {
        do {
            return try JSONLine.encode(state)
        } catch {
            throw LabFailure(kind: .failed, message: "a state cannot be encoded: \(error)")
        }
    }

    static func state(of record: UndoRecord) throws(LabFailure) -> MachineState {
        do {
            return try JSONLine.decode(MachineState.self, from: record.before ?? "")
        } catch {
            throw LabFailure(
                kind: .failed, message: "change \(record.number) has no state to go back to")
        }
    }

    /// In the calling thread's network namespace; runs an undo command to its end and blocks meanwhile.
    static func undo(_ change: MachineChange, _ record: UndoRecord, of run: RunID) -> Undone {
        let low = RunInstant.now
        do throws(LabFailure) {
            let verdict: HealVerdict
            switch change {
            case .cut, .impair, .lower:
                verdict = try MachineChanges(run: run).undo(change, try state(of: record))
            case .command(_, let undo):
                try runToEnd(undo)
                verdict = .restored
            }
            return Undone(verdict: verdict, interval: InstantInterval(low: low, high: .now))
        } catch {
            return Undone(
                verdict: .restoreFailed, message: error.message,
                interval: InstantInterval(low: low, high: .now))
        }
    }

    /// Of what is the kernel's.
    func undo(_ change: MachineChange, _ before: MachineState) throws(LabFailure) -> HealVerdict {
        switch change {
        case .cut(let traffic): try uncut(traffic, before)
        case .lower(let interface): try raise(interface, before)
        case .impair, .command: .notNeeded
        }
    }

    // MARK: programs of the user's

    static let commandLimit = Duration.seconds(60)

    static func start(_ arguments: [String]) throws(LabFailure) -> Child {
        let nothing = try Descriptor.open("/dev/null", O_RDWR)
        defer { withExtendedLifetime(nothing) {} }
        return try Child.start(
            ChildSpec(
                arguments: arguments, environment: Surroundings.environment, directory: "/",
                descriptors: [nothing.number, 2, 2]))
    }

    /// Of a program that has ended.
    static func check(_ child: Child, _ arguments: [String]) throws(LabFailure) {
        let status = child.reap()
        guard status == 0 else {
            throw LabFailure(
                kind: .failed,
                message: "\(arguments.joined(separator: " ")) ended with \(status)")
        }
    }

    static func end(_ child: Child, _ arguments: [String]) -> LabFailure {
        _ = clinux_pidfd_signal(child.pidfd.number, SIGKILL)
        _ = child.reap()
        return LabFailure(
            kind: .timedOut,
            message:
                "\(arguments.joined(separator: " ")) did not end in \(commandLimit.spelled)")
    }

    private static func runToEnd(_ arguments: [String]) throws(LabFailure) {
        let child = try start(arguments)
        var entry = clinux_poll(descriptor: child.pidfd.number, asked: Int16(POLLIN), seen: 0)
        let deadline = RunInstant.now + commandLimit
        while clinux_ppoll(&entry, 1, max(0, (deadline - .now).nanoseconds)) <= 0 {
            if RunInstant.now > deadline { throw end(child, arguments) }
        }
        try check(child, arguments)
    }
}
