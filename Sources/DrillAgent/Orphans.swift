import CLinux
import DrillCore
import Glibc

/// What runs left on this machine: looked for, and removed.
enum Orphans {
    enum State: String, Hashable, Sendable, Codable {
        /// Its controller or its supervisor is at work.
        case running
        /// Its controller went and told it to stay.
        case kept
        /// Nobody holds it any more.
        case dead
    }

    struct Leftover: Hashable, Sendable, Codable {
        var run: RunID
        var state: State
        var folder: String?
        var cgroup: String?
        var socket: String?
        var processes: [Int32]
        /// `link fd-x in net:[4026531840]`
        var links: [String] = []
        var mounts: [String] = []

        var parts: [String] {
            [folder, cgroup, socket].compactMap { $0 } + links + mounts.map { "mount \($0)" }
                + processes.map { "process \($0)" }
        }
    }

    /// `orphans`: one JSON array on standard output.
    static func list() -> Int32 {
        do {
            print(try JSONLine.encode(try find()))
            return 0
        } catch {
            AgentMain.complain("\(error)")
            return 4
        }
    }

    /// - Parameter only: what the others' look fails at does not matter to who asks for one.
    static func find(only: RunID? = nil) throws(LabFailure) -> [Leftover] {
        let root = try Cgroup.root()
        var runs: Set<RunID> = []
        for place in RunFolder.parents + [root?.path].compactMap({ $0 }) {
            for name in Files.list(place)
            where name.hasPrefix(RunFolder.prefix) && Files.isOwnDirectory(place + "/" + name) {
                runs.insert(RunID(String(name.dropFirst(RunFolder.prefix.count))))
            }
        }
        if !OrdinaryUser.isThis {
            for name in Files.list("/run/firedrill") { runs.insert(RunID(name)) }
        }
        // Also where the folders are gone.
        let own = Dictionary(grouping: OwnProcess.all().filter { $0.pid != getpid() }, by: \.run)
        runs.formUnion(own.keys)
        let network = NetworkRemains.find()
        // Where nothing but links speaks of a run, an agent beside them may be its own.
        runs.formUnion(network.filter { !$0.value.isNearAgent }.keys)
        var found: [Leftover] = []
        for run in runs.sorted() where only == nil || run == only {
            let leftover: Leftover
            do throws(LabFailure) {
                leftover = try Self.leftover(
                    of: run, own[run] ?? [], links: network[run]?.links ?? [])
            } catch {
                guard only == nil else { throw error }
                // One that cannot be looked at hides no other.
                AgentMain.complain("run \(run): \(error.message)")
                let isAlive = (try? RunFolder(run: run).isAlive) ?? true
                leftover = Leftover(
                    run: run, state: isAlive ? .running : .dead, folder: RunFolder(run: run).path,
                    processes: (own[run] ?? []).map(\.pid), links: network[run]?.links ?? [])
            }
            if !leftover.parts.isEmpty || Files.exists(RunFolder(run: run).socketFolder) {
                found.append(leftover)
            }
        }
        return found
    }

    /// A run may end while it is looked at: then once more, and what was seen of it before counts no longer.
    private static func leftover(
        of run: RunID, _ own: [OwnProcess], links: [String], mayEnd: Bool = true
    ) throws(LabFailure) -> Leftover {
        let folder = RunFolder(run: run)
        do throws(LabFailure) {
            if mayEnd, !Files.exists(folder.path), !(own.isEmpty && links.isEmpty) {
                throw LabFailure(kind: .failed, message: "\(folder.path) is gone", errno: ENOENT)
            }
            let cgroup = try folder.cgroup()
            let isKept = Files.exists(folder.socketPath)
            let inside = cgroup.exists ? try cgroup.allProcesses() : []
            return Leftover(
                run: run, state: try folder.isAlive ? (isKept ? .kept : .running) : .dead,
                folder: Files.exists(folder.path) ? folder.path : nil,
                cgroup: cgroup.exists ? cgroup.path : nil,
                socket: isKept ? folder.socketPath : nil,
                processes: Set(inside + own.map(\.pid)).sorted(), links: links,
                mounts: try MountRemains.find(in: folder.path))
        } catch {
            guard mayEnd, error.errno == ENOENT || error.errno == ENODEV else { throw error }
            usleep(50_000)
            return try leftover(
                of: run, OwnProcess.all().filter { $0.run == run && $0.pid != getpid() },
                links: NetworkRemains.find()[run]?.links ?? [], mayEnd: false)
        }
    }

