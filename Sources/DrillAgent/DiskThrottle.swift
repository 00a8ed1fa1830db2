import DrillCore
import Glibc

/// A limit on what a host's processes read and write, through the io controller of cgroup v2, or v1's blkio.
///
/// v1 does not see what is written through the page cache, only what waits for the disk: reads, O_DIRECT, fsync.
@LabActor
final class DiskThrottle {
    enum Way: Hashable, Sendable {
        case io
        /// Where v1's controller is mounted.
        case blkio(mount: String)
    }

    private let host: LabHostState
    let kernel: HostKernel
    private let way: Way
    /// Of the whole disk that the host's folder lies on: `254:0`.
    private let device: String
    /// v1: the run's cgroup, and the host's in it.
    private let outer: Cgroup
    private let group: Cgroup
    /// v1: where the host's processes were.
    private var origin = Cgroup(path: "/")
    private var rate: UInt64 = 0

    init(_ host: LabHostState, run: RunID) throws(LabFailure) {
        self.host = host
        kernel = host.kernel
        way = try Self.way(for: host.folder)
        device = try Self.device(of: host.folder)
        switch way {
        case .io:
            outer = kernel.system
            group = kernel.system
        case .blkio(let mount):
            outer = Cgroup(path: "\(mount)/\(RunFolder.prefix)\(run)")
            group = outer.child(host.name.rawValue)
        }
    }

    /// Nil: a disk can be slowed here. Else why not, and what to do.
    nonisolated static var missing: String? {
        do throws(LabFailure) {
            _ = try way(for: RunFolder.parents[0])
            return nil
        } catch {
            return error.message
        }
    }

    nonisolated private static func way(for folder: String) throws(LabFailure) -> Way {
        _ = try device(of: folder)
        let root = try Cgroup.root()?.path ?? ""
        let enabled = (try? Files.read(root + "/cgroup.subtree_control")) ?? ""
        if enabled.split(whereSeparator: { $0 == " " || $0 == "\n" }).contains("io") {
            return .io
        }
        let offered = (try? Files.read(root + "/cgroup.controllers")) ?? ""
        if offered.split(whereSeparator: { $0 == " " || $0 == "\n" }).contains("io") {
            throw LabFailure(
                kind: .capability,
                message:
                    "the io controller is there and not enabled: echo +io > \(root)/cgroup.subtree_control"
            )
        }
        if let mount = blkioMount(in: try Files.read("/proc/self/mountinfo")),
            Files.exists("\(mount)/blkio.throttle.write_bps_device"), access(mount, W_OK) == 0
        {
            return .blkio(mount: mount)
        }
        throw LabFailure(
            kind: .capability,
            message:
                "this machine has neither cgroup v2's io controller nor a writable blkio of v1; boot with systemd.unified_cgroup_hierarchy=1, or run on the machine and not in a container"
        )
    }

