import DrillCore

/// A program to run inside a host.
struct ProgramSpec: Hashable, Sendable, Codable {
    var arguments: [String]
    var environment: [String: String] = [:]
    var directory: String?
    var user: UserIdentity?
    /// Executes the agent itself, which may lie where the host cannot see it; `arguments` follow its name.
    var isAgent = false
}

/// The supervisor to host-init, one message each. With `start` come the descriptors of the cgroup's directory and
/// of the program's output.
enum HostCommand: Hashable, Sendable, Codable {
    case start(Int, ProgramSpec)
}

/// host-init to the supervisor.
enum HostEvent: Hashable, Sendable, Codable {
    /// The host's mounts and name are as they should be.
    case ready
    case broken(LabFailure)
    /// With it comes a pidfd of the program.
    case started(Int)
    case notStarted(Int, LabFailure)
    /// The exit code, or 128 + the signal.
    case exited(Int, status: Int32)
}
