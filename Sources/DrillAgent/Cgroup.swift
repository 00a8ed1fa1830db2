import DrillCore
import Glibc

/// A set of processes that is known whatever they do: a directory of the unified cgroup hierarchy, or, where none can be
/// made, a marked place.
package struct Cgroup: Sendable {
    /// Of a marked place it names no file.
    let path: String
    private let marks: MarkedPlaces?

    /// Nil: it is a marked place, which has no limits and no controllers.
    var folder: String? { marks == nil ? path : nil }

    init(path: String, marks: MarkedPlaces? = nil) {
        self.path = path
        self.marks = marks
    }

    /// Where runs' cgroups are made: where cgroup v2 is mounted (on hybrid machines beside v1), and for an ordinary user
    /// below what is delegated to him. Nil: nothing is.
    static func root() throws(LabFailure) -> Cgroup? {
        guard let path = mountPoint(in: try Files.read("/proc/self/mountinfo")) else {
            if OrdinaryUser.isThis { return nil }
            throw LabFailure(
                kind: .capability,
                message: "no cgroup v2 is mounted: mount -t cgroup2 none /sys/fs/cgroup/unified,"
                    + " or boot with systemd.unified_cgroup_hierarchy=1")
        }
        guard OrdinaryUser.isThis else { return Cgroup(path: path) }
        // A process may be put only into what is delegated together with where it is now.
        guard let own = ownPath(in: try Files.read("/proc/self/cgroup")), own != "/",
            access(path + own, W_OK) == 0, access(path + own + "/cgroup.procs", W_OK) == 0
        else { return nil }
        return Cgroup(path: path + own)
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

    var parent: Cgroup {
        Cgroup(
            path: String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]), marks: marks)
    }

    /// The cgroup v2 in the text of /proc/self/cgroup.
    package static func ownPath(in text: String) -> String? {
        text.split(separator: "\n").first { $0.hasPrefix("0::/") }.map { String($0.dropFirst(3)) }
    }

    func child(_ name: String) -> Cgroup { Cgroup(path: path + "/" + name, marks: marks) }

    var exists: Bool { marks?.exists(path) ?? Files.isDirectory(path) }

    func make() throws(LabFailure) {
        if let marks { return try marks.make(path) }
        do {
            try Files.makeDirectory(path)
        } catch {
            throw LabFailure(
                kind: error.errno == EACCES || error.errno == EROFS ? .capability : .failed,
                message: "\(error.message) (the lab needs a writable cgroup v2: run as root)",
                errno: error.errno)
        }
    }

    /// What a program is started into (`ChildSpec.cgroup`).
    func open() throws(LabFailure) -> Descriptor {
        if let marks { return try marks.open(path) }
        return try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
    }

    private func event(_ name: String) throws(LabFailure) -> Bool {
        let events = try Files.read(path + "/cgroup.events")
        return events.split(separator: "\n").contains("\(name) 1")
    }

    /// Whether it or one below it holds a process that has not ended.
    func isPopulated() throws(LabFailure) -> Bool {
        if let marks { return marks.isPopulated(path) }
        guard exists else { return false }
        return try event("populated")
    }

    func isFrozen() throws(LabFailure) -> Bool {
        if let marks { return marks.isStopped(path) }
        return try event("frozen")
    }

    /// Whether it was asked to freeze, however far that has come.
    func isAskedToFreeze() throws(LabFailure) -> Bool {
        if let marks { return marks.isAskedToStop(path) }
        return try Files.read(path + "/cgroup.freeze").hasPrefix("1")
    }

    func processes() throws(LabFailure) -> [pid_t] {
        if let marks { return marks.processes(path) }
        return try Files.read(path + "/cgroup.procs").split(separator: "\n")
            .compactMap { pid_t($0) }
    }

    /// With those below it.
    func allProcesses() throws(LabFailure) -> [pid_t] {
        if let marks { return marks.allProcesses(path) }
        var all = try processes()
        for name in children { all += try child(name).allProcesses() }
        return all
    }

    var children: [String] {
        marks?.children(path) ?? Files.list(path).filter { Files.isDirectory(path + "/" + $0) }
    }

    /// SIGKILL to everything in it and below, frozen or not.
    func kill() throws(LabFailure) {
        if let marks { return try marks.kill(path) }
        try Files.set(path + "/cgroup.kill", to: "1")
    }

    /// Of a marked place by SIGSTOP and SIGCONT.
    func setFrozen(_ frozen: Bool) throws(LabFailure) {
        guard let marks else {
            return try Files.set(path + "/cgroup.freeze", to: frozen ? "1" : "0")
        }
        if frozen { _ = try marks.stop(path) } else { marks.cont(path) }
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
        while try !has(frozen: frozen) {
            if RunInstant.now > deadline {
                throw LabFailure(
                    kind: .timedOut,
                    message: "\(path) is not \(frozen ? "frozen" : "thawed") after \(limit.spelled)"
                )
            }
            await Reactor.shared.sleep(.microseconds(200))
        }
    }

    private func has(frozen: Bool) throws(LabFailure) -> Bool {
        guard let marks else { return try event("frozen") == frozen }
        // Those who were being started when the others were stopped are stopped now; SIGCONT takes effect as it is sent.
        return frozen ? try marks.stop(path) : true
    }

    /// Thaws and removes it with all below it; it must be empty. One that stays frozen would hang what is put into it.
    func remove() throws(LabFailure) {
        if let marks { return try marks.remove(path) }
        guard exists else { return }
        for name in children { try child(name).remove() }
        if Files.exists(path + "/cgroup.freeze") { try setFrozen(false) }
        if rmdir(path) < 0, errno != ENOENT { throw systemFailure("remove \(path)") }
    }
}
