package import DrillCore
internal import Glibc

extension NamespaceLab {
    /// Removes what a supervisor that died could not: the kernel ends its hosts, but not their cgroups and folders.
    ///
    /// - Returns: what to tell about things that stay; nil where all is gone.
    package static func sweep(_ run: RunID, agent: String, log: String) -> String? {
        // The run's watchdog may be at it; it is done within seconds.
        var left: String?
        for _ in 0..<20 {
            left = sweepOnce(run, agent: agent, log: log)
            if left == nil { return nil }
            usleep(500_000)
        }
        return left
    }

    private static func sweepOnce(_ run: RunID, agent: String, log: String) -> String? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETSID: Ctrl-C is for the controller.
        posix_spawnattr_setflags(&attributes, 0x80)
        var arguments: [UnsafeMutablePointer<CChar>?] = [
            strdup(agent), strdup("heal"), strdup(run.rawValue), nil,
        ]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let failure = posix_spawn(&process, agent, &actions, &attributes, &arguments, environ)
        guard failure == 0 else { return "\(agent): \(String(cString: strerror(failure)))" }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 { guard errno == EINTR else { break } }
        return status == 0
            ? nil : "the lab's cgroup or folder (see \(log)); `firedrill doctor` names it"
    }
}
