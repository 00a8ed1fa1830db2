extension TwinCore {
    mutating func witness(_ message: Message, _ now: Int64, _ out: inout [Action]) {
        switch message.kind {
        case .heartbeat:
            guard message.epoch == record.epoch, message.from == record.primary else {
                if message.epoch < record.epoch { refuse(message, wait: 0, &out) }
                return
            }
            promisedUntil = now + configuration.detect
            if has(.answeredBeforeKept) {
                let before = out.count
                keep(statement: message, &out)
                answer(message, &out)
                if out.count == before + 2 { out.swapAt(before, before + 1) }
                return
            }
            keep(statement: message, &out)
            answer(message, &out)
        case .voteRequest: vote(message, now, &out)
        case .heartbeatAnswer, .granted, .refused, .released, .follow, .cut, .append, .appended:
            break
        }
    }

    private mutating func vote(_ message: Message, _ now: Int64, _ out: inout [Action]) {
        // A grant whose telling was lost is told again: nobody else can have that epoch.
        let again = message.epoch == record.epoch && message.from == record.primary
        if !again {
            let isReleased = message.flag && message.mark == record.epoch
            guard message.epoch > record.epoch else { return refuse(message, wait: 0, &out) }
            guard isReleased || now >= promisedUntil || has(.witnessBreaksPromise) else {
                return refuse(message, wait: promisedUntil - now, &out)
            }
            guard
                record.epoch == 0 || message.from == record.primary || record.inSync
                    || has(.outOfSyncElected)
            else {
                return refuse(message, wait: configuration.heartbeat, &out)
            }
            record.epoch = message.epoch
            record.primary = message.from
            if !has(.grantKeepsInSync) { record.inSync = false }
            if !has(.serialNotReset) { record.serial = 0 }
            if !has(.voteNotKept) { out.append(.persist) }
        }
        promisedUntil = now + configuration.detect
        var granted = self.message(.granted, to: message.from)
        granted.stamp = message.stamp
        out.append(.send(granted))
    }

    func refuse(_ message: Message, wait: Int64, _ out: inout [Action]) {
        var refused = self.message(.refused, to: message.from)
        refused.stamp = wait
        out.append(.send(refused))
    }

    /// A primary's word on its standby goes to disk before it is answered.
    mutating func keep(statement message: Message, _ out: inout [Action]) {
        guard
            message.mark > record.serial
                || (message.mark < record.serial && has(.olderStatementTaken))
        else { return }
        record.serial = message.mark
        record.inSync = message.flag
        if !has(.statementNotKept) { out.append(.persist) }
    }

    func answer(_ message: Message, _ out: inout [Action]) {
        var answer = self.message(.heartbeatAnswer, to: message.from)
        answer.flag = record.inSync
        answer.mark = record.serial
        answer.first = matched ? 1 : 0
        answer.last = log.last
        answer.stamp = message.stamp
        out.append(.send(answer))
    }
}
