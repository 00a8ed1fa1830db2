import CLinux
import DrillCore
import Glibc

/// Where a run keeps what must survive the kill of a host, and the lock that says whether its supervisor lives.
struct RunFolder: Sendable {
    let run: RunID

    static let parent = "/var/tmp"
    static let prefix = "firedrill-"

    var path: String { "\(Self.parent)/\(Self.prefix)\(run)" }
    var lockPath: String { path + "/lock" }
    var socketFolder: String { "/run/firedrill/\(run)" }
    var socketPath: String { socketFolder + "/lab.sock" }

    func host(_ host: HostName) -> String { "\(path)/hosts/\(host)" }

    func cgroup() throws(LabFailure) -> Cgroup {
        try Cgroup.root().child(Self.prefix + run.rawValue)
    }

    /// The lock is held for as long as the descriptor is open.
    func make() throws(LabFailure) -> Descriptor {
        try Files.makeDirectory(path)
        try Files.makeDirectory(path + "/hosts")
        let lock = try Descriptor.open(lockPath, O_RDWR | O_CREAT)
        if clinux_lock(lock.number) < 0 {
            throw LabFailure(kind: .failed, message: "run \(run) is being run already")
        }
        return lock
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
        try Files.remove(socketFolder)
        // Other runs' folders may be beside it.
        _ = rmdir("/run/firedrill")
    }
}
