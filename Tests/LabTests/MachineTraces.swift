import DrillCore
import Glibc

/// What a lab has on the machine while it lives, so that its absence can be checked afterwards.
///
/// Namespaces are remembered by number: other labs may come and go on the machine meanwhile.
struct MachineTraces {
    /// `net:[4026532177]`
    private(set) var namespaces: Set<String> = []
    private(set) var processes: Set<pid_t> = []

    private static let kinds = ["net", "mnt", "pid", "uts", "ipc"]

    /// - Parameter others: namespaces that the run is in and does not own, beside those of this process.
    mutating func collect(run: RunID, supervisor: pid_t, others: Set<String> = []) {
        var own = others
        for kind in Self.kinds { own.insert(Self.link("/proc/self/ns/\(kind)")) }
        processes.insert(supervisor)
        for root in Self.cgroups(of: run) {
            for pid in Self.processes(under: root) { processes.insert(pid) }
        }
        for pid in processes {
            for kind in Self.kinds {
                let namespace = Self.link("/proc/\(pid)/ns/\(kind)")
                if !namespace.isEmpty, !own.contains(namespace) { namespaces.insert(namespace) }
            }
        }
    }

    /// The process and all that it started, and that those started.
    mutating func collectTree(of root: pid_t) {
        var parents: [pid_t: [pid_t]] = [:]
        for pid in Programs.names(in: "/proc").compactMap({ pid_t($0) }) {
            if let parent = Self.parent(of: pid) { parents[parent, default: []].append(pid) }
        }
        var new = [root]
        while let pid = new.popLast() {
            processes.insert(pid)
            new += parents[pid] ?? []
        }
    }

    /// Everything that is still there, each with where it is.
    ///
    /// - Parameter isOthers: of a process that is known to belong to another lab: namespaces' numbers are used again.
    func remains(
        of run: RunID, isOthers: (pid_t) -> Bool = { _ in false }
    ) throws -> [String] {
        // The kernel takes network namespaces down a moment after their last user.
        var left: [String] = []
        for _ in 0..<100 {
            left = try look(run, isOthers)
            if left.isEmpty { return [] }
            usleep(20_000)
        }
        return left
    }

    private func look(
        _ run: RunID, _ isOthers: (pid_t) -> Bool
    ) throws -> [String] {
        var left = Self.cgroups(of: run).map { "cgroup \($0)" }
        for path in ["/var/tmp/firedrill-\(run)", "/run/firedrill/\(run)"]
        where access(path, F_OK) == 0 {
            left.append(path)
        }
        for line in try Programs.text("/proc/self/mountinfo").split(separator: "\n")
        where line.contains(run.rawValue) {
            left.append("mount \(line)")
        }
        for name in Programs.names(in: "/sys/class/net") {
            let alias = (try? Programs.text("/sys/class/net/\(name)/ifalias")) ?? ""
            if alias.contains(run.rawValue) { left.append("link \(name)") }
        }
        for pid in Programs.names(in: "/proc").compactMap({ pid_t($0) }) {
            if processes.contains(pid), Self.isAlive(pid) { left.append("process \(pid)") }
            for kind in Self.kinds {
                let namespace = Self.link("/proc/\(pid)/ns/\(kind)")
                if namespaces.contains(namespace), !isOthers(pid) {
                    left.append("\(namespace) of process \(pid)")
                }
            }
        }
        return left
    }

    static func isAlive(_ pid: pid_t) -> Bool {
        guard let state = state(of: pid) else { return false }
        return state != "Z"
    }

    static func state(of pid: pid_t) -> Substring? { fields(of: pid).first }

    private static func parent(of pid: pid_t) -> pid_t? {
        fields(of: pid).dropFirst().first.flatMap { pid_t($0) }
    }

    /// state, parent, …
    private static func fields(of pid: pid_t) -> [Substring] {
        guard let text = try? Programs.text("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")")
        else { return [] }
        return text[text.index(after: end)...].split(separator: " ")
    }

    private static func cgroups(of run: RunID) -> [String] {
        ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map { "\($0)/firedrill-\(run)" }
            .filter { access($0, F_OK) == 0 }
    }

    private static func processes(under cgroup: String) -> [pid_t] {
        let text = (try? Programs.text(cgroup + "/cgroup.procs")) ?? ""
        var all = text.split(separator: "\n").compactMap { pid_t($0) }
        for name in Programs.names(in: cgroup)
        where access("\(cgroup)/\(name)/cgroup.procs", F_OK) == 0 {
            all += processes(under: "\(cgroup)/\(name)")
        }
        return all
    }

    static func link(_ path: String) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = buffer.withUnsafeMutableBytes {
            readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return count <= 0 ? "" : String(decoding: buffer[..<count], as: UTF8.self)
    }
}
