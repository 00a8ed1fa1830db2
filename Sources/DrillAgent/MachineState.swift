import DrillCore
import DrillNetlink

/// What was there before a change of the machine: all that its undoing needs beside the change itself.
struct MachineState: Hashable, Sendable, Codable {
    /// An interface that was replaced meanwhile has another number.
    var link: Int32 = 0
    /// Before the first of our changes on that link.
    var hadClassifier = false
    var wasUp = false
    /// net.ipv6.conf.<interface>.keep_addr_on_down; nil: there is no IPv6.
    var keepsAddresses: String?
    /// Static ones, which the kernel drops with the link and does not bring back.
    var routes: [[UInt8]] = []
}
