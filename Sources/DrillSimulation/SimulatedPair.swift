import DrillCore
package import TwinCore

/// A whole reference pair in simulated time: the machines of TwinCore, their disks, clocks that run at different rates, and
/// a network. Same seed, same history.
package struct SimulatedPair: Sendable {
    package struct Settings: Hashable, Sendable {
        package var hasWitness = true
        package var acknowledgesReplicated = true
        /// From one write to the next, ns.
        package var writeEvery: Int64 = 10_000_000
        package var writes = 20
        /// A clock is at most so many parts in 1,000 fast or slow.
        package var clockRate = 40
        package var seed: UInt64

        package init(seed: UInt64) { self.seed = seed }
    }

    package enum Violation: Hashable, Sendable {
        case twoPrimaries
        /// A primary came to be without a record that had been acknowledged.
        case lostWrite
        /// Two different records were acknowledged under one number.
        case forked
        /// All is healed, and the pair has no primary, or no standby in sync.
        case notRecovered
    }

    private struct Node {
        var core: TwinCore
        var record: TwinRecord
        var log: EpochLog
        var isUp = true
        var isPaused = false
        /// Came while it was paused.
        var held: [Message] = []
        /// So many actions until it crashes; -1: it does not.
        var crashIn = -1
        /// Parts in 1,000.
        var rate: Int64
        var offset: Int64
        var ticket: UInt32 = 0
        var tickAt: Int64 = .max
        /// The last replication message to it arrives then; none overtakes it.
        var inOrder: Int64 = 0

        func local(_ now: Int64) -> Int64 { offset + now + now / 1000 * rate }

        /// The first instant at which its clock shows `local`.
        func global(_ local: Int64) -> Int64 { (local - offset) / (1000 + rate) * 1000 + 1000 }
    }

    package let settings: Settings
    package private(set) var violations: [Violation] = []
    package private(set) var events = 0
    package private(set) var promotions = 0
    /// From the last crash of a primary until another one served; ns. -1: none.
    package private(set) var takeover: Int64 = -1
    /// All that was acknowledged.
    package private(set) var acknowledged = EpochLog()
    package private(set) var now: Int64 = 0

    private var nodes: [Node] = []
    private var queue = EventQueue()
    private var actions: [TwinCore.Action] = []
    private var random: SeededGenerator
    private var isCut = [Bool](repeating: false, count: 9)
    private var isReplicationCut = false
    private var lossPermille = 0
    private var delayMost: Int64 = 0
    private var crashedPrimaryAt: Int64 = -1
    private var written = 0

    package init(_ settings: Settings) {
        self.settings = settings
        random = SeededGenerator(seed: settings.seed)
        for node in 0..<(settings.hasWitness ? 3 : 2) {
            let rate = Int64(pick(2 * settings.clockRate + 1) - settings.clockRate)
            let offset = Int64(pick(1_000_000_000))
            nodes.append(
                Node(
                    core: TwinCore(
                        configuration(node), record: TwinRecord(), log: EpochLog(), now: offset),
                    record: TwinRecord(), log: EpochLog(), rate: rate, offset: offset))
            arm(node)
        }
    }

    private func configuration(_ node: Int) -> TwinConfiguration {
        TwinConfiguration(
            node: UInt8(node), hasWitness: settings.hasWitness,
            acknowledgesReplicated: settings.acknowledgesReplicated)
    }

    package mutating func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

    // MARK: - What a drill asks for

    package mutating func schedule(_ fault: SimulatedFault, from: Int64, for length: Int64) {
        queue.push(.begin(fault), at: from)
        if fault != .switchover { queue.push(.end(fault), at: from + length) }
    }

    package mutating func scheduleWrites(from: Int64) {
        if settings.writes > 0 { queue.push(.write, at: from) }
    }

    package var primary: Int? {
        nodes.indices.first { nodes[$0].isUp && nodes[$0].core.serves(nodes[$0].local(now)) }
    }

    package mutating func run(until end: Int64) {
        while let event = queue.pop() {
            guard event.at <= end else {
                queue.push(event.what, at: event.at)
                break
            }
            now = event.at
            events += 1
            happen(event.what)
        }
        now = end
    }

    /// At the end, with everything healed.
    package mutating func expectRecovered() {
        let primaries = nodes.indices.filter { nodes[$0].isUp && nodes[$0].core.role == .primary }
        guard let primary = primaries.first, primaries.count == 1,
            nodes[primary].core.isInSync(nodes[primary].local(now)),
            nodes[primary].log == nodes[1 - primary].log
        else { return violations.append(.notRecovered) }
        if !holds(nodes[primary].log) { violations.append(.lostWrite) }
    }

    /// For a report of a violation: each node in a line.
    package var dump: String {
        nodes.indices.map { index in
            let core = nodes[index].core
            return
                "\(index): \(core.role) epoch \(core.record.epoch) log \(core.log.last) of \(core.log.lastEpoch)"
                + " committed \(core.committed) up \(nodes[index].isUp) record \(core.record)"
        }.joined(separator: "\n")
    }

    // MARK: - What happens

    private mutating func happen(_ what: EventQueue.What) {
        switch what {
        case .tick(let node, let ticket):
            guard nodes[node].isUp, nodes[node].ticket == ticket else { return }
            nodes[node].tickAt = .max
            if !nodes[node].isPaused { drive(node, .tick) }
        case .deliver(let message):
            let node = Int(message.to)
            guard nodes[node].isUp else { return }
            if nodes[node].isPaused {
                nodes[node].held.append(message)
            } else {
                drive(node, .message(message))
            }
        case .write: write()
        case .begin(let fault): begin(fault)
        case .end(let fault): end(fault)
        }
        watchPrimaries()
    }

    private mutating func write() {
        written += 1
        if written < settings.writes { queue.push(.write, at: now + settings.writeEvery) }
        for node in nodes.indices where nodes[node].isUp && !nodes[node].isPaused {
            let core = nodes[node].core
            guard core.takesWrites(nodes[node].local(now)) else { continue }
            nodes[node].log.append(through: core.log.last + 1, epoch: core.record.epoch)
            drive(node, .wrote(1))
        }
    }

    private mutating func drive(_ node: Int, _ event: TwinCore.Event) {
        actions.removeAll(keepingCapacity: true)
        nodes[node].core.handle(event, now: nodes[node].local(now), into: &actions)
        for index in actions.indices {
            // A crash comes between any two of the things that follow from one event.
            if nodes[node].crashIn == 0 { return stop(node) }
            if nodes[node].crashIn > 0 { nodes[node].crashIn -= 1 }
            perform(actions[index], node)
        }
        arm(node)
    }

    private mutating func arm(_ node: Int) {
        let deadline = nodes[node].core.nextDeadline
        guard deadline != .max else { return }
        let at = max(now, nodes[node].global(deadline))
        guard at != nodes[node].tickAt else { return }
        nodes[node].tickAt = at
        nodes[node].ticket += 1
        queue.push(.tick(node: node, ticket: nodes[node].ticket), at: at)
    }

    private mutating func perform(_ action: TwinCore.Action, _ node: Int) {
        switch action {
        case .send(let message): send(message)
        case .persist: nodes[node].record = nodes[node].core.record
        case .truncate(let last): nodes[node].log.truncate(to: last)
        case .store(_, let last):
            nodes[node].log.append(through: last, epoch: nodes[node].core.log.epoch(at: last))
        case .committed(let through): commit(through, node)
        case .becamePrimary:
            promotions += 1
            if !holds(nodes[node].log) { violations.append(.lostWrite) }
            if crashedPrimaryAt >= 0 {
                takeover = now - crashedPrimaryAt
                crashedPrimaryAt = -1
            }
        case .steppedDown, .noticed, .following, .standby: break
        }
    }

    private func holds(_ log: EpochLog) -> Bool {
        acknowledged.last <= log.last
            && log.epoch(at: acknowledged.last) == acknowledged.lastEpoch
    }

    private mutating func commit(_ through: Int64, _ node: Int) {
        var prefix = nodes[node].log
        prefix.truncate(to: through)
        guard through > acknowledged.last else {
            if acknowledged.epoch(at: through) != prefix.lastEpoch { violations.append(.forked) }
            return
        }
        if !holds(prefix) { violations.append(.forked) }
        acknowledged = prefix
    }

    private mutating func send(_ message: Message) {
        let isReplication = message.kind.isReplication
        if isCut[Int(message.from) * 3 + Int(message.to)] || (isReplication && isReplicationCut) {
            return
        }
        if lossPermille > 0, pick(1000) < lossPermille { return }
        var at = now + 50_000 + Int64(pick(100_000))
        if delayMost > 0 { at += Int64(pick(Int(delayMost))) }
        if isReplication {
            at = max(at, nodes[Int(message.to)].inOrder + 1)
            nodes[Int(message.to)].inOrder = at
        }
        queue.push(.deliver(message), at: at)
    }

    private mutating func watchPrimaries() {
        guard settings.hasWitness, nodes[0].isUp, nodes[1].isUp, !nodes[0].isPaused,
            !nodes[1].isPaused,
            nodes[0].core.serves(nodes[0].local(now)), nodes[1].core.serves(nodes[1].local(now))
        else { return }
        violations.append(.twoPrimaries)
    }

    // MARK: - Faults

    private mutating func begin(_ fault: SimulatedFault) {
        switch fault {
        case .crash(let node):
            if nodes[node].isUp { nodes[node].crashIn = pick(8) }
        case .pause(let node): nodes[node].isPaused = true
        case .cut(let from, let to): isCut[from * 3 + to] = true
        case .cutReplication: isReplicationCut = true
        case .loss(let permille): lossPermille = permille
        case .delay(let most): delayMost = most
        case .switchover:
            if let primary { drive(primary, .switchover) }
        }
    }

    private mutating func stop(_ node: Int) {
        if nodes[node].core.serves(nodes[node].local(now)) { crashedPrimaryAt = now }
        nodes[node].isUp = false
        nodes[node].crashIn = -1
        nodes[node].held = []
        nodes[node].ticket += 1
        nodes[node].tickAt = .max
    }

    private mutating func end(_ fault: SimulatedFault) {
        switch fault {
        case .crash(let node):
            nodes[node].crashIn = -1
            guard !nodes[node].isUp else { return }
            nodes[node].isUp = true
            nodes[node].core = TwinCore(
                configuration(node), record: nodes[node].record, log: nodes[node].log,
                now: nodes[node].local(now))
            arm(node)
        case .pause(let node):
            nodes[node].isPaused = false
            guard nodes[node].isUp else { return }
            // What others sent comes before the timer, as in the shell.
            let held = nodes[node].held
            nodes[node].held = []
            for message in held where nodes[node].isUp { drive(node, .message(message)) }
            if nodes[node].isUp { arm(node) }
        case .cut(let from, let to): isCut[from * 3 + to] = false
        case .cutReplication:
            isReplicationCut = false
        case .loss: lossPermille = 0
        case .delay: delayMost = 0
        case .switchover: break
        }
    }
}
