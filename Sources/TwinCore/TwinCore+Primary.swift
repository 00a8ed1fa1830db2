/// Records in one `append`, and on their way to the standby altogether.
private let batch: Int64 = 64
private let window: Int64 = 1024

extension TwinCore {
    mutating func sendHeartbeats(_ now: Int64, _ out: inout [Action]) {
        heartbeatAt = now + configuration.heartbeat
        sendHeartbeat(to: configuration.peer, now, &out)
        if configuration.hasWitness { sendHeartbeat(to: TwinConfiguration.witness, now, &out) }
    }

    private func sendHeartbeat(to node: UInt8, _ now: Int64, _ out: inout [Action]) {
        var heartbeat = message(.heartbeat, to: node)
        heartbeat.flag = sync == .level
        heartbeat.mark = serial
        heartbeat.first = committed
        heartbeat.last = log.last
        heartbeat.stamp = now
        out.append(.send(heartbeat))
    }

    mutating func heartbeatAnswer(_ message: Message, _ now: Int64, _ out: inout [Action]) {
        guard role == .primary || role == .elected, message.epoch == record.epoch else { return }
        let since = has(.leaseFromAnswer) ? now : message.stamp
        leaseUntil = max(leaseUntil, since + configuration.lease)
        if message.from == configuration.peer { peerHeardAt = now }
        standby(message, now, &out)
        guard role == .primary, message.from == configuration.authority else { return }
        confirmedSerial = max(confirmedSerial, message.mark)
        if sync == .leaving,
            confirmedSerial == serial || (confirmedSerial == serial - 1 && has(.serialOffByOne))
        {
            goOnAlone()
            if !has(.aloneForgetsWaiting) { advance(now, &out) }
        }
    }

    /// The standby's log is a part of this one as far as it goes: its word on the replication link may have been lost.
    private mutating func standby(
        _ message: Message, _ now: Int64, _ out: inout [Action]
    ) {
        guard role == .primary, message.from == configuration.peer,
            message.first == 1 || has(.unmatchedCounts)
        else {
            return
        }
        if nextToSend == 0, message.last == log.last { nextToSend = message.last + 1 }
        appended(message, now, &out)
    }

    /// Says something new about the standby, at once.
    private mutating func state(_ new: Sync, _ now: Int64, _ out: inout [Action]) {
        sync = new
        serial += 1
        out.append(.standby(inSync: new == .level))
        sendHeartbeats(now, &out)
    }

    mutating func watchStandby(_ now: Int64, _ out: inout [Action]) {
        if handoverUntil != 0, now >= handoverUntil { handoverUntil = 0 }
        let isSilent = now - peerHeardAt >= configuration.detect
        // By its oldest record: a standby that comes nearer and nearer keeps a write waiting all the same.
        let isLate =
            unconfirmed.first.map { now - $0.at >= configuration.patience } ?? false
            && !has(.neverLate)
        switch sync {
        case .alone:
            if replicated == log.last { join(now, &out) }
        case .joining:
            // On record as out of sync all along.
            if isSilent || isLate {
                goOnAlone()
                advance(now, &out)
            }
        case .level:
            guard configuration.acknowledgesReplicated, isSilent || isLate else { break }
            handoverUntil = 0
            state(.leaving, now, &out)
        case .leaving:
            // Without a witness the standby itself is the authority, and one that is not there cannot be asked. It may
            // be promoting itself at this moment: the hazard of two nodes.
            if !configuration.hasWitness, isSilent {
                goOnAlone()
                advance(now, &out)
            }
        }
    }

    mutating func wrote(_ count: Int64, _ now: Int64, _ out: inout [Action]) {
        log.append(through: log.last + count, epoch: record.epoch)
        if sync != .alone { expect(now) }
        if sampleRecord == 0, nextToSend != 0 {
            sampleRecord = log.last
            sampleAt = now
        }
        pump(&out)
        advance(now, &out)
    }

