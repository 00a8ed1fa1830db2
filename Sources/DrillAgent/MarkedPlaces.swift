import CLinux
import DrillCore
import Glibc
import Synchronization

/// The places of one run where no cgroup can be made: each is a cgroup namespace of its own.
///
/// Whatever is started in it inherits that, and keeps it when it forks, changes its session or its name, or writes over its
/// environment (nginx does), so that its processes are known. There is no limit on them and no freezer: they are
/// killed one by one until none is left, and stopped by SIGSTOP.
final class MarkedPlaces: Sendable {
    private struct Known: Sendable {
        var path: String
        var pid: pid_t
        var pidfd: Descriptor

        var isAlive: Bool {
            var entry = clinux_poll(descriptor: pidfd.number, asked: Int16(POLLIN), seen: 0)
            return clinux_ppoll(&entry, 1, 0) <= 0
        }
    }

    private struct State: Sendable {
        var places: [String: (namespace: Descriptor, number: UInt64)] = [:]
        /// SIGKILL was sent, and they may still be ending.
        var dying: [Known] = []
        var stopped: [Known] = []
        /// Places that are to be stopped, those without a process among them.
        var frozen: Set<String> = []
        var isOwn = false
    }

    private let run: RunID
    private let state = Mutex(State())

    init(_ run: RunID) { self.run = run }

    func exists(_ path: String) -> Bool {
        if state.withLock({ $0.places[path] != nil }) { return true }
        return isForeign && !allProcesses(path).isEmpty
    }

    /// Made by another process, the run's supervisor: its processes are known by their environment alone. Those that
    /// write over theirs are in a host, and end with its first process.
    private var isForeign: Bool { state.withLock { !$0.isOwn } }

    func make(_ path: String) throws(LabFailure) {
        if state.withLock({ $0.places[path] != nil }) { return }
        let namespace = try Descriptor(
            result: clinux_cgroup_namespace(), "make a cgroup namespace for \(path)")
        var status = stat()
        if fstat(namespace.number, &status) < 0 { throw systemFailure("look at \(path)") }
        state.withLock { state in
            state.places[path] = (namespace, UInt64(status.st_ino))
            state.isOwn = true
        }
    }

    func open(_ path: String) throws(LabFailure) -> Descriptor {
        guard let place = state.withLock({ $0.places[path]?.namespace }) else {
            throw LabFailure(kind: .failed, message: "there is no place \(path)")
        }
        return place
    }

    func children(_ path: String) -> [String] {
        let inside = path + "/"
        return state.withLock { state in
            state.places.keys.filter { $0.hasPrefix(inside) }
                .map { $0.dropFirst(inside.count) }
                .filter { !$0.contains("/") }.map(String.init).sorted()
        }
    }

    func processes(_ path: String) -> [pid_t] {
        let number = state.withLock { $0.places[path]?.number }
        return Self.processes { number != nil && Self.placeNumbers(of: $0).contains(number ?? 0) }
    }

    /// With those of places below it.
    func allProcesses(_ path: String) -> [pid_t] {
        if isForeign {
            let entry = "\(OwnProcess.marker)=\(run)"
            return Self.processes { $0 != getpid() && Self.hasEnvironment($0, entry) }
        }
        let numbers = state.withLock { state in
            Set(state.places.filter { Self.isIn(path, $0.key) }.map(\.value.number))
        }
        return Self.processes { !Self.placeNumbers(of: $0).isDisjoint(with: numbers) }
    }

    func isPopulated(_ path: String) -> Bool {
        let ending = state.withLock { state in
            state.dying.removeAll { !$0.isAlive }
            return state.dying.contains { Self.isIn(path, $0.path) }
        }
        return ending || !allProcesses(path).isEmpty
    }

    /// SIGKILL to all, until a look finds nobody who has not got it.
    func kill(_ path: String) throws(LabFailure) {
        for _ in 0..<100 {
            var sent = 0
            for known in try found(path) {
                let isDying = state.withLock { state in
                    state.dying.contains { $0.pid == known.pid && $0.isAlive }
                }
                if isDying { continue }
                try send(SIGKILL, to: known)
                state.withLock { $0.dying.append(known) }
                sent += 1
            }
            if sent == 0 { return }
        }
        throw LabFailure(kind: .failed, message: "\(path) starts processes faster than they end")
    }

