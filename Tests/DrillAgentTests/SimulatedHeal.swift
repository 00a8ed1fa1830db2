import DrillAgent
import DrillCore

/// One drill of the real machines, agent and watchdog, on a simulated machine, with blows at random points. The same
/// seed is the same history.
///
/// The look at epoch and lease and the change after it are one step here: a stop of the microseconds between them is
/// what no user process can exclude, and what the watchdog's kill before healing is for.
struct SimulatedHeal {
    /// Planted in the driver, to see that the simulation finds them.
    enum Bug: CaseIterable {
        case none
        /// The agent takes the epoch for its own and the clock for what it was.
        case skipsLook
        case undoesBlindly
        case performsUnsynced
    }

    enum Way: String, CaseIterable {
        case leaseOver, watchdogKills, watchdogHeals, sweepHeals, sweepAgain, agentAbandons,
            agentHeals
        case reboots, superseded, restoreFails
    }

    enum Actor { case agent, watchdog, sweep }
    enum Blow: CaseIterable { case agent, watchdog, both, sweep, reboot }
    struct Death: Error {}

    let bug: Bug
    var random: SeededGenerator
    var world = SimulatedMachine()
    var agent: AgentMachine
    var watchdog: WatchdogMachine
    /// Dead ones never come back; a sweep is started anew.
    var alive: Set<Actor> = [.agent, .watchdog]
    var stopped: Set<Actor> = []
    var lock: Actor? = .agent
    var undoing: Set<Actor> = []
    var isUsurped = false
    var pipe: [WatchdogMessage] = []
    var violations: [String] = []
    /// What the run came by, to see that the simulation gets everywhere.
    var ways: Set<Way> = []

    var queue: [AgentMachine.Directive] = []
    var underWay: [AgentMachine.Event] = []
    var undos: [UndoRecord] = []
    var heard = BootInstant(nanoseconds: 0)
    /// Until when the controller's last renewal holds, by this driver's own account.
    var promised: BootInstant?
    var hasWoken = false
    var peerSeen = false
    var hasController = true
    var lastRequest = 0
    /// Points until the next blow; nil: none.
    var fuse: Int?
    static let lease = Duration.seconds(2)

    init(seed: UInt64, bug: Bug = .none) {
        self.bug = bug
        random = SeededGenerator(seed: seed, stream: 77)
        agent = AgentMachine(epoch: 1, bootID: world.bootID)
        watchdog = WatchdogMachine(bootID: world.bootID)
    }

    /// A drill from its begin to the last sweep; `violations` says what was found wrong.
    static func run(seed: UInt64, bug: Bug = .none) -> SimulatedHeal {
        var this = SimulatedHeal(seed: seed, bug: bug)
        this.drill()
        this.settle()
        return this
    }

    mutating func chance(_ percent: Int) -> Bool { Int(random.next() % 100) < percent }

    // MARK: the drill

    private mutating func drill() {
        promised = world.now + Self.lease
        hear(.beginLease(Self.lease))
        lightFuse()
        for step in 0..<28 {
            world.now = world.now + random.duration(upTo: .milliseconds(250))
            if hasController { order(step) }
            if chance(12) {
                world.foreignChange(SimulatedMachine.places[Int(random.next() % 4)], step)
            }
            if chance(4) { hasController = false }
            if chance(5) { stopOrWake() }
            turns()
        }
    }

    private mutating func lightFuse() { fuse = chance(85) ? 1 + Int(random.next() % 60) : nil }

    private mutating func turns() {
        if chance(50) {
            agentTurn()
            watchdogTurn()
        } else {
            watchdogTurn()
            agentTurn()
        }
    }

    private mutating func order(_ step: Int) {
        guard alive.contains(.agent), !stopped.contains(.agent) else { return }
        lastRequest += 1
        switch random.next() % 8 {
        case 0...2:
            let place = SimulatedMachine.places[Int(random.next() % 4)]
            guard let value = world.values[place], value == world.shadow[place],
                !agent.openRecords.contains(where: { SimulatedMachine.place(of: $0) == place })
            else { return }
            hear(
                .change(
                    request: lastRequest,
                    SimulatedMachine.request(place, before: value, sets: "ours \(step)")))
        case 3:
            guard let record = agent.openRecords.randomElement(using: &random) else { return }
            hear(.undo(request: lastRequest, record: record.number))
        case 4: if chance(10) { hear(.end(by: .plan, why: "the end")) }
        default:
            let isOver = agent.stopped != nil || promised.map { world.now > $0 } ?? false
            if !isOver { promised = world.now + Self.lease }
            hear(.renew(request: lastRequest))
        }
    }

