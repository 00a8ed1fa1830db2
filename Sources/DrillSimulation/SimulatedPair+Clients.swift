import TwinCore

/// Clients: at each instant of a write they ask whoever says that it serves.
extension SimulatedPair {
    var primary: Int? {
        nodes.indices.first { serves($0) }
    }

    func serves(_ node: Int) -> Bool {
        nodes[node].isUp && !nodes[node].isPaused
            && nodes[node].core.serves(nodes[node].local(now))
    }

    func takesWrites(_ node: Int) -> Bool {
        serves(node) && nodes[node].core.takesWrites(nodes[node].local(now))
    }

    /// A write, with a read before and after it. One that nobody took was none: it is asked again.
    mutating func ask() {
        for node in 0..<2 where serves(node) {
            read(node)
            write(node)
            read(node)
        }
        if written < plan.writes { queue.write(at: now + plan.writeEvery) }
    }

    /// As many as planned were written, and whoever asked was answered.
    var isAnswered: Bool {
        written >= plan.writes && nodes.indices.allSatisfy { nodes[$0].waiting.isEmpty }
    }

    private mutating func write(_ node: Int) {
        guard takesWrites(node) else { return }
        let index = nodes[node].core.log.last + 1
        let epoch = nodes[node].core.record.epoch
        written += 1
        // On record before it is in the log: a crash between the two leaves a record that others may read.
        let operation = begin(.write, node, index: index, epoch: epoch)
        nodes[node].log.append(through: index, epoch: epoch)
        guard nodes[node].step() else { return stop(node) }
        nodes[node].syncedLog.append(through: index, epoch: epoch)
        guard nodes[node].step() else { return stop(node) }
        nodes[node].waiting.append(
            SimulatedNode.Waiting(
                through: index, isRead: false, asked: now, floor: 0, operation: operation))
        drive(node, .wrote(1))
    }

    /// A read sees writes that are not acknowledged yet, and waits until they are.
    private mutating func read(_ node: Int) {
        guard serves(node) else { return }
        let last = nodes[node].core.log.last
        let waiting = SimulatedNode.Waiting(
            through: last, isRead: true, asked: now, floor: acknowledged.last,
            operation: begin(.read, node, index: 0, epoch: 0))
        if nodes[node].core.committed < last {
            nodes[node].waiting.append(waiting)
        } else {
            show(waiting, last, node)
        }
    }

    mutating func answer(_ node: Int, through: Int64) {
        guard let first = nodes[node].waiting.first, first.through <= through else { return }
        var count = 0
        while count < nodes[node].waiting.count, nodes[node].waiting[count].through <= through {
            let waiting = nodes[node].waiting[count]
            count += 1
            if waiting.isRead {
                let isDirty = plan.planted == .readsUncommitted
                show(waiting, isDirty ? nodes[node].core.log.last : waiting.through, node)
            } else {
                waited(waiting)
                complete(waiting.operation)
            }
        }
        nodes[node].waiting.removeFirst(count)
    }

    private mutating func waited(_ waiting: SimulatedNode.Waiting) {
        if !waiting.isRead { outcome.longestWait = max(outcome.longestWait, now - waiting.asked) }
    }

    /// At the end of a drill: who waits still has waited until now.
    mutating func waitedInVain() {
        for node in nodes.indices {
            for waiting in nodes[node].waiting { waited(waiting) }
        }
    }

    /// Whoever waits is not answered any more: nobody knows whether the write will be kept.
    mutating func dropWaiting(_ node: Int) {
        guard !nodes[node].waiting.isEmpty else { return }
        for waiting in nodes[node].waiting { waited(waiting) }
        nodes[node].waiting.removeAll(keepingCapacity: true)
    }

    /// A read is linearizable where it shows all that was acknowledged or read before it was asked, and where what it
    /// shows is never lost: from now on it counts as acknowledged.
    private mutating func show(_ waiting: SimulatedNode.Waiting, _ shown: Int64, _ node: Int) {
        if shown < waiting.floor { return found(.staleRead) }
        if traced {
            complete(
                waiting.operation, index: shown, epoch: nodes[node].core.log.epoch(at: shown))
        }
        commit(shown, node, isWrite: false)
    }

    // MARK: - What was acknowledged

    mutating func commit(_ through: Int64, _ node: Int, isWrite: Bool) {
        if isWrite { acknowledgedWrites = max(acknowledgedWrites, through) }
        if through <= acknowledged.last {
            if acknowledged.epoch(at: through) != nodes[node].log.epoch(at: through) {
                found(.forked)
            }
            return
        }
        let epoch = nodes[node].log.epoch(at: through)
        guard epoch != 0, holds(nodes[node].log) else { return found(.forked) }
        if epoch == acknowledged.lastEpoch {
            acknowledged.append(through: through, epoch: epoch)
        } else {
            acknowledged = nodes[node].log
            acknowledged.truncate(to: through)
        }
    }

    func holds(_ log: EpochLog) -> Bool {
        acknowledged.last <= log.last
            && log.epoch(at: acknowledged.last) == acknowledged.lastEpoch
    }

    // MARK: - For the checker of registers

    private mutating func begin(
        _ action: SimulatedOperation.Action, _ node: Int, index: Int64, epoch: Int64
    ) -> Int {
        guard traced else { return -1 }
        operations.append(
            SimulatedOperation(
                action: action, node: node, asked: now, answered: nil, record: index, epoch: epoch))
        return operations.count - 1
    }

    private mutating func complete(_ operation: Int) {
        if operation >= 0 { operations[operation].answered = now }
    }

    private mutating func complete(_ operation: Int, index: Int64, epoch: Int64) {
        guard operation >= 0 else { return }
        operations[operation].answered = now
        operations[operation].record = index
        operations[operation].epoch = epoch
    }
}
