import CLinux
import DrillCore
import Glibc

/// An open file descriptor; closed with its last reference.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    /// What a C call of ours returned: a descriptor, or a negative errno.
    init(result: Int32, _ what: String) throws(LabFailure) {
        number = try checked(result, what)
    }

    deinit { close(number) }

    static func open(
        _ path: String, _ flags: Int32, mode: mode_t = 0o644
    ) throws(LabFailure) -> Descriptor {
        let number = Glibc.open(path, flags | O_CLOEXEC, mode)
        if number < 0 { throw systemFailure("open \(path)") }
        return Descriptor(number)
    }

    /// (read end, write end)
    static func pipe() throws(LabFailure) -> (Descriptor, Descriptor) {
        var ends: [Int32] = [-1, -1]
        try checked(clinux_pipe(&ends), "make a pipe")
        return (Descriptor(ends[0]), Descriptor(ends[1]))
    }

    static func seqpacketPair() throws(LabFailure) -> (Descriptor, Descriptor) {
        var ends: [Int32] = [-1, -1]
        try checked(clinux_seqpacket_pair(&ends), "make a socket pair")
        return (Descriptor(ends[0]), Descriptor(ends[1]))
    }

    /// What is there now, at most `room` bytes; empty at the end of file. Blocks unless readable.
    func read(_ room: Int = 65536) throws(LabFailure) -> [UInt8] {
        try Self.read(number, room)
    }

    static func read(_ number: Int32, _ room: Int = 65536) throws(LabFailure) -> [UInt8] {
        while true {
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, filled in
                count = Glibc.read(number, buffer.baseAddress, room)
                filled = max(0, count)
            }
            if count >= 0 { return bytes }
            if errno != EINTR { throw systemFailure("read") }
        }
    }

    func write(_ text: String) throws(LabFailure) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw systemFailure("write")
            }
            rest = rest.dropFirst(count)
        }
    }
}

/// The errno of the call that just failed, as a failure that says what was tried.
func systemFailure(_ what: String, _ number: Int32 = errno) -> LabFailure {
    LabFailure(
        kind: .failed, message: "\(what): \(String(cString: strerror(number)))", errno: number)
}

/// The value of a C call of ours that returns a negative errno when it fails.
@discardableResult
func checked<Value: SignedInteger>(
    _ result: Value, _ what: @autoclosure () -> String
) throws(LabFailure) -> Value {
    if result < 0 { throw systemFailure(what(), Int32(-result)) }
    return result
}
