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
        let lock = try lock()
        try Files.makeDirectory(path + "/hosts")
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
        try Files.remove(socketFolder)
        // Other runs' folders may be beside it.
        _ = rmdir("/run/firedrill")
    }
}
