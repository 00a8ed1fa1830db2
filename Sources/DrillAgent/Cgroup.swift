import DrillCore
import Glibc

/// A directory of the unified cgroup hierarchy.
package struct Cgroup: Hashable, Sendable {
    let path: String

    /// Where cgroup v2 is mounted; on hybrid machines beside v1.
    static func root() throws(LabFailure) -> Cgroup {
        let mounts = try Files.read("/proc/self/mountinfo")
        guard let path = mountPoint(in: mounts) else {
            throw LabFailure(
                kind: .capability,
                message: "no cgroup v2 is mounted: mount -t cgroup2 none /sys/fs/cgroup/unified,"
                    + " or boot with systemd.unified_cgroup_hierarchy=1")
        }
        return Cgroup(path: path)
    }

    /// The mount point of the first cgroup2 in the text of /proc/self/mountinfo.
    package static func mountPoint(in mountinfo: String) -> String? {
        for line in mountinfo.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count, fields.count > 4,
                fields[dash + 1] == "cgroup2"
            else { continue }
            return String(fields[4])
        }
        return nil
    }

    func child(_ name: String) -> Cgroup { Cgroup(path: path + "/" + name) }
    var parent: Cgroup {
        Cgroup(path: String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
    }

    var exists: Bool { Files.isDirectory(path) }

    func make() throws(LabFailure) {
        do {
            try Files.makeDirectory(path)
        } catch {
            throw LabFailure(
                kind: error.errno == EACCES || error.errno == EROFS ? .capability : .failed,
                message: "\(error.message) (the lab needs a writable cgroup v2: run as root)",
                errno: error.errno)
        }
    }

    func open() throws(LabFailure) -> Descriptor {
        try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
    }

    private func event(_ name: String) throws(LabFailure) -> Bool {
        let events = try Files.read(path + "/cgroup.events")
        return events.split(separator: "\n").contains("\(name) 1")
    }

    /// Whether it or one below it holds a process that has not ended.
    func isPopulated() throws(LabFailure) -> Bool {
        guard exists else { return false }
        return try event("populated")
    }

    func isFrozen() throws(LabFailure) -> Bool { try event("frozen") }

    func processes() throws(LabFailure) -> [pid_t] {
        try Files.read(path + "/cgroup.procs").split(separator: "\n").compactMap { pid_t($0) }
    }

    /// With those below it.
    func allProcesses() throws(LabFailure) -> [pid_t] {
        var all = try processes()
        for name in children { all += try child(name).allProcesses() }
        return all
    }

    var children: [String] { Files.list(path).filter { Files.isDirectory(path + "/" + $0) } }

    /// SIGKILL to everything in it and below, frozen or not.
    func kill() throws(LabFailure) { try Files.set(path + "/cgroup.kill", to: "1") }

    func setFrozen(_ frozen: Bool) throws(LabFailure) {
        try Files.set(path + "/cgroup.freeze", to: frozen ? "1" : "0")
    }

    /// Until all of its processes have ended.
    @LabActor
    func waitUntilEmpty(within limit: Duration = .seconds(5)) async throws(LabFailure) {
        let deadline = RunInstant.now + limit
        while try isPopulated() {
            if RunInstant.now > deadline {
                let pids = try allProcesses().map(String.init).joined(separator: ", ")
                throw LabFailure(kind: .timedOut, message: "\(path) still holds processes \(pids)")
            }
            await Reactor.shared.sleep(.microseconds(200))
        }
    }

    @LabActor
    func waitUntilFrozen(_ frozen: Bool, within limit: Duration = .seconds(5))
        async throws(LabFailure)
    {
        let deadline = RunInstant.now + limit
        while try isFrozen() != frozen {
            if RunInstant.now > deadline {
                throw LabFailure(
                    kind: .timedOut,
                    message: "\(path) is not \(frozen ? "frozen" : "thawed") after \(limit.spelled)"
                )
            }
            await Reactor.shared.sleep(.microseconds(200))
        }
    }

    /// Thaws and removes it with all below it; it must be empty. One that stays frozen would hang what is put into it.
    func remove() throws(LabFailure) {
        guard exists else { return }
        for name in children { try child(name).remove() }
        if Files.exists(path + "/cgroup.freeze") { try setFrozen(false) }
        if rmdir(path) < 0, errno != ENOENT { throw systemFailure("remove \(path)") }
    }
}
