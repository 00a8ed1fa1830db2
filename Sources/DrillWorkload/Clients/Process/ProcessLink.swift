import CLinux
import DrillCore
import Glibc

/// One running program: a socket that is its standard input and output, and what it says on its standard error, where
/// that is heard.
final class ProcessLink {
    private(set) var descriptor: Int32 = -1
    private var errors: Int32 = -1
    private var pid: pid_t = -1
    private var pidfd: Int32 = -1
    private var received: [UInt8] = []
    /// The beginning of what it wrote to its standard error.
    private(set) var complaint: [UInt8] = []

    /// Longer lines are no answer.
    private static let longestLine = 1 << 20
    private static let longestComplaint = 4096

    deinit { close() }

    /// Starts it; 0 or an errno.
    ///
    /// - Parameter isHeard: what it says on its standard error is for `lastComplaint`. Else it goes to nobody: a pipe that
    ///   is read only now and then would hold it up.
    func start(_ command: [String], isHeard: Bool) -> Int32 {
        close()
        complaint = []
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { return errno }
        defer { Glibc.close(ends[1]) }
        var pipe: [Int32] = [-1, -1]
        let failure = isHeard ? clinux_pipe(&pipe) : 0
        guard failure == 0 else {
            Glibc.close(ends[0])
            return -failure
        }
        defer { if isHeard { Glibc.close(pipe[1]) } }
        for end in [ends[0], pipe[0]] where end >= 0 { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        let error = Self.spawn(command, ends[1], pipe[1], &pid)
        if error == 0 { pidfd = clinux_pidfd_open(pid) }
        guard error == 0, pidfd >= 0 else {
            let reason = error == 0 ? -pidfd : error
            if error == 0 {
                kill(pid, SIGKILL)
                Self.reap(pid)
            }
            pid = -1
            Glibc.close(ends[0])
            if isHeard { Glibc.close(pipe[0]) }
            return reason
        }
        descriptor = ends[0]
        errors = pipe[0]
        return 0
    }

    /// A process group of its own, with nothing of ours but its standard streams.
    private static func spawn(
        _ command: [String], _ stream: Int32, _ errors: Int32, _ pid: inout pid_t
    ) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, stream, 0)
        posix_spawn_file_actions_adddup2(&actions, stream, 1)
        if errors >= 0 {
            posix_spawn_file_actions_adddup2(&actions, errors, 2)
        } else {
            posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        }
        // Libraries open sockets that are not close-on-exec, other threads at this very moment.
        _ = clinux_spawn_closes_from(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var argv = command.map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        return posix_spawnp(&pid, command[0], &actions, &attributes, &argv, environ)
    }

    enum Sent { case all, some(Int), failed(Int32) }

    /// Without waiting.
    func send(_ bytes: ArraySlice<UInt8>) -> Sent {
        let count = bytes.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count == bytes.count { return .all }
        if count >= 0 { return .some(count) }
        let error = errno
        return error == EAGAIN || error == EINTR ? .some(0) : .failed(error)
    }

    enum Received: Equatable { case nothing, line([UInt8]), ended }

    /// The next whole line, without its newline, as far as one has come. Never waits.
    func receive(_ buffer: UnsafeMutableRawBufferPointer) -> Received {
        drainErrors()
        while true {
            if let newline = received.firstIndex(of: 10) {
                let line = Array(received[..<newline])
                received.removeSubrange(...newline)
                return .line(line)
            }
            if received.count > Self.longestLine { return .ended }
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count < 0 { return errno == EAGAIN || errno == EINTR ? .nothing : .ended }
            if count == 0 { return .ended }
            received.append(contentsOf: buffer[..<count])
        }
    }

    /// Nothing has come that nobody asked for, and it has not ended.
    var isQuiet: Bool { received.isEmpty && clinux_tcp_is_quiet(descriptor) == 1 }

    /// A full pipe would hold the program up; one that is filled without end is not read without end.
    func drainErrors() {
        guard errors >= 0 else { return }
        var bytes = [UInt8](repeating: 0, count: 4096)
        for _ in 0..<16 {
            let count = read(errors, &bytes, bytes.count)
            guard count > 0 else { return }
            let room = Self.longestComplaint - complaint.count
            complaint.append(contentsOf: bytes[..<min(count, room)])
        }
    }

    /// The last line that it wrote to its standard error: where a program of most languages says why it ended.
    var lastComplaint: String? {
        drainErrors()
        return String(decoding: complaint, as: UTF8.self).split(whereSeparator: \.isNewline).last
            .map(String.init)
    }

    /// Kills it and what it started, and waits for its end.
    func close() {
        guard let pid = end() else { return }
        Self.reap(pid)
    }

    /// Kills it and what it started: whoever asks waits for the process that is told.
    func end() -> pid_t? {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
        received = []
        if pidfd >= 0 { _ = clinux_pidfd_signal(pidfd, SIGKILL) }
        // As long as it is not waited for, its number is nobody else's: neither the process's nor the group's.
        if pid > 0 { kill(-pid, SIGKILL) }
        if pidfd >= 0 { Glibc.close(pidfd) }
        pidfd = -1
        if errors >= 0 {
            drainErrors()
            Glibc.close(errors)
        }
        errors = -1
        defer { pid = -1 }
        return pid > 0 ? pid : nil
    }

    private static func reap(_ pid: pid_t) {
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
    }
}
