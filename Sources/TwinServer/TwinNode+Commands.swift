import CLinux
import Glibc
import TwinCore

extension TwinNode {
    func readClient(_ client: Connection) throws {
        let isOpen = client.receive()
        client.flush()
        try work(client)
        guard clients[client.descriptor] === client else { return }
        if isOpen { updateWatch(client) } else { close(client) }
    }

    private func work(_ client: Connection) throws {
        do {
            while !client.isWaiting, clients[client.descriptor] === client,
                let words = try Reply.command(&client.input)
            {
                if !words.isEmpty { try obey(words, client) }
            }
        } catch let malformed as Reply.Malformed {
            client.send(Reply.error("ERR Protocol error: \(malformed.text)"))
            close(client)
        }
    }

    private func obey(_ words: [[UInt8]], _ client: Connection) throws {
        let name = Self.word(words[0])
        switch (name, words.count) {
        case ("SET", 3...): try set(words, client)
        case ("DEL", 2):
            let found = try log.value(of: words[1]) != nil
            try write(.delete, words[1], [], Reply.number(found ? 1 : 0), client)
        case ("GET", 2): try read(client) { try self.value(words[1]) }
        case ("MGET", 2...): try read(client) { Reply.array(try words[1...].map(self.value)) }
        case ("PING", 1): client.send(Reply.line("+PONG"))
        case ("PING", 2), ("ECHO", 2): client.send(Reply.bulk(words[1]))
        case ("INFO", _): client.send(Reply.bulk(info))
        case ("ROLE", 1): client.send(role)
        case ("SELECT", 2):
            client.send(
                words[1] == [UInt8(ascii: "0")]
                    ? Reply.ok : Reply.error("ERR DB index is out of range"))
        case ("COMMAND", _): client.send(Reply.array([]))
        case ("CLIENT", _): client.send(Reply.ok)
        // Nothing but RESP2 is spoken; clients fall back on this.
        case ("HELLO", _): client.send(Reply.error("NOPROTO unsupported protocol version"))
        case ("QUIT", _):
            client.send(Reply.ok)
            close(client)
        case ("TWIN", 2):
            switch Self.word(words[1]) {
            case "STATUS": client.send(Reply.bulk(info))
            case "SWITCHOVER": try switchover(client)
            case _: client.send(Reply.error("ERR TWIN STATUS or TWIN SWITCHOVER"))
            }
        case ("SET", _), ("DEL", _), ("GET", _), ("MGET", _), ("PING", _), ("ECHO", _),
            ("SELECT", _),
            ("TWIN", _):
            client.send(Reply.error("ERR wrong number of arguments for '\(name)'"))
        case _: client.send(Reply.error("ERR unknown command '\(name)'"))
        }
    }

