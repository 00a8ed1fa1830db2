import DrillCore
import Glibc

/// Lines to a pipe or socket, in order, without ever blocking the loop on a slow reader.
@LabActor
final class LineWriter {
    private let descriptor: Descriptor
    private var pending: [UInt8] = []
    private var isWriting = false
    private(set) var isBroken = false

    init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    func send(_ value: some Encodable) {
        let line: String
        do {
            line = try JSONLine.encode(value)
        } catch {
            fatalError("a message of ours cannot be encoded: \(error)")
        }
        pending += Array(line.utf8) + [UInt8(ascii: "\n")]
        if !isWriting {
            isWriting = true
            spawn { [self] in await write() }
        }
    }

    /// When everything was handed to the kernel, or the reader is gone; waits at most a second.
    func drained() async {
        let deadline = RunInstant.now + .seconds(1)
        while isWriting, RunInstant.now < deadline { await Reactor.shared.sleep(.milliseconds(1)) }
    }

    private func write() async {
        while !pending.isEmpty, !isBroken {
            guard case .ready = await Reactor.shared.writable(descriptor.number) else { break }
            // A pipe that polls writable takes PIPE_BUF bytes without blocking.
            let part = pending.prefix(4096)
            let count = part.withUnsafeBytes {
                Glibc.write(descriptor.number, $0.baseAddress, $0.count)
            }
            if count < 0 {
                isBroken = errno != EINTR && errno != EAGAIN
            } else {
                pending.removeFirst(count)
            }
        }
        isWriting = false
    }

    /// Before the descriptor is closed.
    func end() {
        isBroken = true
        Reactor.shared.forget(descriptor.number)
    }
}
