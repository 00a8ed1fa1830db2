import CLinux
import DrillCore
import Glibc

/// Where a run keeps what must survive the kill of a host, and the lock that says whether its supervisor lives.
struct RunFolder: Sendable {
    let run: RunID

    static let prefix = "firedrill-"

    /// Where runs' folders may be; the first is where they are made. All of this user.
    static var parents: [String] {
        guard let user = OrdinaryUser.number else { return ["/var/tmp"] }
        // By the number, not by XDG_RUNTIME_DIR: a later `heal` finds it from any session, and `su` keeps the variable of
        // another user.
        let runtime = "/run/user/\(user)"
        let own = Files.isOwnDirectory(runtime) ? [runtime + "/firedrill"] : []
        return own + ["/tmp/\(prefix)\(user)"]
    }

    var path: String {
        let name = Self.prefix + run.rawValue
        let parents = Self.parents
        let parent = parents.first { Files.isOwnDirectory("\($0)/\(name)") } ?? parents[0]
        return "\(parent)/\(name)"
    }

    var lockPath: String { path + "/lock" }
    /// An ordinary user's lies in his run folder.
    var socketFolder: String { OrdinaryUser.isThis ? path : "/run/firedrill/\(run)" }
    var socketPath: String { socketFolder + "/lab.sock" }
    /// Holds the name of the system that the lab is of.
    var systemPath: String { path + "/system" }
    private var cgroupPath: String { path + "/cgroup" }

    func host(_ host: HostName) -> String { "\(path)/hosts/\(host)" }

    /// The run's processes. Of a run that exists: where its supervisor made it.
    func cgroup() throws(LabFailure) -> Cgroup {
        let name = Self.prefix + run.rawValue
        if OrdinaryUser.isThis, Files.exists(path) {
            guard Files.exists(cgroupPath) else { return Cgroup(path: name, marks: .init(run)) }
            let path = try Files.read(cgroupPath)
            guard path.hasSuffix("/" + name) else {
                throw LabFailure(kind: .failed, message: "\(cgroupPath) holds \(path)")
            }
            return Cgroup(path: path)
        }
        return try Cgroup.root()?.child(name) ?? Cgroup(path: name, marks: .init(run))
    }

    /// The lock is held for as long as the descriptor is open.
    func make(cgroup: Cgroup) throws(LabFailure) -> Descriptor {
        if OrdinaryUser.isThis { try Self.makeParent() }
        let path = path
        try Files.makeDirectory(path)
        guard Files.isOwnDirectory(path) else {
            throw LabFailure(kind: .failed, message: "\(path) belongs to another user")
        }
        let lock = try lock()
        try Files.makeDirectory(path + "/hosts")
        if OrdinaryUser.isThis, let folder = cgroup.folder {
            try Files.write(folder, to: cgroupPath)
        }
        var held = stat()
        var named = stat()
        guard fstat(lock.number, &held) == 0, stat(lockPath, &named) == 0,
            held.st_ino == named.st_ino
        else {
            // It looked dead for as long as it had no lock.
            throw LabFailure(
                kind: .failed, message: "\(path) was removed by a heal while it was made; run again"
            )
        }
        return lock
    }

    /// Everybody may make a folder of this name in /tmp, or a link: only one that is ours alone is used.
    private static func makeParent() throws(LabFailure) {
        let parent = parents[0]
        try Files.makeDirectory(parent, mode: 0o700)
        var status = stat()
        guard Files.isOwnDirectory(parent), lstat(parent, &status) == 0,
            status.st_mode & 0o077 == 0
        else {
            throw LabFailure(
                kind: .capability,
                message: "\(parent) is not a folder of this user alone (mode 0700):"
                    + " whoever made it could change the run; have it removed")
        }
    }

    /// Made where it is not there. Whoever only asks whether the run lives holds it for a moment, too.
    func lock() throws(LabFailure) -> Descriptor {
        let lock = try Descriptor.open(lockPath, O_RDWR | O_CREAT)
        for _ in 0..<20 {
            if clinux_lock(lock.number) == 0 { return lock }
            usleep(2000)
        }
        throw LabFailure(kind: .failed, message: "run \(run) is being run already")
    }

    /// Whether a supervisor holds the run's lock.
    var isAlive: Bool {
        get throws(LabFailure) {
            guard Files.exists(lockPath) else { return false }
            let lock = try Descriptor.open(lockPath, O_RDWR)
            return withExtendedLifetime(lock) { clinux_lock(lock.number) < 0 }
        }
    }

    func remove() throws(LabFailure) {
        try Files.remove(path)
        if OrdinaryUser.isThis {
            // Other runs' folders may be beside it.
            for parent in Self.parents { _ = rmdir(parent) }
        } else {
            try Files.remove(socketFolder)
            _ = rmdir("/run/firedrill")
        }
    }
}
