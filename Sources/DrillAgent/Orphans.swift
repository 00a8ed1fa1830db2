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
    }

    /// `orphans`: one JSON array on standard output.
    static func list() -> Int32 {
        do {
            print(try JSONLine.encode(try find()))
            return 0
        } catch {
            AgentMain.complain("\(error)")
            return 1
        }
    }

    static func find() throws(LabFailure) -> [Leftover] {
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
        var found: [Leftover] = []
        for run in runs.sorted() {
            let folder = RunFolder(run: run)
            let cgroup = try folder.cgroup()
            let isKept = Files.exists(folder.socketPath)
            found.append(
                Leftover(
                    run: run, state: try folder.isAlive ? (isKept ? .kept : .running) : .dead,
                    folder: Files.exists(folder.path) ? folder.path : nil,
                    cgroup: cgroup.exists ? cgroup.path : nil,
                    socket: isKept ? folder.socketPath : nil,
                    processes: cgroup.exists ? try cgroup.allProcesses() : []))
        }
        return found
    }

    /// `heal`: removes what is dead or kept, says so, and ends with 1 where something stays.
    static func heal(only run: RunID? = nil) -> Int32 {
        do throws(LabFailure) {
            var failed = false
            for leftover in try find() where run == nil || run == leftover.run {
                do throws(LabFailure) {
                    switch leftover.state {
                    case .running: print("run \(leftover.run): its controller is alive, left alone")
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
            return failed ? 1 : 0
        } catch {
            AgentMain.complain(error.message)
            return 1
        }
    }

    private static func removeDead(_ run: RunID) throws(LabFailure) {
        let folder = RunFolder(run: run)
        // Held to the end: a run that is just being made is not dead, and none can begin in what is being removed.
        let lock = Files.exists(folder.path) ? try folder.lock() : nil
        defer { withExtendedLifetime(lock) {} }
        let cgroup = try folder.cgroup()
        if cgroup.exists {
            try cgroup.kill()
            let deadline = RunInstant.now + .seconds(5)
            while try cgroup.isPopulated() {
                if RunInstant.now > deadline {
                    throw LabFailure(
                        kind: .timedOut, message: "\(cgroup.path) does not become empty")
                }
                usleep(1000)
            }
            try cgroup.remove()
        }
        try folder.remove()
    }

    private static func endKept(_ run: RunID) throws(LabFailure) {
        let left = try KeptLab.ask(run, .teardown).detail["left_behind"] ?? ""
        if !left.isEmpty { throw LabFailure(kind: .failed, message: "left behind: \(left)") }
    }
}