    /// The standby is level again, or some records nearer to it.
    mutating func appended(_ message: Message, _ now: Int64, _ out: inout [Action]) {
        guard role == .primary, message.epoch == record.epoch, message.last <= log.last else {
            return
        }
        if message.last > replicated {
            replicated = message.last
            let confirmed = unconfirmed.prefix { $0.through <= replicated }.count
            unconfirmed.removeFirst(confirmed)
        }
        if sampleRecord != 0, replicated >= sampleRecord {
            replicationDelay = now - sampleAt
            sampleRecord = 0
        }
        join(now, &out)
        advance(now, &out)
        pump(&out)
        finishHandover(now, &out)
    }

    /// All that is in the log by now waits for the standby, where anything does.
    private mutating func expect(_ now: Int64) {
        guard configuration.acknowledgesReplicated else { return }
        unconfirmed.append(Unconfirmed(through: log.last, at: now))
    }

    /// The standby is on record as out of sync: nothing waits for it any more.
    private mutating func goOnAlone() {
        sync = .alone
        unconfirmed.removeAll(keepingCapacity: true)
    }

    private mutating func join(_ now: Int64, _ out: inout [Action]) {
        guard nextToSend != 0, now - peerHeardAt < configuration.detect else { return }
        if sync == .alone, log.last - replicated <= batch {
            sync = .joining
            if replicated < log.last { expect(now) }
        }
        // Whatever was acknowledged before is there, and from now on nothing is acknowledged without it.
        if sync == .joining, replicated >= committed || has(.levelTooSoon) {
            state(.level, now, &out)
        }
    }

    mutating func advance(_ now: Int64, _ out: inout [Action]) {
        let through =
            sync == .alone || !configuration.acknowledgesReplicated || has(.acknowledgesWhenSent)
                || (sync == .leaving && has(.leavingAcknowledges))
            ? log.last : replicated
        guard through > committed else { return }
        committed = through
        out.append(.committed(through))
    }

    mutating func pump(_ out: inout [Action]) {
        while nextToSend != 0, nextToSend <= log.last, nextToSend - replicated <= window {
            var append = message(.append, to: configuration.peer)
            append.first = nextToSend
            let end = has(.batchAcrossEpochs) ? log.last : log.end(ofEpochAt: nextToSend)
            append.last = min(nextToSend + batch - 1, end)
            append.mark = log.epoch(at: nextToSend)
            append.stamp = log.epoch(at: nextToSend - 1)
            out.append(.send(append))
            nextToSend = append.last + 1
        }
    }

    /// A standby says where its log ends. Where this log has that record, replication goes on behind it; else the
    /// standby is told the last record that can be common to both, and asks again.
    mutating func follow(_ message: Message, _ now: Int64, _ out: inout [Action]) {
        guard role == .primary else { return }
        guard message.epoch == record.epoch else { return refuse(message, wait: 0, &out) }
        let common = log.last(through: message.last, notAfter: message.mark)
        var cut = self.message(.cut, to: message.from)
        cut.first = message.last
        cut.stamp = message.mark
        cut.last = common
        cut.mark = log.epoch(at: common)
        if has(.cutOneTooFew), common < message.last {
            cut.last += 1
            cut.mark = message.mark
        }
        out.append(.send(cut))
        let isPart = common == message.last && cut.mark == message.mark
        nextToSend = isPart ? common + 1 : 0
        guard isPart else { return }
        replicated = min(replicated, common)
        pump(&out)
    }

    mutating func finishHandover(_ now: Int64, _ out: inout [Action]) {
        guard role == .primary, handoverUntil != 0, sync == .level, replicated == log.last else {
            return
        }
        if !has(.handoverStaysPrimary) { stepDown(.switchover, now, &out) }
        // Time for the other one to take over before this one thinks of standing itself.
        standAt = now + configuration.detect * 3
        var word = message(.released, to: configuration.peer)
        word.last = log.last
        lastWord = word
        lastWordUntil = now + configuration.detect * 2
        heartbeatAt = now
        sayLastWord(now, &out)
    }

    mutating func sayLastWord(_ now: Int64, _ out: inout [Action]) {
        guard let word = lastWord, now >= heartbeatAt else { return }
        heartbeatAt = now + configuration.heartbeat
        out.append(.send(word))
        if now >= lastWordUntil { lastWord = nil }
    }
}
