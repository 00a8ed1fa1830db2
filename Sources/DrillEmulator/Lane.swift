import CLinux
import DrillCore
import Glibc

/// One TAP device, what is done to its frames, and the interface at which they leave.
final class Lane {
    /// Frames that the device keeps while this process is busy elsewhere; a second of full speed would be 100,000.
    private static let deviceQueue: Int32 = 10_000

    let name: String
    let tap: Int32
    private let output: Int32
    private var core: EmulatorCore
    private var held = HeldPackets()
    private var store = FrameStore()
    private var sent = 0
    private var refused = 0
    /// Frames whose time has come, for the next call of the kernel.
    private var leaving: [Int32] = []
    /// Somebody deleted the device.
    private(set) var isBroken = false
    /// The lane goes when it is dry, or then; nil: it stays.
    private(set) var end: RunInstant?
    /// Of one that is to end: the device has been read until there was no more.
    private var isRead = false

    init(_ name: String, output interface: String, seed: UInt64) throws(LabFailure) {
        self.name = name
        core = EmulatorCore(seed: seed)
        leaving.reserveCapacity(Int(clinux_frame_batch))
        let output = clinux_output_socket(interface)
        if output < 0 { throw Self.failure("send at \(interface)", -output) }
        var step: UnsafePointer<CChar>?
        let tap = clinux_tap_open(name, Self.deviceQueue, &step)
        if tap < 0 {
            close(output)
            throw Self.failure("\(step.map { String(cString: $0) } ?? ""): \(name)", -tap)
        }
        self.output = output
        self.tap = tap
    }

    deinit {
        close(tap)
        close(output)
    }

    private static func failure(_ what: String, _ number: Int32) -> LabFailure {
        let message = "emulator: \(what): \(String(cString: strerror(number)))"
        let remedy: String
        switch number {
        case EPERM, EACCES:
            remedy =
                "it needs root (CAP_NET_ADMIN, CAP_NET_RAW); in a container: --cap-add NET_ADMIN,NET_RAW --device /dev/net/tun"
        case ENOENT, ENXIO:
            remedy =
                "this kernel offers no TUN device: `modprobe tun`; in a container: --device /dev/net/tun"
        default: return LabFailure(kind: .failed, message: message, errno: number)
        }
        return LabFailure(kind: .capability, message: "\(message); \(remedy)", errno: number)
    }

    func set(_ impairment: Impairment) { core.set(impairment) }

    var counters: EmulatorCounters {
        var counters = core.counters
        counters.sent = sent
        counters.refused = refused
        var device = clinux_interface_counts()
        if clinux_interface_counts(name, &device) == 0 { counters.unread = Int(device.not_sent) }
        return counters
    }

    /// When the next frame leaves; nil: none is held.
    var next: RunInstant? { held.next }

    /// Nothing is steered here any more: the lane is over when it is dry, or after `limit`.
    func drain(limit: Duration, bound: Int) {
        end = .now + limit
        // What was steered here before this was asked may still wait in the device.
        for _ in 0..<16 where !isRead && !isBroken { isRead = !read(bound: bound) }
    }

    func isOver(_ now: RunInstant) -> Bool {
        guard let end else { return false }
        return (isRead && held.count == 0) || isBroken || now >= end
    }

    // MARK: frames

    /// Sends what is due.
    func release() {
        let now = RunInstant.now
        while let frame = held.take(now) { leave(frame) }
        flush()
    }

    /// Takes up to `bound` frames from the device. False: there are no more.
    func read(bound: Int) -> Bool {
        for _ in 0..<bound {
            let frame = store.take()
            let length = store.fill(frame) { [tap] in clinux_tap_read(tap, $0, $1, $2, $3) }
            if length < 0 {
                store.giveBack(frame)
                if length == -Int(EINTR) { continue }
                isBroken = length != -Int(EAGAIN)
                isRead = end != nil
                flush()
                return false
            }
            judge(frame, length)
        }
        flush()
        return true
    }

    private func judge(_ frame: Int32, _ length: Int) {
        let now = RunInstant.now
        let decision = core.receive(length: length, held: held.count, now: now)
        if let copy = decision.duplicate {
            place(store.copy(frame), copy, now)
        }
        if let copy = decision.packet {
            place(frame, copy, now)
        } else {
            store.giveBack(frame)
        }
    }

    private func place(_ frame: Int32, _ copy: EmulatorCore.Copy, _ now: RunInstant) {
        if let bit = copy.flippedBit { store.bytes(frame)[bit / 8] ^= 1 << UInt8(bit % 8) }
        // At once, unless others are due before it.
        if copy.time <= now, held.next.map({ $0 > now }) ?? true {
            leave(frame)
        } else {
            held.add(frame, at: copy.time)
        }
    }

    private func leave(_ frame: Int32) {
        leaving.append(frame)
        if leaving.count == Int(clinux_frame_batch) { flush() }
    }

    private func flush() {
        guard !leaving.isEmpty else { return }
        withUnsafeTemporaryAllocation(of: clinux_frame.self, capacity: leaving.count) { frames in
            for (place, frame) in leaving.enumerated() {
                let bytes = store.bytes(frame)
                frames[place] = clinux_frame(
                    bytes: UnsafeRawPointer(bytes.baseAddress), count: bytes.count)
            }
            var first = 0
            while first < frames.count {
                let count = clinux_send_frames(
                    output, frames.baseAddress! + first, frames.count - first)
                if count == -EINTR { continue }
                // A refusal is of the first one; the rest may still go.
                if count <= 0 { refused += 1 } else { sent += Int(count) }
                first += max(1, Int(count))
            }
        }
        for frame in leaving { store.giveBack(frame) }
        leaving.removeAll(keepingCapacity: true)
    }
}
