import CLinux
import Glibc
import TwinCore

/// A node: the machine of TwinCore, its files, its sockets and the address. One thread, which never waits for anything
/// else than all of them together.
final class TwinNode {
    let options: TwinOptions
    var core: TwinCore
    var log: RecordLog
    private var record: RecordFile
    let address: VirtualAddress?
    let runID: String

    private let queue = clinux_event_queue()
    private let alarm = clinux_alarm()
    private let signals: Int32
    /// Datagrams: a heartbeat is fresh or worth nothing, and a lost one must not hold up those behind it.
    private let datagrams: Int32
    private var peers: [clinux_endpoint] = []
    private let clientListener: Int32
    private let replicationListener: Int32
    private var replication: clinux_endpoint?
    private var link: Connection?
    var clients: [Int32: Connection] = [:]
    var pending: [(through: Int64, client: Connection, answer: [UInt8])] = []

    /// Got the answer that they waited for, and may have sent more.
    var answered: [Connection] = []
    private var actions: [TwinCore.Action] = []
    /// Came with the message in hand.
    private var payload: [UInt8] = []
    private var announcements: [Int64] = []
    private var stopAt = Int64.max
    var truncated: Int64 = 0
    var bad = BadState()

    init(_ options: TwinOptions) throws {
        self.options = options
        mkdir(options.data, 0o700)
        record = try RecordFile(path: options.data + "/epoch", synced: options.synced)
        var epochs = EpochLog()
        log = try RecordLog(path: options.data + "/log", synced: options.synced) {
            epochs.append(through: $0, epoch: $1)
        }
        runID = Self.random()
        let isWitness = options.node == TwinConfiguration.witness
        address =
            if let vip = options.vip, !isWitness {
                try VirtualAddress(vip, on: options.interface)
            } else { nil }
        // What an earlier process left when it was killed.
        try address?.release()
        datagrams = try Sockets.bound(options.address, options.heartbeatPort, datagrams: true)
        for peer in options.peers {
            peers.append(try Sockets.endpoint(peer, options.heartbeatPort))
        }
        if isWitness {
            replicationListener = -1
        } else {
            replicationListener = try Sockets.bound(
                options.address, options.replicationPort, datagrams: false)
            replication = try Sockets.endpoint(
                options.peers[1 - Int(options.node)], options.replicationPort)
        }
        clientListener = try Sockets.bound("0.0.0.0", options.port, datagrams: false)
        let ends = [SIGTERM, SIGINT]
        signals = clinux_signal_descriptor(ends, ends.count)
        core = TwinCore(
            options.configuration, record: try record.read(), log: epochs,
            now: clinux_monotonic_ns())
    }

