import DrillAgent
import DrillCore

/// The shells of the three that heal, as `Keeper`, `Watchdog` and `Orphans` are, with a point before and after each act.
extension SimulatedHeal {
    // MARK: the agent

    mutating func hear(_ event: AgentMachine.Event) {
        guard alive.contains(.agent), !stopped.contains(.agent) else { return }
        do throws(Death) {
            try handle(event, now: world.now)
            try runQueue()
        } catch { die(.agent) }
    }

    mutating func agentTurn() {
        guard alive.contains(.agent), !stopped.contains(.agent) else { return }
        do throws(Death) {
            try runQueue()
            if !alive.contains(.watchdog), !peerSeen {
                peerSeen = true
                try handle(.peerDied, now: world.now)
            } else if !undos.isEmpty, chance(60) {
                let record = undos.removeFirst()
                let verdict = undo(record)
                undoing.remove(.agent)
                try point(.agent)
                try handle(.undone(record.number, verdict, nil), now: world.now)
            } else if !underWay.isEmpty, chance(60) {
                let index = Int(random.next() % UInt64(underWay.count))
                try handle(underWay.remove(at: index), now: world.now)
            } else {
                try handle(.tick, now: world.now)
            }
            try runQueue()
            try endAgent()
        } catch { die(.agent) }
    }

    /// Nothing is changed any more and nothing is held: it goes, and leaves a journal only where something is open.
    private mutating func endAgent() throws(Death) {
        guard agent.stopped != nil, !agent.hasOpenChanges, queue.isEmpty, !agent.isAbandoned,
            !stopped.contains(.agent)
        else { return }
        try point(.agent)
        if !isUsurped, agent.unrestored.isEmpty { world.removeFolder() }
        try point(.agent)
        pipe.append(.farewell)
        die(.agent)
    }

    private mutating func handle(_ event: AgentMachine.Event, now: BootInstant) throws(Death) {
        var directives: [AgentMachine.Directive] = []
        agent.handle(event, now: now, into: &directives)
        heard = now
        queue.insert(contentsOf: directives, at: 0)
    }

    private mutating func runQueue() throws(Death) {
        while let directive = queue.first, !stopped.contains(.agent) {
            try point(.agent)
            queue.removeFirst()
            switch directive {
            case .append(let entry):
                world.append(entry)
                try point(.agent)
                if case .closed = entry { world.sync() }
            case .commit(let ticket): try commit(ticket)
            case .perform(let record): perform(record)
            case .undo(let record):
                if world.epoch != agent.epoch { violations.append("undone by one deposed") }
                beginUndo(.agent)
                undos.append(record)
            case .beat(let until): pipe.append(.beat(until: until))
            case .abandon:
                ways.insert(.agentAbandons)
                throw Death()
            case .healed(by: .lease, _, _): ways.insert(.leaseOver)
            case .permit, .answer, .healed: break
            }
        }
    }

    private mutating func commit(_ ticket: AgentMachine.Ticket) throws(Death) {
        if bug != .performsUnsynced { world.sync() }
        try point(.agent)
        // A disk may take its time, and one who waits for it may be stopped: the look comes after that.
        if hasWoken {
            hasWoken = false
        } else if chance(4) {
            stopped.insert(.agent)
            queue.insert(.commit(ticket), at: 0)
            return
        } else if chance(4) {
            world.now = world.now + random.duration(upTo: .seconds(4))
        }
        if bug == .skipsLook {
            try handle(.committed(ticket, epoch: agent.epoch), now: heard)
        } else {
            try handle(.committed(ticket, epoch: world.epoch), now: world.now)
        }
    }

    private mutating func perform(_ record: UndoRecord) {
        if world.epoch != agent.epoch { violations.append("changed by one deposed") }
        if let promised, world.now > promised { violations.append("changed after the lease") }
        let place = SimulatedMachine.place(of: record)
        let failure = LabFailure(kind: .failed, message: "simulated")
        // What was found is no more there: nothing is changed.
        guard world.values[place] == record.before else {
            return underWay.append(.refused(record.number, failure))
        }
        let hasFailed = chance(8)
        if !hasFailed || chance(50) { world.values[place] = record.sets }
        underWay.append(
            hasFailed ? .failed(record.number, failure) : .performed(record.number))
    }

    // MARK: the watchdog

    mutating func watchdogTurn() {
        guard alive.contains(.watchdog), !stopped.contains(.watchdog) else { return }
        do throws(Death) {
            while !pipe.isEmpty, alive.contains(.watchdog) {
                try tell(.message(pipe.removeFirst()))
            }
            if alive.contains(.watchdog) {
                try tell(alive.contains(.agent) ? .tick : .agentDied)
            }
        } catch { die(.watchdog) }
    }

    private mutating func tell(_ event: WatchdogMachine.Event) throws(Death) {
        var directives: [WatchdogMachine.Directive] = []
        watchdog.handle(event, now: world.now, into: &directives)
        for directive in directives {
            try point(.watchdog)
            switch directive {
            case .killAgent:
                ways.insert(.watchdogKills)
                die(.agent)
            case .takeLock:
                guard world.hasFolder else {
                    try tell(.locked([]))
                    continue
                }
                guard lock == nil else {
                    try tell(.lockRefused("held"))
                    continue
                }
                lock = .watchdog
                world.epoch += 1
                try tell(.locked(world.contents.open))
            case .undo(let record):
                beginUndo(.watchdog)
                let verdict = undo(record)
                try point(.watchdog)
                undoing.remove(.watchdog)
                try tell(.undone(verdict, nil))
            case .append(let entry):
                world.append(entry)
                try point(.watchdog)
                world.sync()
            case .remove(let keepsJournal):
                if !keepsJournal { world.removeFolder() }
                try tell(.removed([]))
            case .finish: die(.watchdog)
            }
        }
    }

    // MARK: the sweep

    /// What the next contact or the next boot does with a run that nobody holds.
    mutating func sweep() throws(Death) {
        guard lock == nil else { return }
        alive.insert(.sweep)
        lock = .sweep
        world.epoch += 1
        die(.watchdog)
        var sequence = HealSequence(world.contents.open, bootID: world.bootID, by: .sweep)
        while let step = sequence.next() {
            try point(.sweep)
            switch step {
            case .write(let entry): world.append(entry)
            case .undo(let record):
                beginUndo(.sweep)
                let verdict = undo(record)
                try point(.sweep)
                undoing.remove(.sweep)
                world.append(sequence.undone(verdict, nil))
                try point(.sweep)
                world.sync()
            }
        }
        try point(.sweep)
        if sequence.isRestored { world.removeFolder() }
        die(.sweep)
    }
}
