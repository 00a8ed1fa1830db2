import CNetlink
import Glibc

/// A connection to the kernel's routing tables, in the namespace in which it was opened, wherever it
/// is used from. One owner at a time: it is neither copied nor shared.
package struct NetlinkSocket: ~Copyable {
    private let socket: OpaquePointer
    private let buffer: UnsafeMutableRawBufferPointer

    /// To poll; close-on-exec.
    package let fileDescriptor: Int32

    /// In the calling thread's namespace.
    package init() throws(NetlinkError) { try self.init(groups: []) }

    /// In a given namespace, which the socket pins until its end.
    package init(in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        try self.init(in: namespace, groups: [])
    }

    /// `groups` are RTNLGRP numbers whose notifications arrive from now on.
    init(in namespace: borrowing NetworkNamespace, groups: [rtnetlink_groups]) throws(NetlinkError)
    {
        let opened: Result<OpaquePointer, NetlinkError>
        do {
            opened = try namespace.run {
                Result { () throws(NetlinkError) in try Self.open(groups) }
            }
        } catch let error as NetlinkError {
            throw error
        } catch {
            throw NetlinkError(operation: "open a netlink socket", errno: EIO)
        }
        self.init(connected: try opened.get())
    }

    private init(groups: [rtnetlink_groups]) throws(NetlinkError) {
        self.init(connected: try Self.open(groups))
    }

    private init(connected socket: OpaquePointer) {
        self.socket = socket
        fileDescriptor = nl_socket_get_fd(socket)
        // Dumps come in pieces of at most 32 KiB; one notification is never larger than that.
        buffer = .allocate(byteCount: 65_536, alignment: 16)
    }

    deinit {
        buffer.deallocate()
        nl_socket_free(socket)
    }

    private static func open(_ groups: [rtnetlink_groups]) throws(NetlinkError) -> OpaquePointer {
        let operation = "open a netlink socket"
        guard let socket = nl_socket_alloc() else {
            throw NetlinkError(operation: operation, errno: ENOMEM)
        }
        // libnl's own code hides the errno of the system call, which it leaves alone.
        Glibc.errno = 0
        var failed = nl_connect(socket, NETLINK_ROUTE) < 0
        for group in groups where !failed {
            failed = nl_socket_add_membership(socket, Int32(group.rawValue)) < 0
        }
        for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK] where !failed {
            var on: Int32 = 1
            failed =
                setsockopt(
                    nl_socket_get_fd(socket), SOL_NETLINK, option, &on,
                    socklen_t(MemoryLayout<Int32>.size)) < 0
        }
        // The answer is queued before the request's system call returns. One that is not there was
        // dropped for want of room, and waiting longer would be waiting for ever.
        if !failed {
            var patience = timeval(tv_sec: 5, tv_usec: 0)
            failed =
                setsockopt(
                    nl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &patience,
                    socklen_t(MemoryLayout<timeval>.size)) < 0
        }
        guard !failed else {
            let error = Glibc.errno
            nl_socket_free(socket)
            throw NetlinkError(operation: operation, errno: error == 0 ? EIO : error)
        }
        return socket
    }

    /// Room for notifications that nobody has read yet, as far as the kernel grants it.
    func setReceiveBuffer(bytes: Int32) throws(NetlinkError) {
        var size = bytes
        let length = socklen_t(MemoryLayout<Int32>.size)
        // SO_RCVBUFFORCE goes past rmem_max, with the privilege that the rest needs anyway.
        guard
            setsockopt(fileDescriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, length) == 0
                || setsockopt(fileDescriptor, SOL_SOCKET, SO_RCVBUF, &size, length) == 0
        else {
            throw NetlinkError(operation: "size a netlink socket's buffer", errno: Glibc.errno)
        }
    }
}

extension NetlinkSocket {
    /// Sends one request and waits for its acknowledgement.
    @discardableResult
    func perform(_ request: NetlinkRequest) throws(NetlinkError) -> [NetlinkReply] {
        try perform([request])[0].get()
    }

