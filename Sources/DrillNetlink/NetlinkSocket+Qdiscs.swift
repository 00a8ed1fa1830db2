import CNetlink
import Glibc

extension NetlinkSocket {
    /// All of the link's, in the kernel's order.
    package func qdiscs(_ index: InterfaceIndex) throws(NetlinkError) -> [Qdisc] {
        var request = try RequestBuilder("list qdiscs of link \(index)", type: RTM_GETQDISC)
        request.append(Self.header(index, parent: .none, handle: .none))
        // Kernels may answer with every link's, whatever was asked.
        return try dump(request.finish()).compactMap(Qdisc.init).filter { $0.index == index }
    }

    /// Adds a qdisc and reads it back.
    ///
    /// Throws EEXIST when the place is taken by someone else's, ENOENT with "Specified qdisc kind is
    /// unknown" when the kernel lacks the kind, EPROTO when the kernel has something else.
    package func addQdisc(
        _ index: InterfaceIndex, parent: TrafficHandle = .root, handle: TrafficHandle,
        _ configuration: QdiscConfiguration
    ) throws(NetlinkError) {
        try set("add", NLM_F_CREATE | NLM_F_EXCL, index, parent, handle, configuration)
    }

    /// Changes the parameters of the qdisc that is there, packets in it included, and reads back.
    package func changeQdisc(
        _ index: InterfaceIndex, parent: TrafficHandle = .root, handle: TrafficHandle,
        _ configuration: QdiscConfiguration
    ) throws(NetlinkError) {
        try set("change", 0, index, parent, handle, configuration)
    }

    /// Throws ENOENT when there is none, EINVAL when another has the place.
    package func deleteQdisc(
        _ index: InterfaceIndex, parent: TrafficHandle = .root, handle: TrafficHandle
    ) throws(NetlinkError) {
        var request = try RequestBuilder(
            "delete qdisc \(handle) of link \(index)", type: RTM_DELQDISC)
        request.append(Self.header(index, parent: parent, handle: handle))
        try perform(request.finish())
    }

    private func set(
        _ verb: String, _ flags: Int32, _ index: InterfaceIndex, _ parent: TrafficHandle,
        _ handle: TrafficHandle, _ configuration: QdiscConfiguration
    ) throws(NetlinkError) {
        let operation = "\(verb) \(configuration.kind) \(handle) at \(parent) of link \(index)"
        let request: NetlinkRequest
        switch configuration {
        case .other(let kind, let options):
            var builder = try RequestBuilder(operation, type: RTM_NEWQDISC, flags: flags)
            builder.append(Self.header(index, parent: parent, handle: handle))
            builder.put(TCA_KIND, string: kind)
            if !options.isEmpty { builder.put(TCA_OPTIONS, bytes: options) }
            request = try builder.finish()
        case .netem(let netem):
            var builder = try RequestBuilder(
                operation, type: RTM_NEWQDISC, flags: flags, capacity: Netem.capacity)
            builder.append(Self.header(index, parent: parent, handle: handle))
            builder.put(TCA_KIND, string: "netem")
            netem.put(into: &builder, change: flags & NLM_F_CREATE == 0)
            request = try builder.finish()
        case .pfifo, .tbf, .htb:
            let shaper = try Shaper.qdisc(
                operation, configuration.kind, index, parent: parent, handle: handle)
            try shaper.configure(configuration)
            request = try shaper.qdiscRequest(flags: flags)
        }
        try perform(request)
        let found = try qdiscs(index).first { $0.handle == handle && $0.parent == parent }
        guard let found, configuration.isMet(by: found.configuration) else {
            throw .readBack(
                operation, set: "\(configuration)",
                found: found.map { "\($0.configuration)" } ?? "nothing there")
        }
    }

    // MARK: classes

    /// All of the link's, in the kernel's order.
    package func classes(_ index: InterfaceIndex) throws(NetlinkError) -> [TrafficClass] {
        var request = try RequestBuilder("list classes of link \(index)", type: RTM_GETTCLASS)
        request.append(Self.header(index, parent: .none, handle: .none))
        return try dump(request.finish()).compactMap(TrafficClass.init)
    }

    /// Adds a class to an htb qdisc or class and reads it back.
    package func addClass(
        _ index: InterfaceIndex, parent: TrafficHandle, handle: TrafficHandle, _ htb: HTBClass
    ) throws(NetlinkError) {
        let operation = "add class \(handle) at \(parent) of link \(index)"
        let shaper = try Shaper.htbClass(operation, index, parent: parent, handle: handle)
        try shaper.configure(htb)
        try perform(shaper.classRequest(flags: NLM_F_CREATE | NLM_F_EXCL))
        let found = try classes(index).first { $0.handle == handle }?.htb
        guard let found, htb.isMet(by: found) else {
            throw .readBack(
                operation, set: "\(htb)", found: found.map { "\($0)" } ?? "nothing there")
        }
    }

    package func deleteClass(
        _ index: InterfaceIndex, handle: TrafficHandle
    ) throws(NetlinkError) {
        var request = try RequestBuilder(
            "delete class \(handle) of link \(index)", type: RTM_DELTCLASS)
        request.append(Self.header(index, parent: .none, handle: handle))
        try perform(request.finish())
    }

    private static func header(
        _ index: InterfaceIndex, parent: TrafficHandle, handle: TrafficHandle
    ) -> tcmsg {
        var header = tcmsg()
        header.tcm_ifindex = index.rawValue
        header.tcm_parent = parent.rawValue
        header.tcm_handle = handle.rawValue
        return header
    }
}
