extension TwinCore {
    mutating func heartbeat(_ message: Message, _ now: Int64, _ out: inout [Action]) {
        guard message.epoch >= record.epoch else { return refuse(message, wait: 0, &out) }
        adopt(message.epoch, now, &out)
        // A heartbeat of the own epoch to a primary can only be its own, or late after a restart.
        guard role == .standby || role == .candidate, releasedEpoch != message.epoch else { return }
        role = .standby
        heardAt = now
        standAt = now + configuration.detect
        noticed = false
        lastWord = nil
        if !has(.standbyForgetsPromise) {
            promisedUntil = max(promisedUntil, now + configuration.detect)
        }
        primaryLast = message.last
        saidInSync = message.flag
        committed = max(committed, min(message.first, matched ? log.last : 0))
        if !configuration.hasWitness { keep(statement: message, &out) }
        answer(message, &out)
        if matched, log.last < message.last, now - grewAt >= configuration.patience * 2 {
            matched = false
        }
        if !matched, now >= followAt { askToFollow(now, &out) }
    }

    private mutating func askToFollow(_ now: Int64, _ out: inout [Action]) {
        followAt = has(.followsOnce) ? .max : now + configuration.patience * 2
        var follow = message(.follow, to: configuration.peer)
        follow.last = log.last
        follow.mark = log.lastEpoch
        out.append(.send(follow))
    }

    mutating func cut(_ message: Message, _ now: Int64, _ out: inout [Action]) {
        // Only what was asked with the log as it is: a late answer to an earlier question would cut off good records.
        guard role == .standby, message.epoch == record.epoch, !matched,
            message.first == log.last, message.stamp == log.lastEpoch
        else { return }
        let common = log.last(through: message.last, notAfter: message.mark)
        if common < log.last {
            log.truncate(to: common)
            committed = min(committed, common)
            if !has(.cutNotKept) { out.append(.truncate(common)) }
        }
        guard common == message.last, log.lastEpoch == message.mark else {
            return askToFollow(now, &out)
        }
        matched = true
        grewAt = now
        out.append(.following)
        confirm(&out)
    }

    private func confirm(_ out: inout [Action]) {
        var appended = message(.appended, to: configuration.peer)
        appended.last = log.last
        out.append(.send(appended))
    }

    mutating func append(_ message: Message, _ now: Int64, _ out: inout [Action]) {
        guard role == .standby || role == .candidate, message.epoch == record.epoch, matched else {
            return
        }
        if message.last <= log.last { return confirm(&out) }
        guard
            (message.first == log.last + 1 && message.stamp == log.lastEpoch) || has(.gapAccepted)
        else {
            matched = false
            if now >= followAt { askToFollow(now, &out) }
            return
        }
        log.append(
            through: message.last, epoch: has(.epochOfMessage) ? message.epoch : message.mark)
        grewAt = now
        if has(.confirmsBeforeStored) { confirm(&out) }
        out.append(.store(first: message.first, last: message.last))
        if !has(.confirmsBeforeStored) { confirm(&out) }
    }

    /// The primary has let go, and this node has all that it had.
    mutating func released(_ message: Message, _ now: Int64, _ out: inout [Action]) {
        guard role == .standby, message.epoch == record.epoch, matched, message.last == log.last,
            releasedEpoch != message.epoch
        else { return }
        releasedEpoch = message.epoch
        // With nothing on record against it; and if it is refused, it asks again.
        stand(now, &out)
    }
}