    /// Sends all requests in one system call; the kernel carries them out one after another, going
    /// on past a failure. One outcome for each: what came back, or the refusal.
    func perform(
        _ requests: [NetlinkRequest]
    ) throws(NetlinkError) -> [Result<[NetlinkReply], NetlinkError>] {
        var outcomes: [Result<[NetlinkReply], NetlinkError>?] = requests.map { _ in nil }
        let numbers = try send(requests, flags: UInt16(NLM_F_REQUEST | NLM_F_ACK))
        var replies: [[NetlinkReply]] = requests.map { _ in [] }
        while outcomes.contains(where: { $0 == nil }) {
            for reply in try receive(requests[0].operation) {
                guard let place = numbers.firstIndex(of: reply.sequence) else { continue }
                guard reply.type == NLMSG_ERROR else {
                    replies[place].append(reply)
                    continue
                }
                outcomes[place] = reply.outcome(of: requests[place], replies[place])
            }
        }
        return outcomes.compactMap { $0 }
    }

    /// Asks for a whole table. One that changed while it was read is read again.
    func dump(
        _ request: NetlinkRequest, others: (NetlinkReply) -> Void = { _ in }
    ) throws(NetlinkError) -> [NetlinkReply] {
        while true {
            let number = try send([request], flags: UInt16(NLM_F_REQUEST | NLM_F_DUMP))[0]
            var replies: [NetlinkReply] = []
            var interrupted = false
            var isDone = false
            while !isDone {
                for reply in try receive(request.operation) {
                    guard reply.isPart(ofDump: number) else {
                        // Notifications only: leftovers of a dump that failed are old news.
                        if reply.flags & UInt16(NLM_F_MULTI) == 0 { others(reply) }
                        continue
                    }
                    interrupted = interrupted || reply.flags & UInt16(NLM_F_DUMP_INTR) != 0
                    switch Int32(reply.type) {
                    case NLMSG_DONE, NLMSG_ERROR:
                        if reply.payload.count >= 4, reply.payload.load(Int32.self, at: 0) != 0 {
                            throw reply.refusal(of: request.operation)
                        }
                        isDone = true
                    default:
                        replies.append(reply)
                    }
                }
            }
            if !interrupted { return replies }
        }
    }

    private func send(
        _ requests: [NetlinkRequest], flags: UInt16
    ) throws(NetlinkError) -> [UInt32] {
        var bytes: [UInt8] = []
        var numbers: [UInt32] = []
        for request in requests {
            let start = bytes.count
            let number = nl_socket_use_seq(socket)
            bytes += request.bytes
            bytes += repeatElement(0, count: -bytes.count & 3)
            bytes.store(bytes.load(UInt16.self, at: start + 6) | flags, at: start + 6)
            bytes.store(number, at: start + 8)
            bytes.store(nl_socket_get_local_port(socket), at: start + 12)
            numbers.append(number)
        }
        while Glibc.send(fileDescriptor, bytes, bytes.count, 0) < 0 {
            guard Glibc.errno == EINTR else {
                throw NetlinkError(operation: requests[0].operation, errno: Glibc.errno)
            }
        }
        return numbers
    }

    /// The next datagram's messages; with `wait` false none when nothing is queued.
    /// Throws ENOBUFS when notifications were lost, ETIMEDOUT when an answer was.
    func receive(_ operation: String, wait: Bool = true) throws(NetlinkError) -> [NetlinkReply] {
        let flags = Int32(MSG_TRUNC) | (wait ? 0 : Int32(MSG_DONTWAIT))
        while true {
            let count = recv(fileDescriptor, buffer.baseAddress, buffer.count, flags)
            if count > buffer.count { throw NetlinkError(operation: operation, errno: EMSGSIZE) }
            if count >= 0 {
                return NetlinkReply.parse(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            switch Glibc.errno {
            case EINTR: continue
            case EAGAIN where !wait: return []
            case EAGAIN: throw NetlinkError(operation: operation, errno: ETIMEDOUT)
            default: throw NetlinkError(operation: operation, errno: Glibc.errno)
            }
        }
    }
}