    /// Of the first blkio hierarchy in the text of /proc/self/mountinfo.
    nonisolated static func blkioMount(in mountinfo: String) -> String? {
        for line in mountinfo.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash + 3 < fields.count, fields.count > 4,
                fields[dash + 1] == "cgroup",
                fields[dash + 3].split(separator: ",").contains("blkio")
            else { continue }
            return String(fields[4])
        }
        return nil
    }

    nonisolated private static func device(of folder: String) throws(LabFailure) -> String {
        var status = stat()
        guard stat(folder, &status) == 0 else { throw systemFailure("look at \(folder)") }
        let number = status.st_dev
        let major = ((number >> 8) & 0xfff) | ((number >> 32) & ~0xfff)
        let minor = (number & 0xff) | ((number >> 12) & ~0xff)
        let path = "/sys/dev/block/\(major):\(minor)"
        guard major > 0, Files.exists(path) else {
            throw LabFailure(
                kind: .capability,
                message:
                    "\(folder), which the hosts keep their files in, is on no block device of its own (tmpfs, overlay, btrfs, zfs or a network); mount an ext4 or xfs there"
            )
        }
        // Limits are of whole disks.
        if Files.exists(path + "/partition") {
            return String(try Files.read(path + "/../dev").prefix { $0 != "\n" })
        }
        return "\(major):\(minor)"
    }

    // MARK: change

    func set(_ rate: UInt64) throws(LabFailure) -> InstantInterval {
        self.rate = rate
        let low = RunInstant.now
        do throws(LabFailure) {
            switch way {
            case .io:
                // Inside our own tree; it goes with the lab.
                for folder in kernel.aboveSystem {
                    try Files.set(folder.path + "/cgroup.subtree_control", to: "+io")
                }
                try Files.set(group.path + "/io.max", to: "\(device) rbps=\(rate) wbps=\(rate)")
            case .blkio(let mount):
                try outer.make()
                try group.make()
                for direction in ["read", "write"] {
                    try Files.set(
                        "\(group.path)/blkio.throttle.\(direction)_bps_device",
                        to: "\(device) \(rate)")
                }
                origin = Cgroup(path: mount + (try Self.place(of: kernel.pid) ?? "/"))
                try moveAll(to: group)
            }
            let high = RunInstant.now
            guard try isSet() else {
                throw LabFailure(
                    kind: .failed, message: "the limit of \(group.path) is not what was set")
            }
            return InstantInterval(low: low, high: high)
        } catch {
            // What was begun is taken back; the first failure is the one to tell.
            try? remove()
            throw error
        }
    }

    private func isSet() throws(LabFailure) -> Bool {
        switch way {
        case .io:
            let text = try Files.read(group.path + "/io.max")
            return text.contains("\(device) ") && text.contains("rbps=\(rate)")
                && text.contains("wbps=\(rate)")
        case .blkio:
            for direction in ["read", "write"] {
                let text = try Files.read("\(group.path)/blkio.throttle.\(direction)_bps_device")
                guard text.split(separator: "\n").contains("\(device) \(rate)") else {
                    return false
                }
            }
            return true
        }
    }

    /// Also where the host was killed meanwhile.
    func remove() throws(LabFailure) {
        switch way {
        case .io:
            guard group.exists else { return }
            try Files.set(group.path + "/io.max", to: "\(device) rbps=max wbps=max")
        case .blkio:
            guard group.exists else { return }
            for _ in 0..<20 {
                let inside = try group.processes()
                if inside.isEmpty { break }
                for pid in inside { try Self.move(pid, to: origin) }
            }
            try Self.removeGroup(group)
            // Other hosts of the run may be slowed still.
            if outer.children.isEmpty { try Self.removeGroup(outer) }
        }
    }

    private static func removeGroup(_ group: Cgroup) throws(LabFailure) {
        if rmdir(group.path) < 0, errno != ENOENT { throw systemFailure("remove \(group.path)") }
    }

    /// What a run whose holder died has left of v1's cgroups; their processes have ended.
    nonisolated static func removeRemains(of run: RunID) throws(LabFailure) {
        guard let mount = blkioMount(in: try Files.read("/proc/self/mountinfo")) else { return }
        let outer = "\(mount)/\(RunFolder.prefix)\(run)"
        for name in Files.list(outer) where Files.isDirectory("\(outer)/\(name)") {
            if rmdir("\(outer)/\(name)") < 0 { throw systemFailure("remove \(outer)/\(name)") }
        }
        if rmdir(outer) < 0, errno != ENOENT { throw systemFailure("remove \(outer)") }
    }

    /// The host's first process too: whatever it starts is born where it is.
    private func moveAll(to target: Cgroup) throws(LabFailure) {
        for _ in 0..<20 {
            var strays: [pid_t] = []
            for pid in [kernel.pid] + (try kernel.system.allProcesses()) {
                guard let place = try Self.place(of: pid),
                    !target.path.hasSuffix(place) || place == "/"
                else { continue }
                strays.append(pid)
            }
            if strays.isEmpty { return }
            for pid in strays { try Self.move(pid, to: target) }
        }
        throw LabFailure(
            kind: .failed,
            message: "host \(host.name) starts processes faster than they can be limited")
    }

    /// One that ended meanwhile needs no move.
    private static func move(_ pid: pid_t, to target: Cgroup) throws(LabFailure) {
        do {
            try Files.set(target.path + "/cgroup.procs", to: "\(pid)")
        } catch {
            if error.errno != ESRCH { throw error }
        }
    }

    /// Its path in the blkio hierarchy; nil: it has ended.
    private static func place(of pid: pid_t) throws(LabFailure) -> String? {
        guard let text = try? Files.read("/proc/\(pid)/cgroup") else { return nil }
        for line in text.split(separator: "\n") {
            let parts = line.split(
                separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            if parts.count == 3, parts[1].split(separator: ",").contains("blkio") {
                return String(parts[2])
            }
        }
        return nil
    }

    // MARK: proof

    /// - Parameter measured: of `probe disk` inside the host: bytes and nanoseconds.
    func inspect(_ asked: UInt64, measured: RunResult) throws(LabFailure) -> Inspection {
        guard kernel === host.kernel, kernel.state == .running else {
            return Inspection(false, "host \(host.name) was started again, without the limit")
        }
        let numbers = measured.output.split(separator: " ").compactMap { Double($0) }
        guard measured.status == 0, numbers.count == 2, numbers[1] > 0 else {
            return Inspection(false, "the disk cannot be measured: \(measured.output)")
        }
        let seen = numbers[0] / (numbers[1] / 1e9)
        return Inspection(
            try isSet() && seen <= Double(asked) * 1.3,
            "\(ByteCount.text(Int64(numbers[0]))) were written at \(ByteCount.text(Int64(seen)))/s, asked \(ByteCount.text(Int64(asked)))/s, on disk \(device)"
        )
    }
}
