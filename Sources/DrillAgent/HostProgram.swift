import CLinux
import DrillCore

/// A program that runs inside a host.
@LabActor
final class HostProgram {
    let pidfd: Descriptor
    /// The exit code, or 128 + the signal.
    let exit = Promise<Int32>()

    init(pidfd: Descriptor) { self.pidfd = pidfd }

    func send(signal: Int32) throws(LabFailure) {
        try checked(clinux_pidfd_signal(pidfd.number, signal), "send signal \(signal)")
    }
}