    private mutating func stopOrWake() {
        let actor: Actor = chance(65) ? .agent : .watchdog
        if stopped.remove(actor) != nil {
            hasWoken = actor == .agent
        } else if alive.contains(actor) {
            stopped.insert(actor)
        }
        // Time goes on for those that sleep, sometimes past the lease.
        if chance(40) { world.now = world.now + random.duration(upTo: .seconds(4)) }
        if stopped.contains(.agent), undos.isEmpty, chance(25) { usurp() }
    }

    /// Another breaks the lock of an agent that sleeps, and heals: what the epoch is for.
    private mutating func usurp() {
        guard alive.contains(.agent), world.hasFolder else { return }
        isUsurped = true
        lock = .sweep
        world.epoch += 1
        for record in world.contents.open.reversed() {
            let verdict = world.undo(record, blindly: false)
            world.append(.closed(record.number, verdict, by: .sweep, message: nil))
        }
        world.sync()
        lock = nil
    }

    // MARK: blows

    /// A numbered place in a program at which it, or another, may be struck.
    mutating func point(_ actor: Actor) throws(Death) {
        if let left = fuse {
            fuse = left - 1
            if left <= 1 {
                lightFuse()
                strike(Blow.allCases[Int(random.next() % 5)], at: actor)
            }
        }
        if !alive.contains(actor) { throw Death() }
    }

    private mutating func strike(_ blow: Blow, at actor: Actor) {
        switch blow {
        case .agent: die(.agent)
        case .watchdog: die(.watchdog)
        case .both:
            die(.agent)
            die(.watchdog)
        case .sweep: die(.sweep)
        case .reboot:
            for actor in [Actor.agent, .watchdog, .sweep] { die(actor) }
            world.reboot(&random)
            ways.insert(.reboots)
        }
    }

    mutating func die(_ actor: Actor) {
        alive.remove(actor)
        stopped.remove(actor)
        undoing.remove(actor)
        if lock == actor { lock = nil }
        if actor == .agent {
            queue = []
            underWay = []
            undos = []
        }
    }

    // MARK: undoing, by whoever

    mutating func beginUndo(_ actor: Actor) {
        if !undoing.isSubset(of: [actor]) { violations.append("two heal at once") }
        if actor != .agent, alive.contains(.agent), !isUsurped {
            violations.append("\(actor) heals while the agent lives")
        }
        undoing.insert(actor)
        switch actor {
        case .agent: if agent.stopped != nil { ways.insert(.agentHeals) }
        case .watchdog: ways.insert(.watchdogHeals)
        case .sweep: ways.insert(.sweepHeals)
        }
    }

    /// Now and then it fails, and changes nothing.
    mutating func undo(_ record: UndoRecord) -> HealVerdict {
        if chance(3) {
            ways.insert(.restoreFails)
            return .restoreFailed
        }
        let verdict = world.undo(record, blindly: bug == .undoesBlindly)
        if verdict == .superseded { ways.insert(.superseded) }
        return verdict
    }

    // MARK: the end

    private mutating func settle() {
        hasController = false
        for round in 0..<60 where !alive.isDisjoint(with: [.agent, .watchdog]) {
            world.now = world.now + .milliseconds(200)
            // Half of those that were stopped sleep on; a sleeper alone has nobody who could end it.
            if !stopped.isEmpty, round > 30 || chance(10) {
                hasWoken = stopped.contains(.agent)
                stopped = []
            }
            if agent.leaseEnd == nil, agent.stopped == nil { hear(.end(by: .interrupt, why: "")) }
            turns()
        }
        if alive.contains(.agent) { violations.append("the agent never ended") }
        if alive.contains(.watchdog) { violations.append("the watchdog never ended") }
        for round in 0..<40 where world.hasFolder {
            if round > 20 { fuse = nil }
            if round > 0 { ways.insert(.sweepAgain) }
            do throws(Death) { try sweep() } catch { die(.sweep) }
        }
        if world.hasFolder { violations.append("the sweep never ended") }
        for place in SimulatedMachine.places where world.values[place] != world.shadow[place] {
            violations.append(
                "\(place) is \(world.values[place] ?? ""), not \(world.shadow[place] ?? "")")
        }
    }
}
