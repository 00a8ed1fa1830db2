import CLinux
import DrillCore
import Glibc

/// JSON messages with descriptors between the supervisor and host-init.
enum HostSocket {
    struct Message<Value> {
        /// nil: the other end is closed.
        var value: Value?
        var descriptors: [Descriptor]
    }

    static func send(
        _ value: some Encodable, to socket: Int32, _ descriptors: [Int32] = []
    ) throws(LabFailure) {
        let line: String
        do {
            line = try JSONLine.encode(value)
        } catch {
            throw LabFailure(kind: .failed, message: "encode a message to a host: \(error)")
        }
        let bytes = Array(line.utf8)
        try checked(
            clinux_send_message(socket, bytes, bytes.count, descriptors, descriptors.count),
            "send to a host")
    }

    /// nil where nothing is there; never blocks.
    static func receive<Value: Decodable>(
        _ type: Value.Type, from socket: Int32
    ) throws(LabFailure) -> Message<Value>? {
        var descriptors: [Int32] = [-1, -1, -1, -1]
        var descriptorCount = descriptors.count
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 18) { buffer, filled in
            count = clinux_receive_message(
                socket, buffer.baseAddress, buffer.count, &descriptors, &descriptorCount)
            filled = max(0, count)
        }
        let came = descriptors.prefix(descriptorCount).map { Descriptor($0) }
        if count == -Int(EAGAIN) || count == -Int(EINTR) { return nil }
        if count == -Int(ECONNRESET) { return Message(value: nil, descriptors: []) }
        try checked(count, "receive from a host")
        if count == 0 { return Message(value: nil, descriptors: []) }
        do {
            let value = try JSONLine.decode(type, from: String(decoding: bytes, as: UTF8.self))
            return Message(value: value, descriptors: came)
        } catch {
            throw LabFailure(kind: .failed, message: "a message between host and lab: \(error)")
        }
    }
}
