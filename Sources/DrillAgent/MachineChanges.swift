import DrillCore
import DrillNetlink
import Glibc

/// Makes what an agent changes on its machine's interfaces, and takes it back.
///
/// An undoing needs the record alone, so that the watchdog and the sweep do it as well as the agent. It acts only on
/// what is ours: filters that point to our device, a link that is still down, a setting that is still ours.
final class MachineChanges {
    let run: RunID
    private let netlink: NetlinkSocket

    /// In the calling thread's network namespace.
    init(run: RunID) throws(LabFailure) {
        self.run = run
        netlink = try DrillAgent.netlink { () throws(NetlinkError) in try NetlinkSocket() }
    }

    // MARK: before a change

    /// What is there now, for the record; refuses what cannot be done here.
    ///
    /// - Parameter ours: links whose clsact an open change of this run has made.
    func look(_ change: MachineChange, ours: Set<Int32>) throws(LabFailure) -> MachineState {
        var state = MachineState()
        switch change {
        case .cut(let traffic):
            _ = try redirects(traffic, link: InterfaceIndex(rawValue: 0), sink: nil)
            let link = try link(traffic.interface)
            state.link = link.index.rawValue
            let hasClassifier = try hasClassifier(link.index)
            state.hadClassifier = hasClassifier && !ours.contains(state.link)
        case .impair(let traffic, _):
            throw LabFailure(
                kind: .capability,
                message: traffic.direction == .arriving
                    ? "\(traffic): what has arrived cannot be delayed or lost in part; ask the agent of the sender"
                    : "\(traffic): impairing the links of a machine that is no lab comes later; cut works"
            )
        case .lower(let interface):
            let link = try link(interface)
            state.link = link.index.rawValue
            state.wasUp = link.isUp
            state.keepsAddresses = try? Files.read(Self.keepPath(interface))
                .trimmingNewline()
            state.routes = try DrillAgent.netlink { () throws(NetlinkError) in
                try netlink.routes().filter { $0.link == link.index && $0.isStatic }
            }.map(\.bytes)
        case .command: break
        }
        return state
    }

    /// The interfaces that carry an ssh connection: `SSH_CONNECTION` is "client port server port".
    func management(_ connection: String?) throws(LabFailure) -> Set<String> {
        let words = (connection ?? "").split(separator: " ").map(String.init)
        guard words.count == 4 else { return [] }
        return try DrillAgent.netlink { () throws(NetlinkError) in
            var indices = Set(
                try netlink.addresses().filter { $0.address == words[2] }.map(\.index))
            if let index = try netlink.link(towards: words[0]) { indices.insert(index) }
            return Set(
                try netlink.links().filter { indices.contains($0.index) }.map(\.name.rawValue))
        }
    }

    // MARK: cutting

    func cut(_ traffic: PeerTraffic) throws(LabFailure) -> InstantInterval {
        let link = try link(traffic.interface)
        let present = try sink()
        let sink = if let present { present } else { try makeSink() }
        TestHooks.point("cut: sink made")
        let wanted = try redirects(traffic, link: link.index, sink: sink)
        return try DrillAgent.netlink { () throws(NetlinkError) in
            _ = try netlink.ensureClsact(link.index)
            TestHooks.point("cut: classifier made")
            let low = RunInstant.now
            _ = try netlink.redirect(wanted)
            return InstantInterval(low: low, high: .now)
        }
    }

    func uncut(_ traffic: PeerTraffic, _ before: MachineState) throws(LabFailure) -> HealVerdict {
        let sink = try sink()
        let index = InterfaceIndex(rawValue: before.link)
        let wanted = try redirects(traffic, link: index, sink: sink)
        return try DrillAgent.netlink { () throws(NetlinkError) in
            let links = try netlink.links()
            // Whoever removed our device has left the filters, and they swallow what they match.
            let isOurs = { (filter: Filter) in
                sink.map { Self.leads(filter, to: $0) }
                    ?? !links.contains { Self.leads(filter, to: $0.index) }
            }
            guard
                links.contains(where: {
                    $0.index == index && $0.name.rawValue == traffic.interface
                })
            else {
                if let sink { try removeUnused(sink) }
                return .notNeeded
            }
            var found: [InstalledRedirect] = []
            for redirect in wanted {
                var handles: [UInt32] = []
                for keys in redirect.rules {
                    let filter = try netlink.filters(index, redirect.hook).first {
                        $0.preference == redirect.hook.preference && $0.rule?.keys == keys
                            && isOurs($0) && !handles.contains($0.handle)
                    }
                    if let filter { handles.append(filter.handle) }
                }
                if !handles.isEmpty {
                    found.append(InstalledRedirect(redirect: redirect, handles: handles))
                }
            }
            try netlink.removeRedirects(found)
            TestHooks.point("uncut: filters removed")
            if !before.hadClassifier,
                try netlink.qdiscs(index).contains(where: { $0.kind == "clsact" })
            {
                try netlink.removeClsactIfOurs(index, .ours)
            }
            TestHooks.point("uncut: classifier removed")
            if let sink { try removeUnused(sink) }
            if found.isEmpty { return sink == nil ? .notNeeded : .superseded }
            return .restored
        }
    }

