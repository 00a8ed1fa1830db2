extension TwinCore {
    mutating func lostPrimary(_ now: Int64, _ out: inout [Action]) {
        if !noticed {
            noticed = true
            out.append(.noticed(now - heardAt))
        }
        stand(now, &out)
    }

    /// Asks for the next epoch, or takes it where nobody can be asked.
    mutating func stand(_ now: Int64, _ out: inout [Action]) {
        lastWord = nil
        // Its own: odd ones are b's, even ones a's. One number is never two primaries', witness or not.
        let next =
            (record.epoch / 2 + (has(.epochOffByOne) && record.epoch > 1 ? 0 : 1)) * 2
            + Int64(configuration.node)
        let isNew = record.epoch != 0 && record.primary != configuration.node
        guard !(configuration.neverPromotes && isNew), configuration.hasWitness || record.inSync
        else {
            // It listens on, and looks again after a while.
            standAt = now + configuration.detect
            return
        }
        guard configuration.hasWitness else {
            if !isReleased, now < promisedUntil {
                standAt = promisedUntil
                return
            }
            record.epoch = next
            record.primary = configuration.node
            record.serial = 0
            out.append(.persist)
            return becomePrimary(now, &out)
        }
        role = .candidate
        proposal = next
        ask(now, &out)
    }

    private var isReleased: Bool { releasedEpoch != 0 && releasedEpoch == record.epoch }

    mutating func ask(_ now: Int64, _ out: inout [Action]) {
        var request = message(.voteRequest, to: TwinConfiguration.witness)
        request.epoch = proposal
        request.flag = isReleased
        request.mark = releasedEpoch
        request.stamp = now
        out.append(.send(request))
        askAgainAt = has(.asksOnce) ? .max : now + configuration.heartbeat
    }

    mutating func refused(_ message: Message, _ now: Int64, _ out: inout [Action]) {
        adopt(message.epoch, now, &out)
        guard role == .candidate else { return }
        askAgainAt = now + min(max(message.stamp, 1000), configuration.heartbeat)
    }

    /// Also where the old primary was heard again meanwhile: the witness has made up its mind.
    mutating func granted(_ message: Message, _ now: Int64, _ out: inout [Action]) {
        guard role == .candidate || role == .standby, message.epoch == proposal,
            proposal > record.epoch || (proposal == record.epoch && has(.grantTakenTwice))
        else { return }
        let wasReleased = isReleased
        record = TwinRecord()
        record.epoch = proposal
        record.primary = configuration.node
        if !has(.grantNotKept) { out.append(.persist) }
        lastWord = nil
        role = .elected
        leaseUntil = message.stamp + configuration.lease
        serial = 0
        confirmedSerial = 0
        if !has(.staleSync) { sync = .alone }
        peerHeardAt = now
        if wasReleased || now >= promisedUntil || has(.electedDoesNotWait) {
            becomePrimary(now, &out)
        } else {
            // The old primary hears of the newer epoch, and the witness prolongs the lease.
            sendHeartbeats(now, &out)
        }
    }

    mutating func becomePrimary(_ now: Int64, _ out: inout [Action]) {
        guard !configuration.hasWitness || now < leaseUntil else {
            role = .standby
            return listenAnew(now)
        }
        role = .primary
        if !configuration.hasWitness || has(.servesPastLease) { leaseUntil = .max }
        if !has(.staleSync) { sync = .alone }
        serial = 0
        confirmedSerial = 0
        peerHeardAt = now
        nextToSend = 0
        replicated = 0
        unconfirmed.removeAll(keepingCapacity: true)
        handoverUntil = 0
        sampleRecord = 0
        matched = false
        out.append(.becamePrimary)
        committed = log.last
        sendHeartbeats(now, &out)
    }
}
