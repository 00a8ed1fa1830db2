import CLinux
import DrillCore
import Glibc

/// `watchdog RUN`: watches one agent, and heals when that is gone (docs/HEALING.md). One thread; it waits only here.
struct Watchdog {
    /// Of the agent, from its start.
    static let agent: Int32 = 3
    private static let input: Int32 = 0

    private let folder: RunFolder
    private var machine: WatchdogMachine
    private var journal: Journal?
    private var lines = LineSplitter()
    private var isInputOpen = true
    private var status: Int32?

    static func main(_ arguments: [String]) -> Int32 {
        guard arguments.count == 1 else { return 64 }
        for ignored in [SIGINT, SIGHUP, SIGTERM, SIGPIPE] { Glibc.signal(ignored, SIG_IGN) }
        Surroundings.surviveMemoryShortage()
        // Above everything that a drill stresses, and below the agent; its children start as ordinary processes.
        _ = clinux_realtime(3)
        do throws(LabFailure) {
            var this = Watchdog(
                folder: RunFolder(run: RunID(arguments[0])),
                machine: WatchdogMachine(bootID: try BootInstant.bootID()))
            return try this.run()
        } catch {
            AgentMain.complain("watchdog: \(error.message)")
            return 1
        }
    }

    private init(folder: RunFolder, machine: WatchdogMachine) {
        self.folder = folder
        self.machine = machine
    }

    private mutating func run() throws(LabFailure) -> Int32 {
        while status == nil {
            var entries = [
                clinux_poll(descriptor: Self.agent, asked: Int16(POLLIN), seen: 0),
                clinux_poll(
                    descriptor: isInputOpen ? Self.input : -1, asked: Int16(POLLIN), seen: 0),
            ]
            let ready = clinux_ppoll(&entries, entries.count, 100_000_000)
            if ready < 0, ready != -EINTR { try checked(ready, "poll") }
            // Everything that was said before anything is judged: this process may have been stopped itself.
            if entries[1].seen != 0 { try hear() }
            if entries[0].seen != 0 { handle(.agentDied) } else { handle(.tick) }
        }
        return status ?? 0
    }

    private mutating func hear() throws(LabFailure) {
        var entry = clinux_poll(descriptor: Self.input, asked: Int16(POLLIN), seen: 0)
        while status == nil, clinux_ppoll(&entry, 1, 0) > 0 {
            let bytes = try Descriptor.read(Self.input)
            if bytes.isEmpty {
                isInputOpen = false
                return
            }
            for line in lines.add(bytes) {
                do {
                    handle(.message(try JSONLine.decode(WatchdogMessage.self, from: line)))
                } catch {
                    AgentMain.complain("watchdog: what is no message: \(line)")
                }
            }
        }
    }

    private mutating func handle(_ event: WatchdogMachine.Event) {
        var directives: [WatchdogMachine.Directive] = []
        machine.handle(event, now: .now, into: &directives)
        for directive in directives { carryOut(directive) }
    }

    private mutating func carryOut(_ directive: WatchdogMachine.Directive) {
        switch directive {
        case .killAgent:
            AgentMain.complain("watchdog: the agent is silent and its lease is over; it is ended")
            // Its end is seen through the same descriptor.
            _ = clinux_pidfd_signal(Self.agent, SIGKILL)
        case .takeLock: takeLock()
        case .undo(let record):
            let undone = AfterHost.undo(record, of: folder)
            handle(.undone(undone.verdict, undone.message))
        case .append(let entry):
            do throws(LabFailure) {
                try journal?.append(entry)
                try journal?.sync(always: true)
            } catch {
                AgentMain.complain("watchdog: \(error.message)")
            }
        case .remove(let keepsJournal):
            // With the processes that hold them, the folder's lock last.
            let left = RunRemains.remove(folder, keepsJournal: keepsJournal)
            for thing in left { AgentMain.complain("watchdog: left behind: \(thing)") }
            handle(.removed(left))
        case .finish(let status): self.status = status
        }
    }

    /// With what a dying lab still does ended; nil: nobody knows what is open.
    private func contentsUnlocked() -> JournalContents? {
        do throws(LabFailure) {
            try RunRemains.endProcesses(folder)
        } catch {
            AgentMain.complain("watchdog: \(error.message)")
        }
        return (try? Files.read(folder.path + "/journal")).map { JournalContents(text: $0) }
    }

    private mutating func takeLock() {
        guard Files.exists(folder.path) else { return handle(.locked([])) }
        do throws(LabFailure) {
            let journal = try Journal(folder: folder.path)
            self.journal = journal
            // What a dying lab still does would come after its undoing.
            try RunRemains.endProcesses(folder)
            handle(.locked(journal.contents.open))
        } catch {
            AgentMain.complain("watchdog: \(error.message)")
            if journal == nil, error.errno == EWOULDBLOCK {
                handle(.lockRefused(error.message))
            } else {
                // Where nothing can be written (a full disk), what is open is known all the same.
                guard let contents = journal?.contents ?? contentsUnlocked() else {
                    return handle(.lockRefused(error.message))
                }
                handle(.locked(contents.open))
            }
        }
    }
}