    /// SIGSTOP to all who run; whether all had stopped before.
    func stop(_ path: String) throws(LabFailure) -> Bool {
        state.withLock { _ = $0.frozen.insert(path) }
        var running = 0
        for known in try found(path) where !Self.isStopped(known.pid) {
            running += 1
            try send(SIGSTOP, to: known)
            state.withLock { state in
                state.stopped.removeAll { $0.pid == known.pid }
                state.stopped.append(known)
            }
        }
        return running == 0
    }

    /// Whether it was stopped and no process of it goes on.
    func isStopped(_ path: String) -> Bool {
        isAskedToStop(path) && allProcesses(path).allSatisfy { Self.isStopped($0) }
    }

    func isAskedToStop(_ path: String) -> Bool {
        state.withLock { $0.frozen.contains { Self.isIn($0, path) } }
    }

    /// SIGCONT to those whom `stop` stopped, and to nobody else.
    func cont(_ path: String) {
        let stopped = state.withLock { state in
            let stopped = state.stopped.filter { Self.isIn(path, $0.path) }
            state.stopped.removeAll { Self.isIn(path, $0.path) }
            state.frozen = state.frozen.filter { !Self.isIn(path, $0) }
            return stopped
        }
        for known in stopped { _ = clinux_pidfd_signal(known.pidfd.number, SIGCONT) }
    }

    func remove(_ path: String) throws(LabFailure) {
        cont(path)
        guard !isPopulated(path) else { throw systemFailure("remove \(path)", EBUSY) }
        state.withLock { state in
            for name in state.places.keys where Self.isIn(path, name) { state.places[name] = nil }
        }
    }

    private func found(_ path: String) throws(LabFailure) -> [Known] {
        var found: [Known] = []
        for pid in allProcesses(path) {
            let result = clinux_pidfd_open(pid)
            if result == -ESRCH { continue }
            let pidfd = try Descriptor(result: result, "open process \(pid)")
            // The number may have gone to another process since it was found.
            if isIn(path, pid) { found.append(Known(path: path, pid: pid, pidfd: pidfd)) }
        }
        return found
    }

    private func send(_ number: Int32, to known: Known) throws(LabFailure) {
        let sent = clinux_pidfd_signal(known.pidfd.number, number)
        if sent != -ESRCH { try checked(sent, "signal \(number) to process \(known.pid)") }
    }

    private func isIn(_ path: String, _ pid: pid_t) -> Bool {
        if isForeign { return Self.hasEnvironment(pid, "\(OwnProcess.marker)=\(run)") }
        let found = Self.placeNumbers(of: pid)
        return state.withLock { state in
            state.places.contains { Self.isIn(path, $0.key) && found.contains($0.value.number) }
        }
    }

    // MARK: what the kernel says

    private static func isIn(_ path: String, _ place: String) -> Bool {
        place == path || place.hasPrefix(path + "/")
    }

    private static func processes(where matches: (pid_t) -> Bool) -> [pid_t] {
        Files.list("/proc").compactMap { pid_t($0) }.filter(matches).sorted()
    }

    /// Of its threads, where the first has ended and others go on; none of a process that has ended, or is another user's.
    private static func placeNumbers(of pid: pid_t) -> Set<UInt64> {
        if let number = placeNumber("/proc/\(pid)/ns/cgroup") { return [number] }
        guard errno == ENOENT else { return [] }
        let threads = Files.list("/proc/\(pid)/task")
        guard threads.count > 1 else { return [] }
        return Set(threads.compactMap { placeNumber("/proc/\(pid)/task/\($0)/ns/cgroup") })
    }

    /// `cgroup:[4026532177]`
    private static func placeNumber(_ path: String) -> UInt64? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            let count = readlink(path, buffer.baseAddress!, buffer.count)
            guard count > 0 else { return nil }
            var number: UInt64 = 0
            for byte in buffer[..<count] where byte >= 48 && byte <= 57 {
                number = number * 10 + UInt64(byte - 48)
            }
            return number
        }
    }

    private static func hasEnvironment(_ pid: pid_t, _ entry: String) -> Bool {
        guard let text = try? Files.read("/proc/\(pid)/environ") else { return false }
        return text.split(separator: "\0").contains { $0 == entry }
    }

    /// Whether all threads have stopped or ended.
    private static func isStopped(_ pid: pid_t) -> Bool {
        Files.list("/proc/\(pid)/task").allSatisfy { thread in
            guard let text = try? Files.read("/proc/\(pid)/task/\(thread)/stat"),
                let end = text.lastIndex(of: ")")
            else { return true }
            return text[text.index(after: end)...].first { $0 != " " }.map { "TtZX".contains($0) }
                ?? true
        }
    }
}