    /// `heal`: undoes and removes what is dead or kept, says so, and ends with 5 where something stays.
    ///
    /// - Parameters:
    ///   - system: only runs of the system of this name.
    ///   - sparesKept: `sweep`: a kept lab is somebody's.
    static func heal(
        only run: RunID? = nil, system: String? = nil, sparesKept: Bool = false
    ) -> Int32 {
        do throws(LabFailure) {
            var failed = false
            for leftover in try find(only: run) where isOf(system, leftover.run) {
                do throws(LabFailure) {
                    if leftover.state == .running, let watchdog = healer(of: leftover.run) {
                        if try isHealed(by: watchdog) {
                            print("run \(leftover.run): healed by its watchdog")
                        } else {
                            try removeDead(leftover.run)
                            print("run \(leftover.run): removed")
                        }
                        continue
                    }
                    switch leftover.state {
                    case .running: print("run \(leftover.run): its controller is alive, left alone")
                    case .kept where sparesKept: print("run \(leftover.run): is kept, left alone")
                    case .kept:
                        try endKept(leftover.run)
                        print("run \(leftover.run): kept lab ended")
                    case .dead:
                        try removeDead(leftover.run)
                        print("run \(leftover.run): removed")
                    }
                } catch {
                    AgentMain.complain("run \(leftover.run): \(error.message)")
                    failed = true
                }
            }
            if run == nil, system == nil {
                let loose = NetworkRemains.removeLoose()
                for what in loose.removed { print("\(what): removed, their device was gone") }
                for what in loose.left { AgentMain.complain(what) }
                if !loose.left.isEmpty { failed = true }
            }
            return failed ? 5 : 0
        } catch {
            AgentMain.complain(error.message)
            return 4
        }
    }

    private static func isOf(_ system: String?, _ run: RunID) -> Bool {
        guard let system else { return true }
        return (try? Files.read(RunFolder(run: run).systemPath)) == system
    }

    /// The run's watchdog, where it has the journal: it heals.
    private static func healer(of run: RunID) -> OwnProcess? {
        guard let holder = Journal.holder(of: RunFolder(run: run).path),
            let process = OwnProcess(holder), process.isWatchdog
        else { return nil }
        return process
    }

    /// Waits for it; one that takes longer than an undoing may, with each of them, is ended. False: it has left something.
    private static func isHealed(by watchdog: OwnProcess) throws(LabFailure) -> Bool {
        let folder = RunFolder(run: watchdog.run).path
        let patience = TestHooks.patience ?? AfterHost.limit + .seconds(10)
        var deadline = RunInstant.now + patience
        var written: Int?
        while Files.exists(folder) {
            if OwnProcess(watchdog.pid) != watchdog { return !Files.exists(folder) }
            var journal = stat()
            if stat(folder + "/journal", &journal) == 0, journal.st_size != written {
                written = journal.st_size
                deadline = .now + patience
            }
            if RunInstant.now > deadline {
                try watchdog.end()
                return false
            }
            usleep(20_000)
        }
        return true
    }

    private static func removeDead(_ run: RunID) throws(LabFailure) {
        let folder = RunFolder(run: run)
        // Held to the end: a run that is just being made is not dead, and none can begin in what is being removed.
        let journal = Files.exists(folder.path) ? try Journal(folder: folder.path) : nil
        defer { withExtendedLifetime(journal) {} }
        var left: [String] = []
        do throws(LabFailure) {
            // Its watchdog, too: whoever has the lock heals, and heals alone.
            try RunRemains.endProcesses(folder)
        } catch {
            // What one process does not let go of is no reason to leave the rest.
            left.append(error.message)
        }
        if let journal {
            var sequence = HealSequence(
                journal.contents.open, bootID: try BootInstant.bootID(), by: .sweep)
            while let step = sequence.next() {
                switch step {
                case .write(let entry): try journal.append(entry)
                case .undo(let record):
                    let undone = AfterHost.undo(record, of: folder)
                    try journal.append(sequence.undone(undone.verdict, undone.message))
                    try journal.sync(always: true)
                }
            }
            left += sequence.outcomes.filter { $0.verdict == .restoreFailed }
                .map { $0.message ?? "a change could not be taken back" }
        }
        left += RunRemains.remove(folder, keepsJournal: !left.isEmpty).filter { !left.contains($0) }
        guard left.isEmpty else {
            throw LabFailure(kind: .failed, message: left.joined(separator: "; "))
        }
    }

    /// Its supervisor hangs or is stopped: without it, its watchdog heals, or we do.
    private static func endHung(_ run: RunID) throws(LabFailure) {
        let watchdog = OwnProcess.all().first { $0.run == run && $0.isWatchdog }
        try OwnProcess(holdingLockOf: RunFolder(run: run))?.end()
        if let watchdog, try isHealed(by: watchdog) { return }
        try removeDead(run)
    }

    private static func endKept(_ run: RunID) throws(LabFailure) {
        let left: String
        do throws(LabFailure) {
            left = try KeptLab.ask(run, .teardown).detail["left_behind"] ?? ""
        } catch {
            guard error.kind == .timedOut else { throw error }
            try endHung(run)
            return
        }
        if !left.isEmpty { throw LabFailure(kind: .failed, message: "left behind: \(left)") }
    }
}
