import CLinux
import DrillCore
import Glibc

/// What a run whose holder is gone has on this machine outside its journal: processes, control groups, folders.
enum RunRemains {
    /// Removes all of it and answers what stays; the journal's lock is held by the caller, who has undone what it records.
    ///
    /// - Parameter keepsJournal: has a change that could not be taken back: the next who heals tries again.
    static func remove(_ folder: RunFolder, keepsJournal: Bool = false) -> [String] {
        var left: [String] = []
        func attempt(_ body: () throws(LabFailure) -> Void) {
            do throws(LabFailure) {
                try body()
            } catch {
                left.append(error.message)
            }
        }
        attempt { () throws(LabFailure) in try endProcesses(folder) }
        attempt { () throws(LabFailure) in try folder.cgroup().remove() }
        attempt { () throws(LabFailure) in try DiskThrottle.removeRemains(of: folder.run) }
        left += NetworkRemains.remove(folder.run)
        attempt { () throws(LabFailure) in
            try MountRemains.remove(in: folder.path)
            if !keepsJournal { try folder.remove() }
        }
        return left
    }

    /// Those in the run's cgroup, frozen or not, and those of our own programs that are outside of it.
    static func endProcesses(_ folder: RunFolder) throws(LabFailure) {
        let cgroup = try folder.cgroup()
        if cgroup.exists { try cgroup.kill() }
        let own = OwnProcess.all().filter { $0.run == folder.run && $0.pid != getpid() }
        for process in own { try process.end() }
        let deadline = RunInstant.now + .seconds(5)
        while try cgroup.isPopulated() {
            if RunInstant.now > deadline {
                throw LabFailure(
                    kind: .timedOut, message: "\(cgroup.path) does not become empty")
            }
            usleep(1000)
        }
    }
}
