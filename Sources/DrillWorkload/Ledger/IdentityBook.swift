import DrillCore
import Synchronization

/// The identities under which operations were answered, and those whose host is known.
final class IdentityBook: Sendable {
    private struct State {
        var known: Set<String> = []
        var unknown: Set<String> = []
        var lastMet: RunInstant?
    }

    private let state = Mutex(State())

    /// A server that nobody can name is not asked for quickly for ever.
    private static let urgent = Duration.seconds(5)

    func meet(_ identity: String) {
        state.withLock { state in
            guard !state.known.contains(identity) else { return }
            state.unknown.insert(identity)
            state.lastMet = .now
        }
    }

    func learn(_ identity: String) {
        state.withLock { state in
            state.known.insert(identity)
            state.unknown.remove(identity)
        }
    }

    enum Need { case none, some, urgent }

    /// Whether somebody answered of whom it is not known who it is.
    func need(now: RunInstant) -> Need {
        state.withLock { state in
            guard !state.unknown.isEmpty, let lastMet = state.lastMet else { return .none }
            return now - lastMet < Self.urgent ? .urgent : .some
        }
    }
}
