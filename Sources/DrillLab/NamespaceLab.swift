package import DrillCore
internal import DrillRunner
internal import Glibc

/// The namespace lab of one run: `firedrill-agent lab` as a child, JSON lines on its standard input and output.
///
/// The child is in a session of its own, so that Ctrl-C reaches only the controller, and takes our end as its order
/// to tear everything down.
package final class NamespaceLab: LabConnection {
    private let process: pid_t
    private let input: Int32
    package let descriptor: Int32
    private var buffer: [UInt8] = []
    private var isClosed = false

    /// - Parameters:
    ///   - agent: the path of the firedrill-agent program.
    ///   - log: where its standard error goes.
    package init(agent: String, log: String) throws(LabFailure) {
        var toChild: [Int32] = [-1, -1]
        var fromChild: [Int32] = [-1, -1]
        guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else {
            throw LabFailure(kind: .failed, message: "pipe: \(String(cString: strerror(errno)))")
        }
        for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        // POSIX_SPAWN_SETSID
        posix_spawnattr_setflags(&attributes, 0x80)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(agent), strdup("lab"), nil]
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, agent, &actions, &attributes, &arguments, environ)
        Glibc.close(toChild[0])
        Glibc.close(fromChild[1])
        guard failure == 0 else {
            Glibc.close(toChild[1])
            Glibc.close(fromChild[0])
            throw LabFailure(
                kind: .capability,
                message:
                    "\(agent): \(String(cString: strerror(failure))); build all programs with `make build`",
                errno: failure)
        }
        process = pid
        input = toChild[1]
        descriptor = fromChild[0]
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit { _ = close() }

    package func send(_ request: LabRequest) throws {
        let bytes = Array((try JSONLine.encode(request) + "\n").utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                write(input, $0.baseAddress.map { $0 + sent }, bytes.count - sent)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw LabFailure(
                    kind: .failed, message: "the lab's supervisor does not listen", errno: errno)
            }
            sent += count
        }
    }

    package func receive() throws -> [LabMessage]? {
        var chunk = [UInt8](repeating: 0, count: 65536)
        var ended = false
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count > 0 {
                buffer += chunk[..<count]
            } else if count < 0, errno == EINTR {
                continue
            } else {
                ended = count == 0
                break
            }
        }
        var messages: [LabMessage] = []
        var start = buffer.startIndex
        while let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: buffer[start..<end], as: UTF8.self)
            messages.append(try JSONLine.decode(LabMessage.self, from: line))
            start = end + 1
        }
        buffer.removeSubrange(..<start)
        return ended && messages.isEmpty ? nil : messages
    }

    package func leave() {
        guard !isClosed else { return }
        isClosed = true
        Glibc.close(input)
        Glibc.close(descriptor)
    }

    package func close() -> String {
        guard !isClosed else { return "closed" }
        isClosed = true
        Glibc.close(input)
        var status: Int32 = 0
        // Its teardown is bounded; a supervisor that hangs is ended, and the kernel takes its namespaces.
        for _ in 0..<300 {
            if waitpid(process, &status, WNOHANG) == process {
                Glibc.close(descriptor)
                return Self.describe(status)
            }
            usleep(50_000)
        }
        kill(process, SIGKILL)
        waitpid(process, &status, 0)
        Glibc.close(descriptor)
        return "did not end and was killed"
    }

    private static func describe(_ status: Int32) -> String {
        let signal = status & 0x7f
        return signal == 0 ? "exit status \((status >> 8) & 0xff)" : "signal \(signal)"
    }
}
