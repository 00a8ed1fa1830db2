import CNetlink
import Glibc

/// A qdisc or class being described to libnl-route, which knows rate tables and scheduler ticks.
/// It only writes: what the kernel made of it is read by our own parser.
struct Shaper: ~Copyable {
    private enum Shape {
        case qdisc
        case htbClass
    }

    private let operation: String
    private let object: OpaquePointer
    private let shape: Shape

    static func qdisc(
        _ operation: String, _ kind: String, _ index: InterfaceIndex, parent: TrafficHandle,
        handle: TrafficHandle
    ) throws(NetlinkError) -> Shaper {
        guard let object = rtnl_qdisc_alloc() else {
            throw NetlinkError(operation: operation, errno: ENOMEM)
        }
        let shaper = Shaper(operation, object, .qdisc)
        try shaper.place(kind, index, parent, handle)
        return shaper
    }

    static func htbClass(
        _ operation: String, _ index: InterfaceIndex, parent: TrafficHandle, handle: TrafficHandle
    ) throws(NetlinkError) -> Shaper {
        guard let object = rtnl_class_alloc() else {
            throw NetlinkError(operation: operation, errno: ENOMEM)
        }
        let shaper = Shaper(operation, object, .htbClass)
        try shaper.place("htb", index, parent, handle)
        return shaper
    }

    private init(_ operation: String, _ object: OpaquePointer, _ shape: Shape) {
        self.operation = operation
        self.object = object
        self.shape = shape
    }

    deinit {
        switch shape {
        case .qdisc: rtnl_qdisc_put(object)
        case .htbClass: rtnl_class_put(object)
        }
    }

    private func place(
        _ kind: String, _ index: InterfaceIndex, _ parent: TrafficHandle, _ handle: TrafficHandle
    ) throws(NetlinkError) {
        rtnl_tc_set_ifindex(object, index.rawValue)
        rtnl_tc_set_parent(object, parent.rawValue)
        rtnl_tc_set_handle(object, handle.rawValue)
        try check(rtnl_tc_set_kind(object, kind))
    }

    func configure(_ configuration: QdiscConfiguration) throws(NetlinkError) {
        switch configuration {
        case .pfifo(let limit):
            try check(rtnl_qdisc_fifo_set_limit(object, Int32(clamping: limit)))
        case .tbf(let bucket):
            guard let rate = Int32(exactly: bucket.rate) else { throw invalid }
            rtnl_qdisc_tbf_set_rate(object, rate, Int32(clamping: bucket.burst), 0)
            rtnl_qdisc_tbf_set_limit(object, Int32(clamping: bucket.limit))
        case .htb(let defaultClass):
            try check(rtnl_htb_set_defcls(object, UInt32(defaultClass)))
        case .netem, .other:
            throw invalid
        }
    }

    func configure(_ htb: HTBClass) throws(NetlinkError) {
        try check(rtnl_htb_set_rate64(object, htb.rate))
        try check(rtnl_htb_set_ceil64(object, htb.ceiling))
        try check(rtnl_htb_set_rbuffer(object, htb.burst))
        try check(rtnl_htb_set_cbuffer(object, htb.ceilingBurst))
    }

    func qdiscRequest(flags: Int32) throws(NetlinkError) -> NetlinkRequest {
        var message: OpaquePointer?
        try check(rtnl_qdisc_build_add_request(object, flags, &message))
        return try finished(message)
    }

    func classRequest(flags: Int32) throws(NetlinkError) -> NetlinkRequest {
        var message: OpaquePointer?
        try check(rtnl_class_build_add_request(object, flags, &message))
        return try finished(message)
    }

    private func finished(_ message: OpaquePointer?) throws(NetlinkError) -> NetlinkRequest {
        guard let message else { throw invalid }
        return try RequestBuilder(operation, adopting: message).finish()
    }

    private func check(_ result: Int32) throws(NetlinkError) {
        guard result < 0 else { return }
        throw NetlinkError(
            operation: operation, errno: EINVAL, extendedAck: String(cString: nl_geterror(result)))
    }

    private var invalid: NetlinkError { NetlinkError(operation: operation, errno: EINVAL) }
}