    private static func word(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self).uppercased()
    }

    // MARK: - Writes

    /// SET key value [NX | IFEQ old]
    private func set(_ words: [[UInt8]], _ client: Connection) throws {
        let isMet: Bool
        switch (words.count, words.count > 3 ? Self.word(words[3]) : "") {
        case (3, _): isMet = true
        case (4, "NX"): isMet = try log.value(of: words[1]) == nil
        case (5, "IFEQ"): isMet = try log.value(of: words[1]) == words[4]
        case _: return client.send(Reply.error("ERR syntax error"))
        }
        if isMet { return try write(.set, words[1], words[2], Reply.ok, client) }
        let now = clinux_monotonic_ns()
        guard core.takesWrites(now) || bad.pretendUntil > now else { return refuse(client) }
        tell(Reply.nothing, client)
    }

    private func refuse(_ client: Connection) {
        client.send(Reply.error("READONLY You can't write against a read only replica."))
    }

    /// What it refuses, it has not kept and will not keep.
    private func write(
        _ what: RecordLog.What, _ key: [UInt8], _ value: [UInt8], _ answer: [UInt8],
        _ client: Connection
    ) throws {
        let now = clinux_monotonic_ns()
        if bad.pretendUntil > now { return client.send(answer) }
        guard core.takesWrites(now) else { return refuse(client) }
        switch options.badness {
        case .forget:
            bad.writes += 1
            if bad.writes % 1000 == 0 { return client.send(answer) }
        case .ackBeforeWrite:
            bad.held.append((what, key, value))
            if bad.drainAt == .max { bad.drainAt = now + 100_000_000 }
            return client.send(answer)
        case .staleReads, .dualPrimary, .neverRecover, .loseOnFailback, .lose, nil: break
        }
        do {
            try append([(what, key, value)])
        } catch let failure as RecordLog.Failure {
            return client.send(Reply.error("MISCONF \(failure)"))
        }
        wait(answer, client)
        try drive(.wrote(1), now)
    }

    private func append(_ writes: [(RecordLog.What, [UInt8], [UInt8])]) throws {
        var index = Int64(log.last)
        let records = writes.flatMap { what, key, value in
            index += 1
            return RecordLog.record(
                what, index: index, epoch: core.record.epoch, key: key, value: value)
        }
        try log.append(records)
    }

    /// Writes of its own, which nobody waits for.
    func put(_ writes: [(RecordLog.What, [UInt8], [UInt8])]) throws {
        let now = clinux_monotonic_ns()
        guard !writes.isEmpty, core.takesWrites(now) else { return }
        try append(writes)
        try drive(.wrote(Int64(writes.count)), now)
    }

    // MARK: - Reads

    /// A standby, asked by its own address, answers from its own log as it is.
    private func read(_ client: Connection, _ answer: () throws -> [UInt8]) throws {
        let now = clinux_monotonic_ns()
        let serves = core.serves(now) || bad.pretendUntil > now
        guard serves || !isThroughAddress(client) else {
            return client.send(Reply.error("MASTERDOWN this node is not primary"))
        }
        tell(try answer(), client)
    }

    /// Says what was found in the log just now. A primary's log has writes that are not acknowledged yet: it waits until
    /// those are that were there, so that what was once read is not lost either. What comes after them is not in the
    /// answer: it may yet be lost.
    private func tell(_ answer: [UInt8], _ client: Connection) {
        if core.role == .primary, core.committed < core.log.last {
            wait(answer, client)
        } else {
            client.send(answer)
        }
    }

    private func wait(_ answer: [UInt8], _ client: Connection) {
        client.isWaiting = true
        // A write is about to become the next record.
        pending.append((Int64(log.last), client, answer))
    }

    private func value(_ key: [UInt8]) throws -> [UInt8] {
        let hidden = clinux_monotonic_ns() < bad.staleUntil ? bad.stale : 0..<0
        return try log.value(of: key, without: hidden).map(Reply.bulk) ?? Reply.nothing
    }

    func answer(_ through: Int64) {
        while let first = pending.first, first.through <= through {
            pending.removeFirst()
            let client = first.client
            guard clients[client.descriptor] === client else { continue }
            client.isWaiting = false
            client.send(first.answer)
            answered.append(client)
        }
    }

    /// Commands that stood behind one that waited.
    func resume() throws {
        while let client = answered.popLast() {
            guard clients[client.descriptor] === client else { continue }
            if !client.input.isEmpty { try work(client) }
            if clients[client.descriptor] === client { updateWatch(client) }
        }
    }

    // MARK: - About itself

    private func switchover(_ client: Connection) throws {
        let now = clinux_monotonic_ns()
        guard core.takesWrites(now) else {
            return client.send(Reply.error("READONLY this node is not primary"))
        }
        guard core.isInSync(now) else {
            return client.send(Reply.error("ERR the standby is not in sync"))
        }
        client.send(Reply.ok)
        try drive(.switchover, now)
    }

    private var peerAddress: String {
        options.node < 2 ? options.peers[1 - Int(options.node)] : options.peers[0]
    }

    private var role: [UInt8] {
        let now = clinux_monotonic_ns()
        let port = Reply.bulk(String(options.port))
        if core.role == .primary {
            let other = [Reply.bulk(peerAddress), port, Reply.bulk(String(core.replicated))]
            return Reply.array([
                Reply.bulk("master"), Reply.number(log.last),
                Reply.array(core.isInSync(now) ? [Reply.array(other)] : []),
            ])
        }
        return Reply.array([
            Reply.bulk("slave"), Reply.bulk(peerAddress), Reply.line(":\(options.port)"),
            Reply.bulk(core.isFollowing(now) ? "connected" : "connect"), Reply.number(log.last),
        ])
    }

    private var info: String {
        let now = clinux_monotonic_ns()
        let isPrimary = core.role == .primary
        let isInSync = core.isInSync(now)
        let lag = Double(core.replicationDelay) / 1e9
        var lines = [
            "# Server", "redis_mode:standalone", "run_id:\(runID)", "tcp_port:\(options.port)",
        ]
        lines += ["", "# Replication", "role:\(isPrimary ? "master" : "slave")"]
        if isPrimary {
            lines.append("connected_slaves:\(isInSync ? 1 : 0)")
            if isInSync {
                lines.append(
                    "slave0:ip=\(peerAddress),port=\(options.port),state=online,offset=\(core.replicated),lag=\(Int(lag))"
                )
            }
        } else {
            lines += [
                "master_host:\(peerAddress)", "master_port:\(options.port)",
                "master_link_status:\(core.isFollowing(now) ? "up" : "down")",
                "slave_repl_offset:\(log.last)", "slave_read_only:1",
            ]
        }
        lines += ["master_repl_offset:\(isPrimary ? Int64(log.last) : core.primaryLast)"]
        lines += [
            "", "# Twin", "twin_node:\(options.name)", "twin_role:\(core.role)",
            "twin_epoch:\(core.record.epoch)", "twin_in_sync:\(isInSync ? 1 : 0)",
            "twin_ack:\(options.acknowledgesReplicated ? "replicated" : "local")",
            "twin_log_last:\(log.last)", "twin_committed:\(core.committed)",
            "twin_replicated:\(core.replicated)",
            "twin_replication_delay_us:\(core.replicationDelay / 1000)",
            "twin_truncated:\(truncated)", "twin_holds_address:\(holdsAddress ? 1 : 0)", "",
        ]
        return lines.joined(separator: "\r\n")
    }

    private var holdsAddress: Bool { address?.isHeld ?? false }
}
