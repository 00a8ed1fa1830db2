package import DrillCore

/// Filters that send packets of a switch port elsewhere: all of them, or those that arrived at one other port, or only
/// some traffic. Unicast, multicast, ARP and IPv6 alike, where nothing narrows them.
package struct Redirect: Hashable, Sendable, CustomStringConvertible {
    package var port: InterfaceIndex
    package var hook: TrafficHook
    /// Only what came in here; nil: everything.
    package var arrivalPort: InterfaceName?
    /// Of the others nothing is touched.
    package var traffic: TrafficSelector
    /// Only IPv4 packets that say they are from here, or to here: where several hosts share an arrival port. IPv6 and
    /// ARP then pass.
    package var source: IPv4Address?
    package var destination: IPv4Address?
    package var sink: InterfaceIndex
    /// 1…0x7ff orders filters of one hook, low first, and makes a second one with the same number
    /// fail with EEXIST; nil: the kernel appends. A redirect of several rules (`rules`) takes this number and the
    /// following ones.
    package var slot: UInt16?

    package init(
        port: InterfaceIndex, hook: TrafficHook, arrivalPort: InterfaceName? = nil,
        traffic: TrafficSelector = .all, source: IPv4Address? = nil,
        destination: IPv4Address? = nil, sink: InterfaceIndex, slot: UInt16? = nil
    ) {
        self.port = port
        self.hook = hook
        self.arrivalPort = arrivalPort
        self.traffic = traffic
        self.source = source
        self.destination = destination
        self.sink = sink
        self.slot = slot
    }

    package var description: String {
        var what = traffic == .all ? "everything" : "\(traffic)"
        if let arrivalPort {
            what = (traffic == .all ? "what" : "\(traffic) that") + " arrived at \(arrivalPort)"
        }
        if let source { what += " from \(source)" }
        if let destination { what += " to \(destination)" }
        return "\(what) at \(hook) of link \(port) to link \(sink)"
    }
}

/// A redirect that the kernel has, with the handles it was given, one a rule: what heal needs.
package struct InstalledRedirect: Hashable, Sendable, CustomStringConvertible {
    package let redirect: Redirect
    package let handles: [UInt32]

    package init(redirect: Redirect, handles: [UInt32]) {
        self.redirect = redirect
        self.handles = handles
    }

    package var description: String {
        let filters = handles.map { String($0, radix: 16) }.joined(separator: ", ")
        return "\(redirect) (filter \(filters))"
    }
}
