import CNetlink
import Glibc

/// One message from the kernel, copied out of the receive buffer.
struct NetlinkReply {
    let type: UInt16
    let flags: UInt16
    let sequence: UInt32
    /// What follows the netlink header.
    let payload: [UInt8]

    static func parse(_ datagram: UnsafeRawBufferPointer) -> [NetlinkReply] {
        var replies: [NetlinkReply] = []
        var offset = 0
        while offset + 16 <= datagram.count {
            let header = datagram.loadUnaligned(fromByteOffset: offset, as: nlmsghdr.self)
            let length = Int(header.nlmsg_len)
            guard length >= 16, offset + length <= datagram.count else { break }
            replies.append(
                NetlinkReply(
                    type: header.nlmsg_type, flags: header.nlmsg_flags, sequence: header.nlmsg_seq,
                    payload: [UInt8](datagram[(offset + 16)..<(offset + length)])))
            offset += (length + 3) & ~3
        }
        return replies
    }

    /// The fixed structure at the front; nil when the message is too short for it.
    func header<T: BitwiseCopyable>(_: T.Type) -> T? {
        payload.count >= MemoryLayout<T>.size ? payload.load(T.self, at: 0) : nil
    }

    func attributes<T: BitwiseCopyable>(after _: T.Type) -> Attributes {
        Attributes(payload.dropFirst((MemoryLayout<T>.size + 3) & ~3))
    }

    /// A notification carries the number of whichever request caused it, which may be as ours.
    func isPart(ofDump number: UInt32) -> Bool {
        let isEnd = Int32(type) == NLMSG_DONE || Int32(type) == NLMSG_ERROR
        return sequence == number && (isEnd || flags & UInt16(NLM_F_MULTI) != 0)
    }

    /// Of an NLMSG_ERROR: an acknowledgement is one with error 0.
    func outcome(
        of request: NetlinkRequest, _ replies: [NetlinkReply]
    ) -> Result<[NetlinkReply], NetlinkError> {
        guard let error = header(Int32.self), error == 0 else {
            return .failure(refusal(of: request.operation))
        }
        return .success(replies)
    }

    /// The errno and, behind the (capped) copy of the request's header, the kernel's sentence.
    func refusal(of operation: String) -> NetlinkError {
        guard let error = header(Int32.self) else {
            return NetlinkError(operation: operation, errno: EBADMSG)
        }
        var text: String?
        if flags & UInt16(NLM_F_ACK_TLVS) != 0 {
            // NLMSG_ERROR repeats the request's header; NLMSG_DONE does not.
            let start = Int32(type) == NLMSG_ERROR ? MemoryLayout<nlmsgerr>.size : 4
            let trailing = Attributes(payload.dropFirst(start))
            text = trailing.string(NLMSGERR_ATTR_MSG.rawValue)
        }
        return NetlinkError(operation: operation, errno: -error, extendedAck: text)
    }
}
