import CLinux
import DrillCore
import Glibc

/// A process of one of our own programs that a supervisor started: it has the run in its environment.
struct OwnProcess: Hashable {
    let pid: pid_t
    let run: RunID
    /// `firedrill-agent watchdog …`
    let words: String

    /// In the environment of everything that a supervisor starts.
    static let marker = "FIREDRILL_RUN"
    private static let programs: Set = ["firedrill-agent", "firedrill-load"]

    static func all() -> [OwnProcess] {
        Files.list("/proc").compactMap { pid_t($0) }.compactMap(OwnProcess.init)
    }

    /// Nil: it is not ours, or gone. A person's shell may have the marker too, so it must be our program as well; and
    /// what another user calls a run must not become a path here.
    init?(_ pid: pid_t) {
        guard Self.isOurs(pid), let environment = try? Files.read("/proc/\(pid)/environ") else {
            return nil
        }
        let prefix = Self.marker + "="
        guard
            let name = environment.split(separator: "\0").first(where: { $0.hasPrefix(prefix) })?
                .dropFirst(prefix.count),
            !name.isEmpty, !name.contains("/"), name != "..", name != "."
        else { return nil }
        self.init(pid: pid, run: RunID(String(name)))
    }

    /// Who has the run's lock: its supervisor, which nobody gave the marker.
    init?(holdingLockOf folder: RunFolder) {
        guard let pid = Journal.holder(of: folder.path), Self.isOurs(pid) else { return nil }
        let descriptors = "/proc/\(pid)/fd"
        // The number in the file may be another's by now.
        guard
            Files.list(descriptors).contains(where: {
                (try? Files.readLink("\(descriptors)/\($0)")) == folder.lockPath
            })
        else { return nil }
        self.init(pid: pid, run: folder.run)
    }

    private init(pid: pid_t, run: RunID) {
        self.pid = pid
        self.run = run
        words = ((try? Files.read("/proc/\(pid)/cmdline")) ?? "").split(separator: "\0")
            .joined(separator: " ")
    }

    private static func isOurs(_ pid: pid_t) -> Bool {
        var status = stat()
        guard stat("/proc/\(pid)", &status) == 0, status.st_uid == geteuid(),
            let path = try? Files.readLink("/proc/\(pid)/exe"),
            let program = path.split(separator: "/").last?.split(separator: " ").first
        else { return false }
        return programs.contains(String(program))
    }

    var isWatchdog: Bool { words.contains(" watchdog ") }

    /// SIGKILL, and its exit; the number cannot mean another process meanwhile.
    func end() throws(LabFailure) {
        let result = clinux_pidfd_open(pid)
        if result == -ESRCH { return }
        let pidfd = try Descriptor(result: result, "open process \(pid)")
        // Its number may have been given to another between the look and the opening.
        guard
            OwnProcess(pid) == self
                || OwnProcess(holdingLockOf: RunFolder(run: run)) == self
        else { return }
        _ = clinux_pidfd_signal(pidfd.number, SIGKILL)
        var entry = clinux_poll(descriptor: pidfd.number, asked: Int16(POLLIN), seen: 0)
        if clinux_ppoll(&entry, 1, 5_000_000_000) <= 0 {
            throw LabFailure(kind: .timedOut, message: "process \(pid) (\(words)) does not end")
        }
    }
}