    private func redirects(
        _ traffic: PeerTraffic, link: InterfaceIndex, sink: InterfaceIndex?
    ) throws(LabFailure) -> [Redirect] {
        var all: [Redirect] = []
        for peer in traffic.peers {
            guard let address = IPv4Address(peer) else {
                throw LabFailure(
                    kind: .capability,
                    message:
                        "\(traffic): '\(peer)' is no IPv4 address, and only those are told apart")
            }
            let isArriving = traffic.direction == .arriving
            all.append(
                Redirect(
                    port: link, hook: isArriving ? .ingress : .egress, traffic: traffic.traffic,
                    source: isArriving ? address : nil, destination: isArriving ? nil : address,
                    sink: sink ?? link))
        }
        guard !all.isEmpty else {
            throw LabFailure(kind: .failed, message: "\(traffic.interface): no peers are named")
        }
        return all
    }

    private static func leads(_ filter: Filter, to sink: InterfaceIndex) -> Bool {
        guard case .mirred(let mirred)? = filter.rule?.actions.first else { return false }
        return mirred.sink == sink
    }

    // MARK: our device

    private var sinkName: InterfaceName {
        let tail = run.rawValue.suffix(12)
        return InterfaceName("fd-\(tail)") ?? "fd-sink"
    }

    private var alias: String { "firedrill:\(run)" }

    /// One that is down: what is sent to it vanishes without a sign.
    private func sink() throws(LabFailure) -> InterfaceIndex? {
        let name = sinkName
        let alias = alias
        return try DrillAgent.netlink { () throws(NetlinkError) in
            // It has no alias yet where we ended just then.
            try netlink.links().first {
                $0.kind == "ifb" && $0.name == name && ($0.alias == alias || $0.alias == nil)
            }?.index
        }
    }

    private func makeSink() throws(LabFailure) -> InterfaceIndex {
        try DrillAgent.netlink { () throws(NetlinkError) in
            try netlink.addIFB(sinkName, alias: alias)
        }
    }

    private func removeUnused(_ sink: InterfaceIndex) throws(NetlinkError) {
        for link in try netlink.links() {
            for hook in TrafficHook.allCases
            where try netlink.filters(link.index, hook).contains(where: { Self.leads($0, to: sink) }
            ) {
                return
            }
        }
        try netlink.delete(sink)
    }

    private func hasClassifier(_ index: InterfaceIndex) throws(LabFailure) -> Bool {
        try DrillAgent.netlink { () throws(NetlinkError) in
            try netlink.qdiscs(index).contains { $0.kind == "clsact" || $0.kind == "ingress" }
        }
    }

    private func link(_ name: String) throws(LabFailure) -> Link {
        guard let name = InterfaceName(name) else {
            throw LabFailure(kind: .failed, message: "'\(name)' is no name of an interface")
        }
        return try DrillAgent.netlink { () throws(NetlinkError) in try netlink.link(named: name) }
    }

    // MARK: lowering

    func lower(_ interface: String, _ before: MachineState) throws(LabFailure) -> InstantInterval {
        // Without it the kernel would drop the IPv6 addresses, and to give them back could mean to give back a virtual
        // one that has moved.
        if before.keepsAddresses != nil { try Files.set(Self.keepPath(interface), to: "1") }
        TestHooks.point("lower: addresses kept")
        let index = InterfaceIndex(rawValue: before.link)
        let low = RunInstant.now
        try DrillAgent.netlink { () throws(NetlinkError) in
            try netlink.setUp(index, false)
            guard try !netlink.link(index).isUp else {
                throw NetlinkError(
                    operation: "find \(interface) down after it was set down", errno: EPROTO)
            }
        }
        return InstantInterval(low: low, high: .now)
    }

    func raise(_ interface: String, _ before: MachineState) throws(LabFailure) -> HealVerdict {
        let index = InterfaceIndex(rawValue: before.link)
        let link = try DrillAgent.netlink { () throws(NetlinkError) in
            try netlink.links().first { $0.index == index && $0.name.rawValue == interface }
        }
        guard let link else { return .notNeeded }
        let wasLowered = !link.isUp && before.wasUp
        var missing: [Route] = []
        var refused: NetlinkError?
        try DrillAgent.netlink { () throws(NetlinkError) in
            if wasLowered { try netlink.setUp(index, true) }
            TestHooks.point("raise: up")
            // Where somebody else has set it up, too: it was we who took the routes with us.
            let present = try netlink.routes()
            missing = before.routes.compactMap(Route.init(bytes:)).filter { route in
                !present.contains { $0.hasPlace(of: route) }
            }
            if wasLowered || link.isUp {
                for route in missing {
                    do throws(NetlinkError) {
                        try netlink.addRoute(route)
                    } catch {
                        // By an address that has moved, say: the others and the setting are put back all the same.
                        refused = refused ?? error
                    }
                }
            }
        }
        TestHooks.point("raise: routes back")
        if let kept = before.keepsAddresses, kept != "1" {
            let path = Self.keepPath(interface)
            if try Files.read(path).trimmingNewline() == "1" { try Files.set(path, to: kept) }
        }
        if let refused {
            try DrillAgent.netlink { () throws(NetlinkError) in throw refused }
        }
        if wasLowered || !missing.isEmpty { return .restored }
        return before.wasUp ? .superseded : .notNeeded
    }

    private static func keepPath(_ interface: String) -> String {
        "/proc/sys/net/ipv6/conf/\(interface)/keep_addr_on_down"
    }
}

extension String {
    fileprivate func trimmingNewline() -> String { hasSuffix("\n") ? String(dropLast()) : self }
}
