import CNetlink
import Glibc

/// A finished message, which can be sent often: sequence number and sender are put in as it goes.
struct NetlinkRequest {
    let operation: String
    let bytes: [UInt8]
}

/// Builds one message with libnl.
struct RequestBuilder: ~Copyable {
    private let operation: String
    private let message: OpaquePointer
    private var failed = false

    /// `flags` without NLM_F_REQUEST and NLM_F_ACK, which every request gets. `capacity`: the bytes that it may come to;
    /// libnl's messages do not grow, and one too small is EMSGSIZE at the end.
    init(
        _ operation: String, type: some BinaryInteger, flags: Int32 = 0, capacity: Int = 4096
    ) throws(NetlinkError) {
        guard let message = nlmsg_alloc_size(capacity),
            nlmsg_put(message, 0, 0, Int32(type), 0, flags) != nil
        else {
            throw NetlinkError(operation: operation, errno: ENOMEM)
        }
        self.operation = operation
        self.message = message
    }

    /// Takes over a message that libnl-route built.
    init(_ operation: String, adopting message: OpaquePointer) {
        self.operation = operation
        self.message = message
    }

    deinit { nlmsg_free(message) }

    mutating func append<T: BitwiseCopyable>(_ header: T) {
        var header = header
        note(nlmsg_append(message, &header, MemoryLayout<T>.size, 4))
    }

    mutating func put<T: BitwiseCopyable & FixedWidthInteger>(
        _ type: some BinaryInteger, _ value: T
    ) {
        withUnsafeBytes(of: value) {
            note(nla_put(message, Int32(type), Int32($0.count), $0.baseAddress))
        }
    }

    mutating func put(_ type: some BinaryInteger, bytes: [UInt8]) {
        note(nla_put(message, Int32(type), Int32(bytes.count), bytes))
    }

    mutating func put(_ type: some BinaryInteger, string: String) {
        note(nla_put_string(message, Int32(type), string))
    }

    mutating func nest(_ type: some BinaryInteger, _ body: (inout RequestBuilder) -> Void) {
        guard let start = nla_nest_start(message, Int32(type)) else { return note(-1) }
        body(&self)
        // An empty nest is kept: TCA_OPTIONS without members is not the same as none.
        note(nla_nest_end_keep_empty(message, start))
    }

    private mutating func note(_ result: Int32) {
        if result < 0 { failed = true }
    }

    consuming func finish() throws(NetlinkError) -> NetlinkRequest {
        guard !failed, let header = nlmsg_hdr(message) else {
            throw NetlinkError(operation: operation, errno: EMSGSIZE)
        }
        let bytes = [UInt8](
            UnsafeRawBufferPointer(start: header, count: Int(header.pointee.nlmsg_len)))
        return NetlinkRequest(operation: operation, bytes: bytes)
    }
}
