import CLinux
import DrillCore
import Glibc

/// Undoing what outlives a lab's hosts when the hosts are gone: in an empty host of its own, with the dead one's state
/// folder, so that an undo command that means an interface of the host never meets one of this machine.
enum AfterHost {
    /// How long a program that undoes may take.
    static let limit = Duration.seconds(60)

    /// What undoes the record, and in whose place; nil: nothing that outlives a host.
    static func program(
        for record: UndoRecord
    ) -> (host: HostName, arguments: [String])? {
        guard record.isLasting, case .lab(.host(let host, let operation)) = record.undo else {
            return nil
        }
        switch operation {
        case .undo(let arguments): return (host, arguments)
        case .killService, .stopService, .startService, .pauseService, .continueService,
            .signalService, .run, .command, .beginStress, .endStress, .fillDisk, .emptyDisk,
            .skewClock,
            .resetClock, .throttleDisk, .unthrottleDisk:
            return nil
        }
    }

    /// Blocks until the program has ended: for processes that have nothing else to do.
    static func undo(_ record: UndoRecord, of folder: RunFolder) -> Undone {
        if case .machine(let change) = record.change {
            return MachineChanges.undo(change, record, of: folder.run)
        }
        let low = RunInstant.now
        func ended(_ verdict: HealVerdict, _ message: String? = nil) -> Undone {
            Undone(
                verdict: verdict, message: message, interval: InstantInterval(low: low, high: .now))
        }
        guard let (host, arguments) = program(for: record) else {
            return ended(.notNeeded)
        }
        do throws(LabFailure) {
            let child = try start(arguments, for: host, of: folder)
            var entry = clinux_poll(
                descriptor: child.pidfd.number, asked: Int16(POLLIN), seen: 0)
            if clinux_ppoll(&entry, 1, limit.nanoseconds) <= 0 { try child.kill() }
            try check(child.reap(), arguments)
            return ended(.restored)
        } catch {
            return ended(.restoreFailed, error.message)
        }
    }

    static func check(_ status: Int32, _ arguments: [String]) throws(LabFailure) {
        let words = arguments.joined(separator: " ")
        switch status {
        case 0: break
        case 128 + SIGKILL:
            throw LabFailure(kind: .timedOut, message: "\(words) did not end in \(limit.spelled)")
        default: throw LabFailure(kind: .failed, message: "\(words) ended with \(status)")
        }
    }

    static func start(
        _ arguments: [String], for host: HostName, of folder: RunFolder
    ) throws(LabFailure) -> Child {
        let state = folder.host(host)
        try Files.makeDirectories(state)
        let nothing = try Descriptor.open("/dev/null", O_RDWR)
        defer { withExtendedLifetime(nothing) {} }
        return try Child.start(
            ChildSpec(
                executable: "/proc/self/exe",
                arguments: ["firedrill-agent", "after-host", host.rawValue, state] + arguments,
                environment: Surroundings.environment,
                descriptors: [nothing.number, nothing.number, 2], isNewHost: true))
    }

    /// `after-host NAME STATE ARGV`: within the empty host.
    static func main(_ arguments: [String]) -> Int32 {
        guard arguments.count >= 3 else { return 64 }
        // With who heals: another does it again, and never beside the first.
        clinux_die_with_parent()
        var step: UnsafePointer<CChar>?
        let result = clinux_host_mounts(arguments[1], &step)
        if result < 0 {
            let what = step.map { String(cString: $0) } ?? ""
            AgentMain.complain(
                systemFailure("after host \(arguments[0]): \(what)", -result).message)
            return 1
        }
        _ = clinux_set_host_name(arguments[0])
        let rest = Array(arguments.dropFirst(2))
        let strings = CStringArray(rest)
        execvp(rest[0], strings.pointer)
        AgentMain.complain(systemFailure("execute \(rest[0])").message)
        return 127
    }
}