    /// 40 hexadecimal digits that no other process has.
    private static func random() -> String {
        let bytes = (0..<20).map { _ in UInt8.random(in: 0...255) }
        return bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    func say(_ text: String) {
        let line = Array("twin: \(options.name) \(text)\n".utf8)
        _ = write(STDOUT_FILENO, line, line.count)
    }

    // MARK: - The loop

    func run() throws -> Never {
        // A heartbeat that waits for a busy processor is a failover. Where it is not allowed, timers are as they are.
        _ = clinux_realtime(20)
        clinux_precise_timers()
        clinux_stay_in_memory()
        for descriptor in [alarm, signals, datagrams, clientListener, replicationListener]
        where descriptor >= 0 {
            watch(descriptor)
        }
        say("starts, epoch \(core.record.epoch), log ends at \(log.last)")
        var ready = [clinux_ready](repeating: clinux_ready(), count: 64)
        while true {
            clinux_alarm_set(alarm, max(1, nextInstant))
            let count = clinux_event_queue_wait(queue, &ready, Int32(ready.count), -1)
            // First what the others said: after a pause of this process, silence is not theirs.
            try readDatagrams()
            for event in ready.prefix(max(0, Int(count))) {
                try handle(Int32(truncatingIfNeeded: event.tag), event.events)
            }
            try keepTime()
            try resume()
        }
    }

    private var nextInstant: Int64 {
        min(core.nextDeadline, announcements.first ?? .max, bad.nextInstant, stopAt)
    }

    private func watch(_ descriptor: Int32, writing: Bool = false, again: Bool = false) {
        // EPOLLIN and EPOLLOUT are POLLIN and POLLOUT.
        let events = UInt32(POLLIN | (writing ? POLLOUT : 0))
        _ = clinux_event_queue_watch(queue, descriptor, events, UInt64(descriptor), again ? 1 : 0)
    }

    private func keepTime() throws {
        let now = clinux_monotonic_ns()
        if now >= core.nextDeadline { try drive(.tick, now) }
        while let due = announcements.first, due <= now {
            announcements.removeFirst()
            address?.announce()
            // As long as it is held: a client's table may have been filled by a frame that was late.
            if announcements.isEmpty, address?.isHeld == true {
                announcements = [due + 1_000_000_000]
            }
        }
        try badTime(now)
        if stopAt != .max, core.role != .primary || now >= stopAt {
            try address?.release()
            exit(0)
        }
    }

    private func handle(_ descriptor: Int32, _ events: UInt32) throws {
        switch descriptor {
        case alarm, datagrams: break
        case signals: try stop()
        case clientListener: accept(clientListener) { clients[$0.descriptor] = $0 }
        case replicationListener:
            accept(replicationListener) {
                unlink()
                link = $0
            }
        case _:
            if let link, link.descriptor == descriptor {
                try readLink(link)
            } else if let client = clients[descriptor] {
                try readClient(client)
            }
        }
    }

    private func stop() throws {
        _ = clinux_next_signal(signals)
        stopAt = clinux_monotonic_ns() + 200_000_000
        try drive(.switchover)
    }

    private func accept(_ listener: Int32, _ take: (Connection) -> Void) {
        while true {
            let descriptor = clinux_accept(listener)
            guard descriptor >= 0 else { return }
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            take(Connection(descriptor))
            watch(descriptor)
        }
    }

    // MARK: - Peers

    private func readDatagrams() throws {
        var bytes = [UInt8](repeating: 0, count: 128)
        while true {
            let count = recv(datagrams, &bytes, bytes.count, 0)
            guard count >= 0 else { return }
            guard count == Message.size, let message = Message(bytes), message.to == options.node,
                message.from != options.node, Int(message.from) < peers.count,
                !message.kind.isReplication
            else { continue }
            try drive(.message(message))
        }
    }

    private func readLink(_ link: Connection) throws {
        let isOpen = link.receive()
        link.flush()
        while link === self.link, link.input.count >= 4 + Message.size {
            let count = Int(link.input.number(UInt32.self, 0))
            let end = 4 + Message.size + count
            guard count < 1 << 27, let message = Message(link.input, at: 4),
                message.kind.isReplication
            else { return try lostLink() }
            guard link.input.count >= end else { break }
            payload = Array(link.input[(4 + Message.size)..<end])
            link.input.removeFirst(end)
            try drive(.message(message))
        }
        guard link === self.link else { return }
        if isOpen, !link.isBroken {
            watch(link.descriptor, writing: link.hasOutput, again: true)
        } else {
            try lostLink()
        }
    }

    private func lostLink() throws {
        unlink()
        try drive(.linkLost)
    }

    private func unlink() {
        if let link { clinux_tcp_reset(link.descriptor) }
        link = nil
    }

    private func send(_ message: Message) throws {
        guard message.kind.isReplication else {
            let bytes = message.bytes
            _ = Sockets.withAddress(&peers[Int(message.to)]) {
                sendto(datagrams, bytes, bytes.count, 0, $0, $1)
            }
            return
        }
        if message.kind == .follow { openLink() }
        guard let link else { return }
        let records =
            message.kind == .append ? try log.bytes(Int(message.first), Int(message.last)) : []
        var frame: [UInt8] = []
        frame.add(UInt32(records.count))
        link.send(frame + message.bytes + records)
        if link.hasOutput { watch(link.descriptor, writing: true, again: true) }
    }

    /// Each question about where to follow goes over a new connection: no answer to an earlier one comes after it.
    private func openLink() {
        unlink()
        var descriptor: Int32 = -1
        guard var endpoint = replication else { return }
        let error = clinux_tcp_open(&endpoint, &descriptor)
        guard error == 0 || error == EINPROGRESS else { return }
        link = Connection(descriptor)
        watch(descriptor, writing: true)
    }

    // MARK: - The machine

    func drive(_ event: TwinCore.Event, _ now: Int64 = clinux_monotonic_ns()) throws {
        if core.role != .primary { bad.committed = core.committed }
        actions.removeAll(keepingCapacity: true)
        core.handle(event, now: now, into: &actions)
        for action in actions { try perform(action, now) }
        try afterwards(now)
    }

    private func perform(_ action: TwinCore.Action, _ now: Int64) throws {
        switch action {
        case .send(let message): try send(message)
        case .persist: try record.write(core.record)
        case .truncate(let index):
            truncated = Int64(log.last) - index
            try log.truncate(to: Int(index))
            say("cuts off \(truncated) records that the primary does not have")
        case .store: try log.append(payload)
        case .committed(let through): answer(through)
        case .becamePrimary:
            try address?.take()
            announcements = [20, 200, 1000].map { now + $0 * 1_000_000 }
            say("is primary, epoch \(core.record.epoch), log ends at \(log.last)")
            bad.promoted(log.last, now)
        case .steppedDown(let reason):
            if options.badness == .dualPrimary {
                bad.pretendUntil = now + 300_000_000
            } else {
                try letGo()
            }
            say("steps down (\(Self.text(reason))), epoch \(core.record.epoch)")
        case .noticed(let silence):
            say("noticed that the primary is silent, for \(silence / 1_000_000) ms")
        case .following: say("follows, epoch \(core.record.epoch), log ends at \(log.last)")
        case .standby(let inSync):
            say(inSync ? "has its standby in sync" : "has its standby out of sync")
            bad.becameLevel = bad.becameLevel || inSync
        }
    }

    /// The address first; then the connections that came through it, and whoever waits for an answer that this node can
    /// no longer give: it is not known whether those writes will be kept.
    func letGo() throws {
        try address?.release()
        announcements = []
        let waiting = pending.map(\.client)
        pending = []
        for client in waiting { close(client) }
        for client in Array(clients.values) where isThroughAddress(client) { close(client) }
    }

    func close(_ client: Connection) {
        guard clients.removeValue(forKey: client.descriptor) != nil else { return }
        clinux_tcp_reset(client.descriptor)
    }

    func isThroughAddress(_ client: Connection) -> Bool {
        if let address { client.local == address.raw } else { false }
    }

    private static func text(_ reason: TwinCore.StepDown) -> String {
        switch reason {
        case .lease: "nobody answers its heartbeats"
        case .newerEpoch: "there is a newer epoch"
        case .switchover: "switchover"
        }
    }

    func updateWatch(_ client: Connection) {
        if client.isBroken {
            close(client)
        } else {
            watch(client.descriptor, writing: client.hasOutput, again: true)
        }
    }
}
