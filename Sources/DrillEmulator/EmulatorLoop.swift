import CLinux
import DrillCore
import Glibc

/// The one thread of the emulator: requests, frames that come, frames whose time has come.
struct EmulatorLoop: ~Copyable {
    /// Frames of one lane before another one, a request or a frame that is due has its turn: about 0.2 ms.
    private static let turn = 64
    /// Above the supervisor and the load engine: a link does not wait for its ends.
    private static let priority: Int32 = 6

    private var lanes: [Lane] = []
    private var requests: [UInt8] = []
    private var replies: [UInt8] = []

    /// Until the end of standard input; the exit status.
    mutating func run() -> Int32 {
        prepare()
        var hasMore = false
        while true {
            var entries = lanes.map {
                clinux_poll(descriptor: $0.isBroken ? -1 : $0.tap, asked: Int16(POLLIN), seen: 0)
            }
            entries.append(clinux_poll(descriptor: 0, asked: Int16(POLLIN), seen: 0))
            entries.append(
                clinux_poll(descriptor: replies.isEmpty ? -1 : 1, asked: Int16(POLLOUT), seen: 0))
            _ = clinux_ppoll(&entries, entries.count, hasMore ? 0 : timeout)
            hasMore = false
            for (lane, entry) in zip(lanes, entries) {
                lane.release()
                if entry.seen != 0, lane.read(bound: Self.turn) { hasMore = true }
            }
            endLanes()
            if entries[lanes.count + 1].seen != 0, !writeReplies() { return 0 }
            if entries[lanes.count].seen != 0, !readRequests() { return 0 }
        }
    }

    /// Each of these is better to have and nothing to fail for.
    private func prepare() {
        _ = clinux_realtime(Self.priority)
        clinux_precise_timers()
        clinux_stay_in_memory()
        let file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)
        if file >= 0 {
            _ = write(file, "-1000", 5)
            close(file)
        }
    }

    /// Nanoseconds until the first frame leaves, or a lane ends; -1: neither is to come.
    private var timeout: Int64 {
        let instants = lanes.compactMap(\.next) + lanes.compactMap(\.end)
        guard let next = instants.min() else { return -1 }
        return max(0, (next - .now).nanoseconds)
    }

    /// Those that are dry, or late.
    private mutating func endLanes() {
        guard lanes.contains(where: { $0.end != nil }) else { return }
        let now = RunInstant.now
        lanes.removeAll { $0.isOver(now) }
    }

    // MARK: requests

    /// False at the end of standard input.
    private mutating func readRequests() -> Bool {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, filled in
            count = read(0, buffer.baseAddress, buffer.count)
            filled = max(0, count)
        }
        if count == 0 { return false }
        requests += bytes
        while let end = requests.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: requests[..<end], as: UTF8.self)
            requests.removeSubrange(...end)
            answer(line)
        }
        return true
    }

    private mutating func answer(_ line: String) {
        var reply = EmulatorReply(id: 0)
        do {
            let request = try JSONLine.decode(EmulatorRequest.self, from: line)
            reply.id = request.id
            reply.counters = try carryOut(request.command)
        } catch let failure as LabFailure {
            reply.failure = failure
        } catch {
            reply.failure = LabFailure(
                kind: .failed, message: "emulator: a request cannot be read: \(error)")
        }
        guard let text = try? JSONLine.encode(reply) else {
            fatalError("a reply of ours cannot be encoded")
        }
        replies += Array((text + "\n").utf8)
    }

    private mutating func carryOut(
        _ command: EmulatorCommand
    ) throws(LabFailure) -> EmulatorCounters? {
        switch command {
        case .open(let name, let output, let seed):
            guard !lanes.contains(where: { $0.name == name }) else {
                throw LabFailure(kind: .failed, message: "emulator: lane \(name) is open already")
            }
            lanes.append(try Lane(name, output: output, seed: seed))
        case .set(let name, let impairment): try lane(name).set(impairment)
        case .close(let name):
            let lane = try self.lane(name, orBroken: true)
            lanes.removeAll { $0 === lane }
        case .drain(let name, let limit):
            try lane(name, orBroken: true).drain(limit: limit, bound: Self.turn)
            endLanes()
        case .counters(let name): return try lane(name).counters
        case .ping: break
        }
        return nil
    }

    private func lane(_ name: String, orBroken: Bool = false) throws(LabFailure) -> Lane {
        guard let lane = lanes.first(where: { $0.name == name }) else {
            throw LabFailure(kind: .failed, message: "emulator: there is no lane \(name)")
        }
        if lane.isBroken, !orBroken {
            throw LabFailure(
                kind: .failed, message: "emulator: somebody deleted the device of lane \(name)")
        }
        return lane
    }

    /// What the pipe takes without blocking. False: nobody reads any more.
    private mutating func writeReplies() -> Bool {
        // A pipe that polls writable takes PIPE_BUF bytes.
        let count = write(1, replies, min(replies.count, 4096))
        if count > 0 { replies.removeFirst(count) }
        return count >= 0 || errno == EINTR || errno == EAGAIN
    }
}
