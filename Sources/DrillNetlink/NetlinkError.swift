import CLinux
import Glibc

/// What the kernel answered when it refused, or what was read back instead of what was set.
package struct NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, as a person would say it: `add a redirect at egress of link 7`.
    package let operation: String
    /// The kernel's own number, never libnl's. `EPROTO` when a read-back differed.
    package let errno: Int32
    /// The kernel's sentence, where it gave one: `Specified qdisc kind is unknown`.
    package let extendedAck: String?

    package init(operation: String, errno: Int32, extendedAck: String? = nil) {
        self.operation = operation
        self.errno = errno
        self.extendedAck = extendedAck
    }

    /// The kernel acknowledged a change, and then said something else when asked.
    static func readBack(_ operation: String, set: String, found: String) -> NetlinkError {
        NetlinkError(
            operation: operation, errno: EPROTO,
            extendedAck: "set \(set), but the kernel has \(found)")
    }

    package var description: String {
        let name = clinux_errno_name(errno).map { String(cString: $0) } ?? "error \(errno)"
        let sentence = extendedAck ?? strerror(errno).map { String(cString: $0) } ?? "unknown error"
        return "cannot \(operation): \(sentence) (\(name))"
    }
}
