import CLinux
import Glibc
import Synchronization

/// How many programs may be started: one for each connection ahead, and then a few a second, so that an outage, at whose
/// every operation's end one is killed, is no storm of starts.
final class ProcessStarts: Sendable {
    private struct State {
        var left = ProcessStarts.perSecond
        var at: Int64 = 0
        /// Not yet waited for: the engine does not stand at their graves.
        var killed: [pid_t] = []
    }

    private let state = Mutex(State())

    static let perSecond = 20.0

    deinit {
        state.withLock { state in
            for pid in state.killed { while waitpid(pid, nil, 0) < 0, errno == EINTR {} }
        }
    }

    /// For one more connection.
    func addConnection() { state.withLock { $0.left += 1 } }

    /// Whether one may be started now.
    func take(now: Int64 = clinux_monotonic_ns()) -> Bool {
        state.withLock { state in
            state.killed.removeAll { waitpid($0, nil, WNOHANG) != 0 }
            if state.at > 0 {
                let more = Double(now - state.at) / 1e9 * Self.perSecond
                // What was not needed for a long time is no reason for a storm later.
                state.left = max(state.left, min(state.left + more, Self.perSecond))
            }
            state.at = now
            guard state.left >= 1 else { return false }
            state.left -= 1
            return true
        }
    }

    func killed(_ pid: pid_t) { state.withLock { $0.killed.append(pid) } }
}
