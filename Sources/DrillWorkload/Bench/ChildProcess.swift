import CLinux
import Glibc

/// A program that is run beside us and ended by its pid: servers and other load generators, in benchmarks and tests.
package final class ChildProcess {
    package struct Exit: Sendable {
        /// 0...255; 128 + the signal's number after a signal.
        package var code: Int32
        /// User and system time of the program.
        package var cpu: Duration
    }

    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    package let pid: Int32
    /// Our ends of its standard streams.
    package let input: Int32
    package let output: Int32
    private var isRunning = true

    /// Standard error goes where ours goes unless `quiet`.
    package init(_ program: String, _ arguments: [String], quiet: Bool = false) throws(Failure) {
        var toChild: [Int32] = [-1, -1]
        var fromChild: [Int32] = [-1, -1]
        guard clinux_pipe(&toChild) == 0, clinux_pipe(&fromChild) == 0 else {
            throw Failure(description: "pipe: \(String(cString: strerror(errno)))")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
        if quiet { posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) }
        var argv = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        var child = pid_t()
        let error = posix_spawnp(&child, program, &actions, nil, &argv, environ)
        close(toChild[0])
        close(fromChild[1])
        guard error == 0 else {
            close(toChild[1])
            close(fromChild[0])
            throw Failure(description: "\(program): \(String(cString: strerror(error)))")
        }
        pid = child
        input = toChild[1]
        output = fromChild[0]
    }

    deinit {
        if isRunning {
            Glibc.kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        close(input)
        close(output)
    }

    package func signal(_ number: Int32) { _ = Glibc.kill(pid, number) }

    package func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(input, $0.baseAddress!, $0.count) }
    }

    /// What it writes until it closes its standard output.
    package func readAll() -> String {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(output, &buffer, buffer.count)
            if count > 0 {
                text.append(contentsOf: buffer[..<count])
            } else if count == 0 || errno != EINTR {
                return String(decoding: text, as: UTF8.self)
            }
        }
    }

    /// Up to the next newline; nil at the end.
    package func readLine() -> String? {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = read(output, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else {
                return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
            }
            if byte == 10 { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
    }

    /// Waits for its end.
    package func wait() -> Exit {
        var status: Int32 = 0
        var usage = rusage()
        while wait4(pid, &status, 0, &usage) < 0, errno == EINTR {}
        isRunning = false
        let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
        return Exit(code: code, cpu: usage.cpu)
    }
}

extension rusage {
    /// User and system time.
    var cpu: Duration {
        .seconds(ru_utime.tv_sec + ru_stime.tv_sec)
            + .microseconds(Int64(ru_utime.tv_usec) + Int64(ru_stime.tv_usec))
    }

    /// Of this process and all its threads, until now.
    static var ofThisProcess: rusage {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return usage
    }
}
