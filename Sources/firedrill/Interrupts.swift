import DrillCore
import Glibc

/// Turns SIGINT, SIGTERM and SIGHUP into bytes on a descriptor, so that one loop waits for everything.
enum Interrupts {
    // Written once before the handlers are installed, read by them only.
    nonisolated(unsafe) private static var writeEnd: Int32 = -1
    /// The last signal that was caught, 0 for none: one that comes between two runs must not be lost with the first.
    nonisolated(unsafe) private(set) static var caught: sig_atomic_t = 0

    static func install() throws -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw Failure(
                code: .internalError, message: "pipe: \(String(cString: strerror(errno)))")
        }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        writeEnd = ends[1]
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { caught in
                Interrupts.caught = caught
                var byte = UInt8(truncatingIfNeeded: caught)
                _ = write(Interrupts.writeEnd, &byte, 1)
            }
        }
        signal(SIGPIPE, SIG_IGN)
        // Whoever started us may have had them blocked, and a mask is inherited.
        var wanted = sigset_t()
        sigemptyset(&wanted)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&wanted, number) }
        pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
        return ends[0]
    }
}
