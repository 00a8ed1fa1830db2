import DrillCore
package import TwinCore

/// A whole reference pair in simulated time: the machines of TwinCore, their disks, clocks that run at different rates, and
/// a network. Same plan, same history. It is used again for one drill after the other: what it allocated stays.
package struct SimulatedPair: ~Copyable {
    package let traced: Bool
    package private(set) var plan = DrillPlan(seed: 0)
    package internal(set) var outcome = DrillOutcome()
    /// What happened, in order; empty unless `traced`.
    package internal(set) var trace: [SimulatedEvent] = []
    /// What clients asked and were answered; empty unless `traced`.
    package internal(set) var operations: [SimulatedOperation] = []
    package internal(set) var now: Int64 = 0

    /// Three where there is no witness, too: it is down then, and nobody speaks to it. At an address of their own, since
    /// in an array each question to a node copies it, and that is half of a drill's time.
    let nodes: UnsafeMutableBufferPointer<SimulatedNode>
    var queue = EventQueue()
    var actions: [TwinCore.Action] = []
    var random = SeededGenerator(seed: 0)
    /// From × 3 + to.
    var cuts: UInt16 = 0
    var isReplicationCut = false
    var lossPermille = 0
    var duplicatePermille = 0
    var delayMost: Int64 = 0
    /// By from × 3 + to.
    var linkDelays: InlineArray<9, Int64> = .init(repeating: 0)
    /// The network's faults that are there now, by their place in the plan: one that ends leaves what another does.
    var active: [Int] = []
    /// Writes that a primary put into its log.
    var written = 0
    /// All that was acknowledged, and all that was read.
    var acknowledged = EpochLog()
    /// Of it, by an acknowledged write.
    var acknowledgedWrites: Int64 = 0
    var highestEpoch: Int64 = 0
    /// Nobody serves since then; -1: somebody does, or nobody has yet.
    var unservedSince: Int64 = -1
    var wasLevelAtFault = false

    /// - Parameter traced: keeps every event and operation; slow.
    package init(traced: Bool = false) {
        self.traced = traced
        nodes = .allocate(capacity: 3)
        for node in 0..<3 {
            nodes.initializeElement(
                at: node,
                to: SimulatedNode(
                    TwinConfiguration(node: UInt8(node), hasWitness: true), rate: 0, offset: 0))
        }
    }

    deinit { nodes.deinitialize().deallocate() }

    /// The drill of a seed. What was drawn may meet nothing (a cut when nobody speaks, a crash that waits for what its node
    /// never does): then others are drawn, until a fault took effect.
    package mutating func run(seed: UInt64, hasWitness: Bool = true, planted: PlantedBug? = nil) {
        var attempt = 0
        repeat {
            run(
                .drawn(seed: seed, attempt: attempt, hasWitness: hasWitness, planted: planted))
            attempt += 1
        } while !outcome.tookEffect && outcome.violation == nil
    }

    /// The drill from its beginning to its end: until the faults are over, all writes answered, and the pair is whole.
    package mutating func run(_ plan: DrillPlan) {
        begin(plan)
        let healed = max(plan.healed, plan.length)
        run(until: healed)
        var whole: Int64 = -1
        while outcome.violation == nil {
            if isRecovered {
                if whole < 0 { whole = now }
                if isAnswered { break }
            }
            if now >= healed + DrillBounds.recovery {
                found(.notRecovered)
            } else {
                run(until: now + 5_000_000)
            }
        }
        judgeBounds()
        outcome.recovery = (whole < 0 ? now : whole) - healed
        outcome.simulated = now
        outcome.acknowledged = acknowledgedWrites
    }

    private mutating func begin(_ plan: DrillPlan) {
        self.plan = plan
        outcome = DrillOutcome()
        trace = []
        operations = []
        now = 0
        queue.removeAll()
        random = SeededGenerator(seed: plan.seed)
        active.removeAll(keepingCapacity: true)
        setNetwork()
        written = 0
        acknowledged = EpochLog()
        acknowledgedWrites = 0
        highestEpoch = 0
        unservedSince = -1
        wasLevelAtFault = false
        if !plan.hasWitness {
            nodes[2] = SimulatedNode(configuration(2), rate: 0, offset: 0)
            nodes[2].isUp = false
        }
        for node in 0..<(plan.hasWitness ? 3 : 2) {
            let rate = Int64(random.pick(2 * plan.clockRate + 1) - plan.clockRate)
            nodes[node] = SimulatedNode(
                configuration(node), rate: rate, offset: Int64(random.pick(1_000_000_000)))
            arm(node)
        }
        if plan.writes > 0 { queue.write(at: plan.firstWrite) }
        for (place, fault) in plan.faults.enumerated() {
            queue.begin(place, at: fault.at)
            if !fault.fault.isInstant { queue.end(place, at: fault.end) }
        }
    }

    func configuration(_ node: Int) -> TwinConfiguration {
        var configuration = TwinConfiguration(
            node: UInt8(node), hasWitness: plan.hasWitness,
            acknowledgesReplicated: plan.acknowledgesReplicated)
        configuration.planted = plan.planted
        if plan.planted == .leaseAsLongAsPromise { configuration.lease = configuration.detect }
        return configuration
    }

    private mutating func run(until end: Int64) {
        while outcome.violation == nil {
            var at = queue.next
            var ticks = -1
            for node in nodes.indices where nodes[node].tickAt < at {
                at = nodes[node].tickAt
                ticks = node
            }
            guard at <= end else { break }
            now = at
            outcome.events += 1
            if outcome.events > DrillBounds.events { return found(.endless) }
            if ticks >= 0 {
                nodes[ticks].tickAt = .max
                mix(UInt64(ticks))
                drive(ticks, .tick)
            } else {
                happen(queue.pop())
            }
            watch()
        }
        now = max(now, end)
    }

    /// What happens makes the digest, in its order.
    private mutating func mix(_ what: UInt64) {
        outcome.digest =
            (outcome.digest ^ UInt64(bitPattern: now) ^ what << 48) &* 0x9E37_79B9_7F4A_7C15
        outcome.digest ^= outcome.digest >> 29
    }

    // MARK: - What happens

    private mutating func happen(_ what: EventQueue.What) {
        switch what {
        case .deliver(let message):
            let node = Int(message.to)
            mix(
                UInt64(message.kind.rawValue) << 8 | UInt64(message.from) << 4
                    | UInt64(message.to) ^ UInt64(bitPattern: message.last &* 31 &+ message.epoch))
            guard nodes[node].isUp else { return }
            if nodes[node].isPaused {
                nodes[node].held.append(message)
            } else {
                drive(node, .message(message))
            }
        case .write:
            mix(0x40)
            ask()
        case .begin(let place):
            mix(0x50 | UInt64(place))
            begin(place)
        case .end(let place):
            mix(0x60 | UInt64(place))
            end(place)
        }
    }

    mutating func drive(_ node: Int, _ event: TwinCore.Event) {
        if traced { note(node, event) }
        actions.removeAll(keepingCapacity: true)
        let local = nodes[node].local(now)
        nodes[node].core.handle(event, now: local, into: &actions)
        for index in actions.indices {
            // A crash comes between any two of the things that follow from one event.
            guard nodes[node].step(), perform(actions[index], node) else { return stop(node) }
        }
        arm(node)
    }

    mutating func arm(_ node: Int) {
        let deadline = nodes[node].core.nextDeadline
        nodes[node].tickAt = deadline == .max ? .max : max(now, nodes[node].global(deadline))
    }

    /// False: it crashed in the middle.
    private mutating func perform(_ action: TwinCore.Action, _ node: Int) -> Bool {
        if traced { note(node, action) }
        if nodes[node].crashMoment != .atOnce, nodes[node].crashMoment.isMet(by: action) {
            nodes[node].crashMoment = .atOnce
            nodes[node].crashIn = nodes[node].crashSteps
        }
        switch action {
        case .send(let message): send(message)
        case .persist:
            nodes[node].record = nodes[node].core.record
            if plan.planted == .recordNotSynced { return true }
            guard nodes[node].step() else { return false }
            nodes[node].syncedRecord = nodes[node].record
        case .truncate(let last):
            nodes[node].log.truncate(to: last)
            guard nodes[node].step() else { return false }
            nodes[node].syncedLog.truncate(to: last)
        case .store(let first, let last):
            if first != nodes[node].log.last + 1 { found(.brokenLog) }
            let epoch = nodes[node].core.log.epoch(at: last)
            nodes[node].log.append(through: last, epoch: epoch)
            if plan.planted == .storeNotSynced { return true }
            guard nodes[node].step() else { return false }
            nodes[node].syncedLog.append(through: last, epoch: epoch)
        case .committed(let through):
            commit(through, node, isWrite: true)
            answer(node, through: through)
        case .becamePrimary: becamePrimary(node)
        case .steppedDown: dropWaiting(node)
        case .noticed, .following, .standby: break
        }
        return true
    }

    private mutating func send(_ message: Message) {
        let isReplication = message.kind.isReplication
        let way = Int(message.from * 3 + message.to)
        if cuts & (1 << UInt16(way)) != 0
            || (isReplication && isReplicationCut)
        {
            outcome.tookEffect = true
            return
        }
        if lossPermille > 0, random.pick(1000) < lossPermille {
            outcome.tookEffect = true
            return
        }
        if isReplication {
            let at = max(arrival(way), nodes[Int(message.to)].inOrder + 1)
            nodes[Int(message.to)].inOrder = at
            queue.deliver(message, at: at)
        } else {
            queue.deliver(message, at: arrival(way))
            if duplicatePermille > 0, random.pick(1000) < duplicatePermille {
                outcome.tookEffect = true
                // The second one may come much later.
                queue.deliver(message, at: arrival(way) + Int64(random.pick(30_000_000)))
            }
        }
    }

    private mutating func arrival(_ way: Int) -> Int64 {
        var at = now + 50_000 + Int64(random.pick(100_000))
        if delayMost > 0 { at += late(delayMost) }
        if linkDelays[way] > 0 { at += late(linkDelays[way]) }
        return at
    }

    private mutating func late(_ most: Int64) -> Int64 {
        outcome.tookEffect = true
        return Int64(random.pick(Int(most)))
    }

    // MARK: - Faults

    private mutating func begin(_ place: Int) {
        let fault = plan.faults[place].fault
        if traced { note(fault, begins: true) }
        wasLevelAtFault = primary.map { nodes[$0].core.isInSync(nodes[$0].local(now)) } ?? false
        switch fault {
        case .crash(let node, let power, let moment, let steps):
            guard nodes[node].isUp, nodes[node].crash < 0 else { break }
            nodes[node].crash = place
            nodes[node].losesPower = power
            nodes[node].crashMoment = moment
            nodes[node].crashSteps = steps
            if moment == .atOnce { nodes[node].crashIn = steps }
        case .pause(let node):
            nodes[node].pauses += 1
            nodes[node].tickAt = .max
            if nodes[node].isUp { outcome.tookEffect = true }
        case .breakLink:
            for node in 0..<2 where nodes[node].isUp && !nodes[node].isPaused {
                if nodes[node].core.isFollowing(nodes[node].local(now)) {
                    outcome.tookEffect = true
                }
                drive(node, .linkLost)
            }
        case .switchover:
            guard let primary else { break }
            drive(primary, .switchover)
            if !takesWrites(primary) { outcome.tookEffect = true }
        case .cut, .cutReplication, .loss, .duplicate, .delay, .delayLink:
            active.append(place)
            setNetwork()
        }
    }

    private mutating func end(_ place: Int) {
        let fault = plan.faults[place].fault
        if traced { note(fault, begins: false) }
        switch fault {
        case .crash(let node, _, _, _):
            if nodes[node].crash == place { restart(node) }
        case .pause(let node): resume(node)
        case .switchover, .breakLink: break
        case .cut, .cutReplication, .loss, .duplicate, .delay, .delayLink:
            active.removeAll { $0 == place }
            setNetwork()
        }
    }

    /// What the faults of the network that are there do together.
    private mutating func setNetwork() {
        cuts = 0
        isReplicationCut = false
        lossPermille = 0
        duplicatePermille = 0
        delayMost = 0
        linkDelays = .init(repeating: 0)
        for place in active {
            switch plan.faults[place].fault {
            case .cut(let from, let to): cuts |= 1 << UInt16(from * 3 + to)
            case .cutReplication: isReplicationCut = true
            case .loss(let permille): lossPermille = max(lossPermille, permille)
            case .duplicate(let permille): duplicatePermille = max(duplicatePermille, permille)
            case .delay(let most): delayMost = max(delayMost, most)
            case .delayLink(let from, let to, let most):
                linkDelays[from * 3 + to] = max(linkDelays[from * 3 + to], most)
            case .crash, .pause, .breakLink, .switchover: break
            }
        }
    }

    mutating func stop(_ node: Int) {
        if traced { note(node, nodes[node].losesPower ? "loses power" : "crashes", .fault) }
        outcome.tookEffect = true
        dropWaiting(node)
        nodes[node].isUp = false
        nodes[node].crashIn = -1
        nodes[node].crashMoment = .atOnce
        nodes[node].held = []
        nodes[node].tickAt = .max
        if nodes[node].losesPower {
            nodes[node].log = nodes[node].syncedLog
            nodes[node].record = nodes[node].syncedRecord
            // A clock that begins anew when the host does.
            nodes[node].offset = Int64(random.pick(1_000_000_000)) - now
        }
    }

    private mutating func restart(_ node: Int) {
        nodes[node].crash = -1
        nodes[node].crashIn = -1
        nodes[node].crashMoment = .atOnce
        guard !nodes[node].isUp else { return }
        if traced { note(node, "starts", .fault) }
        nodes[node].isUp = true
        if plan.planted != .startNotSynced {
            // What a process that was killed had written need not be on the disk yet.
            nodes[node].syncedRecord = nodes[node].record
            nodes[node].syncedLog = nodes[node].log
        }
        nodes[node].core = TwinCore(
            configuration(node), record: nodes[node].record, log: nodes[node].log,
            now: nodes[node].local(now))
        if !nodes[node].isPaused { arm(node) }
        // The other end of its replication link hears of it.
        if node < 2, nodes[1 - node].isUp, !nodes[1 - node].isPaused {
            drive(1 - node, .linkLost)
        }
    }

    private mutating func resume(_ node: Int) {
        nodes[node].pauses -= 1
        guard nodes[node].isUp, !nodes[node].isPaused else { return }
        // What others sent comes before the timer, as in the shell.
        let held = nodes[node].held
        nodes[node].held = []
        for message in held where nodes[node].isUp { drive(node, .message(message)) }
        if nodes[node].isUp { arm(node) }
    }
}
