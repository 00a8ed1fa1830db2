import DrillCore
import Glibc
import Synchronization

/// For our own tests of what is left behind; nothing of it acts unless the environment asks for it. Not for users.
///
/// - `FIREDRILL_TEST_POINTS=FILE`: every numbered step of the supervisor is written there, one line each: `NUMBER NAME`.
/// - `FIREDRILL_TEST_STOP_AT=N`: beside it, the supervisor stops itself (SIGSTOP) at step N, once it is written. 0, or
///   nothing: never, which tells how many there are.
/// - `FIREDRILL_TEST_BREAK=zero-probability | wrong-port | no-removal`: a link fault is attached so that it does nothing, and the
///   kernel says that all is well. `no-removal`: the filters of a link fault go, and its device does not.
/// - `FIREDRILL_TEST_LEASE_MS=N`: instead of the lease that the controller gives.
/// - `FIREDRILL_TEST_PATIENCE_MS=N`: how long `heal` waits for the supervisor of a kept lab, or for a watchdog that heals.
///
/// Only the first supervisor that finds the file absent counts: a lab that is built anew is not stopped again.
enum TestHooks {
    enum Break: String {
        case zeroProbability = "zero-probability"
        case wrongPort = "wrong-port"
        case noRemoval = "no-removal"
    }

    static let broken = value("FIREDRILL_TEST_BREAK").flatMap { Break(rawValue: $0) }

    static let lease = milliseconds("FIREDRILL_TEST_LEASE_MS")
    static let patience = milliseconds("FIREDRILL_TEST_PATIENCE_MS")

    private static let stopAt = value("FIREDRILL_TEST_STOP_AT").flatMap { Int($0) } ?? 0
    private static let reached = Mutex(0)
    private static let points: Descriptor? = {
        guard let path = value("FIREDRILL_TEST_POINTS") else { return nil }
        return try? Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
    }()

    /// A numbered step is reached: before or after something that a crash must not leave half done.
    static func point(_ name: @autoclosure () -> String) {
        guard let points else { return }
        reached.withLock { reached in
            reached += 1
            do throws(LabFailure) {
                try points.write("\(reached) \(name())\n")
            } catch {
                AgentMain.complain(error.message)
            }
            if reached == stopAt { raise(SIGSTOP) }
        }
    }

    /// Without the names of our types.
    static func name(_ operation: FaultOperation) -> String {
        if case .lab(.attach(let link, let treatment)) = operation {
            return "attach \(link) \(treatment.traffic)"
        }
        if case .lab(.detach(let link, let treatment)) = operation {
            return "detach \(link) \(treatment.traffic)"
        }
        var text = "\(operation)"
        for type in ["LabOperation.", "HostOperation."] {
            text = text.replacing("DrillCore.\(type)", with: "")
        }
        return text
    }

    private static func milliseconds(_ name: String) -> Duration? {
        value(name).flatMap { Int64($0) }.map { .milliseconds($0) }
    }

    private static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
