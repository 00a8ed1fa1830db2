/// A filter that sends packets of a switch port elsewhere: all of them, or those that arrived at one
/// other port. Unicast, multicast, ARP and IPv6 alike.
package struct Redirect: Hashable, Sendable, CustomStringConvertible {
    package var port: InterfaceIndex
    package var hook: TrafficHook
    /// Only what came in here; nil: everything.
    package var arrivalPort: InterfaceName?
    package var sink: InterfaceIndex
    /// 1…0x7ff orders filters of one hook, low first, and makes a second one with the same number
    /// fail with EEXIST; nil: the kernel appends.
    package var slot: UInt16?

    package init(
        port: InterfaceIndex, hook: TrafficHook, arrivalPort: InterfaceName? = nil,
        sink: InterfaceIndex, slot: UInt16? = nil
    ) {
        self.port = port
        self.hook = hook
        self.arrivalPort = arrivalPort
        self.sink = sink
        self.slot = slot
    }

    package var description: String {
        let what = arrivalPort.map { "what arrived at \($0)" } ?? "everything"
        return "\(what) at \(hook) of link \(port) to link \(sink)"
    }
}

/// A redirect that the kernel has, with the handle it was given: what heal needs.
package struct InstalledRedirect: Hashable, Sendable, CustomStringConvertible {
    package let redirect: Redirect
    package let handle: UInt32

    package init(redirect: Redirect, handle: UInt32) {
        self.redirect = redirect
        self.handle = handle
    }

    package var description: String { "\(redirect) (filter \(String(handle, radix: 16)))" }
}
