import CLinux
import DrillCore
import Glibc
import Synchronization

/// Writes the operations file and hands events on, on a thread of its own: neither a slow disk nor a slow
/// reader of events may make the engine late.
final class LoadOutput: Sendable {
    private struct Pending {
        var chunks: [[UInt8]] = []
        var events: [LoadEvent] = []
        var isClosed = false
        var failure: LoadError?
    }

    private let path: String
    private let file: Int32
    private let doorbell: Int32
    private let pending = Mutex(Pending())
    private let report: @Sendable (LoadEvent) -> Void

    /// Creates the file; an earlier one is replaced.
    init(path: String, report: @escaping @Sendable (LoadEvent) -> Void) throws(LoadError) {
        self.path = path
        self.report = report
        file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw .file(path: path, reason: String(cString: strerror(errno))) }
        doorbell = clinux_doorbell()
        guard doorbell >= 0 else {
            throw .system(call: "eventfd", reason: String(cString: strerror(errno)))
        }
    }

    deinit {
        close(file)
        close(doorbell)
    }

    /// The first thing that went wrong with the file.
    var failure: LoadError? { pending.withLock { $0.failure } }

    func write(_ chunk: [UInt8]) {
        pending.withLock { $0.chunks.append(chunk) }
        clinux_doorbell_ring(doorbell)
    }

    func send(_ event: LoadEvent) {
        pending.withLock { $0.events.append(event) }
        clinux_doorbell_ring(doorbell)
    }

    /// After what was given until now.
    func finish() {
        pending.withLock { $0.isClosed = true }
        clinux_doorbell_ring(doorbell)
    }

    /// Until `finish`; then the file is synced.
    func run() {
        while true {
            clinux_doorbell_await(doorbell)
            let taken = pending.withLock { state in
                defer {
                    state.chunks = []
                    state.events = []
                }
                return state
            }
            for chunk in taken.chunks where failure == nil { store(chunk) }
            for event in taken.events { report(event) }
            if taken.isClosed {
                if fsync(file) != 0 { fail() }
                return
            }
        }
    }

    private func store(_ chunk: [UInt8]) {
        chunk.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let count = Glibc.write(file, part.baseAddress!, part.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    return fail()
                }
            }
        }
    }

    private func fail() {
        let error = LoadError.file(path: path, reason: String(cString: strerror(errno)))
        pending.withLock { if $0.failure == nil { $0.failure = error } }
    }
}
