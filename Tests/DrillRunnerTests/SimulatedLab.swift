import DrillCore
import DrillRunner

/// A pair of hosts behind one address, a client, and their supervisor, on a synchronous event queue.
///
/// The survivor takes the address over 400 ms after the holder fell silent. The same input gives the same run.
struct SimulatedLab {
    struct Host {
        var alive = true
        var silent = false
        var frozen = false
        var boots = 1
        var stopped: Set<ServiceName> = []
        var answers: Bool { alive && !silent && !frozen }
    }

    /// The load process: what it was told, and what it has counted.
    private struct Load {
        let name: String
        let streams: Int
        let stable: Duration
        var decided = 0
        var good = 0
        var lastBad: RunInstant
    }

    private enum Due {
        case event(RunEvent)
        /// The load says how it goes; the role is asked for; the lease is over.
        case pulse, ask, lease
    }

    private(set) var now = RunInstant(nanoseconds: 1_000_000_000)
    /// What happens next is the last one; of what is due at one instant, what was put in first.
    private var queue: [(at: RunInstant, due: Due)] = []
    private(set) var hosts: [HostName: Host] = [:]
    private(set) var holder: HostName?
    private var takeOverAt: RunInstant?
    private var load: Load?
    private(set) var loads = 0
    /// Every plan of a load.
    private(set) var plans: [LoadPlan] = []
    /// Every plan that was to be read back, and when.
    private(set) var readings: [(at: RunInstant, host: HostName, plan: VerifyPlan)] = []
    private var watch: (name: String, plan: WatchPlan)?
    private(set) var watches = 0
    private(set) var supervisors = 0
    private(set) var isUp = false
    private(set) var cuts: Set<LinkDirection> = []
    private var links = SimulatedLinks()
    private var inEffect: Set<FaultOperation> = []
    /// Changes that were made and not taken back, in order.
    private var open: [FaultOperation] = []
    /// What was in effect when the lab was torn down.
    private(set) var leftAtTeardown: [String] = []
    let trouble: Trouble
    /// How often the load says how it goes.
    let pulseInterval: Duration

    var requests: [LabCommand] = []
    var recorded: [(trial: TrialName, event: HistoryEvent)] = []
    var closed: [TrialName] = []
    var notes: [String] = []
    var outcome: RunOutcome?
    private var isOver = false
    /// The room that the directives before took.
    private var spare: [RunDirective] = []
    private var openTrial: TrialName?
    private(set) var openTwice = false
    var verdicts: [Verdict]

    init(
        trouble: Trouble = Trouble(), verdicts: [Verdict] = [],
        pulseInterval: Duration = .milliseconds(50)
    ) {
        self.trouble = trouble
        self.pulseInterval = pulseInterval
        self.verdicts = verdicts
        links.isIdle = trouble.hasIdleLinks
    }

    /// Runs the machine to its end; nil where it did not end within ten simulated minutes.
    mutating func run(_ input: RunInput) -> RunOutcome? {
        var machine = RunMachine(input)
        let limit = now + .seconds(600)
        deliver(.begin, &machine)
        while !isOver, now < limit {
            let deadline = machine.nextDeadline
            if let at = queue.last?.at, deadline.map({ at <= $0 }) ?? true {
                let due = queue.removeLast().due
                now = max(now, at)
                switch due {
                case .event(let event): deliver(event, &machine)
                case .pulse: pulse()
                case .ask: ask()
                case .lease: healEverything(by: .lease, "the lease was over")
                }
            } else if let deadline {
                now = max(now + .microseconds(1), deadline)
                deliver(.tick, &machine)
            } else {
                break
            }
        }
        return outcome
    }

    private mutating func deliver(_ event: RunEvent, _ machine: inout RunMachine) {
        var directives = spare
        spare = []
        directives.removeAll(keepingCapacity: true)
        machine.handle(event, now: now, into: &directives)
        for directive in directives {
            switch directive {
            case .openLab:
                supervisors += 1
                isUp = true
            case .send(let request): receive(request)
            case .openTrial(let trial):
                if openTrial != nil { openTwice = true }
                openTrial = trial
            case .record(let event): if let openTrial { recorded.append((openTrial, event)) }
            case .closeTrial(let trial):
                closed.append(trial)
                openTrial = nil
                let verdict = verdicts.isEmpty ? Verdict.pass : verdicts.removeFirst()
                deliver(.judged(verdict), &machine)
            case .status: break
            case .note(let text): notes.append(text)
            case .finish(let outcome):
                self.outcome = outcome
                isOver = true
            }
        }
        spare = directives
    }

    private mutating func later(_ delay: Duration, _ event: consuming RunEvent) {
        later(delay, .event(event))
    }

    private mutating func later(_ delay: Duration, _ due: consuming Due) {
        let at = now + delay
        queue.append((at, due))
        var place = queue.count - 1
        while place > 0, queue[place - 1].at <= at {
            queue.swapAt(place - 1, place)
            place -= 1
        }
    }

    private mutating func reply(
        _ id: Int, after delay: Duration = .milliseconds(1), failure: LabFailure? = nil,
        detail: [String: String] = [:]
    ) {
        let interval = InstantInterval(
            low: now + .microseconds(100), high: now + .microseconds(400))
        later(
            delay,
            .message(
                .reply(LabReply(id: id, failure: failure, interval: interval, detail: detail))))
    }

    private mutating func receive(_ request: LabRequest) {
        requests.append(request.command)
        if trouble.interruptAtRequest == requests.count { later(.zero, .interrupt(2)) }
        if trouble.hostEndsAtRequest == requests.count {
            later(.zero, .message(.event(.hostEnded("b", now))))
        }
        if trouble.goneAtRequest == requests.count {
            isUp = false
            load = nil
            queue = []
            later(.zero, .labGone("killed", left: nil))
            return
        }
        guard isUp else { return }
        if let mute = trouble.muteFromRequest, requests.count >= mute { return }
        if trouble.failing(request.command) {
            reply(request.id, failure: LabFailure(kind: .failed, message: "made to fail"))
            return
        }
        switch request.command {
        case .hello: reply(request.id, detail: trouble.lacking.detail)
        case .awaitReady, .execute, .poll, .unpoll, .notice, .keep, .renew:
            reply(request.id)
        case .inspect(let operation):
            reply(
                request.id,
                detail: [
                    "proven": trouble.leaks || !inEffect.contains(operation) ? "false" : "true"
                ])
        case .startPaths(let paths):
            links.start(paths, now)
            reply(request.id)
        case .stopPaths(let ids):
            for bucket in links.stop(ids, now) {
                later(.zero, .message(.event(.path(bucket))))
            }
            reply(request.id)
        case .build where trouble.failsToRebuild && supervisors > 1:
            reply(request.id, failure: LabFailure(kind: .failed, message: "made to fail"))
        case .build(let spec):
            for host in spec.hosts {
                hosts[host.name] = Host()
                booted(host.name)
            }
            holder = nil
            reply(request.id)
            if let after = trouble.healsAt, supervisors == 1 {
                later(after, .lease)
            }
        case .start(let host, _, _):
            if host == "a" { address(to: "a", after: .milliseconds(50)) }
            reply(request.id)
        case .perform(let operation):
            let isHealed = trouble.healsBeforeRequest == requests.count
            if isHealed { healEverything(by: .watchdog, "the emulator ended") }
            if isHealed, trouble.refusesHealed {
                let why = LabFailure(kind: .failed, message: "the watchdog has ended")
                reply(request.id, failure: why)
            } else {
                perform(operation)
                reply(request.id)
            }
        case .reach(let from, let address, let duration):
            let target =
                address.hasSuffix(".11") ? HostName("a") : address.hasSuffix(".12") ? "b" : "client"
            let cut = cuts.contains {
                ($0.from == from && $0.to == target) || ($0.from == target && $0.to == from)
            }
            let answers =
                trouble.leaks
                || (hosts[target]?.answers == true && hosts[from]?.answers == true && !cut)
            reply(
                request.id, after: duration,
                detail: ["asked": "10", "answered": answers ? "10" : "0"])
        case .startLoad(let name, _, .run(let plan)):
            loads += 1
            plans.append(plan)
            load = Load(
                name: name, streams: plan.streams.count,
                stable: plan.streams.first?.stable ?? .seconds(1), lastBad: now)
            reply(request.id)
            later(.milliseconds(5), .message(.event(.load(name, .started(at: now)))))
            later(pulseInterval, .pulse)
        case .startLoad(let name, let host, .verify(let plan)):
            reply(request.id)
            read(name, host, plan)
        case .startLoad(let name, _, .watch(let plan)):
            reply(request.id)
            watches += 1
            watch = (name, plan)
            later(.milliseconds(10), .ask)
            if let after = trouble.watchEndsAfter {
                later(after, .message(.event(.load(name, .failed("made to end")))))
            }
        case .startLoad(_, _, .stop):
            reply(request.id, failure: LabFailure(kind: .failed, message: "nothing to stop"))
        case .load(let name, _):
            reply(request.id)
            guard name == load?.name else { return }
            load = nil
            later(
                .milliseconds(5), .message(.event(.load(name, .finished(longestPoolWait: .zero)))))
        case .teardown:
            leftAtTeardown += leftovers
            isUp = false
            open = []
            load = nil
            hosts = [:]
            cuts = []
            reply(request.id)
        }
    }

    /// Everything that was acknowledged is there, on every host that can be asked.
    private mutating func read(_ name: String, _ host: HostName, _ plan: VerifyPlan) {
        readings.append((now, host, plan))
        if trouble.goneAtSweep == plan.sweep {
            isUp = false
            load = nil
            queue = []
            later(.zero, .labGone("killed", left: nil))
            return
        }
        if trouble.interruptAtSweep == plan.sweep { later(.milliseconds(1), .interrupt(2)) }
        if let why = trouble.readingFails {
            later(.milliseconds(5), .message(.event(.load(name, .failed(why)))))
            return
        }
        guard let takes = trouble.readingTakes else { return }
        let interval = InstantInterval(low: now, high: now + takes)
        let asked = [plan.endpoint].compactMap { $0 } + plan.servers.map(\.host)
        for host in asked where hosts[host]?.answers == true {
            let batches = plan.ledgers.enumerated().map { index, ledger in
                VerifyBatch(
                    sweep: plan.sweep, host: host, ledger: index, first: 0,
                    present: Array(repeating: true, count: ledger.count), interval: interval)
            }
            let facts = VerifyFacts(
                sweep: plan.sweep, host: host, readLevel: "simulated", sweeps: 1)
            later(takes, .message(.event(.load(name, .verified(batches, nil)))))
            later(takes, .message(.event(.load(name, .verified([], facts)))))
        }
        later(takes, .message(.event(.load(name, .finished(longestPoolWait: .zero)))))
    }

    /// 50 ms of asking who is primary.
    private mutating func ask() {
        guard isUp, let watch else { return }
        for server in watch.plan.servers where hosts[server.host]?.answers == true {
            let answer = WatchAnswer(
                id: watch.plan.id, host: server.host, value: holder == server.host, asked: now,
                answered: now + .microseconds(300), identity: "\(server.host)/1")
            later(.microseconds(300), .message(.event(.load(watch.name, .answered(answer)))))
        }
        later(watch.plan.every, .ask)
    }

    private mutating func healEverything(by: HealedBy, _ why: String) {
        var outcomes: [HealOutcome] = []
        for operation in open.reversed() {
            guard let inverse = operation.inverse else { continue }
            perform(inverse)
            outcomes.append(HealOutcome(operation: operation, verdict: .restored))
        }
        later(
            .zero,
            .message(
                .event(
                    .healed(by: by, why: why, outcomes, InstantInterval(now)))))
    }

    private mutating func address(to host: HostName, after delay: Duration) {
        let old = holder
        holder = host
        let at = now + delay
        if let old, old != host, hosts[old]?.answers == true {
            later(delay, addressEvent(old, false, at))
        }
        later(delay, addressEvent(host, true, at))
    }

    private mutating func booted(_ host: HostName) {
        let bootID = "\(host)#\(hosts[host]?.boots ?? 0)"
        later(.zero, .message(.event(.booted(host, bootID: bootID, now))))
    }

    private func addressEvent(_ host: HostName, _ present: Bool, _ at: RunInstant) -> RunEvent {
        .message(
            .event(.address(host, address: "10.77.0.10", present: present, InstantInterval(at))))
    }

    private mutating func perform(_ operation: FaultOperation) {
        links.note(operation, now)
        inEffect.insert(operation)
        open.removeAll { $0.inverse == operation }
        if operation.inverse != nil { open.append(operation) }
        switch operation {
        case .lab(.silence(let host)): hosts[host]?.silent = true
        case .lab(.unsilence(let host)): hosts[host]?.silent = false
        case .lab(.kill(let host)): hosts[host]?.alive = false
        case .lab(.freeze(let host)): hosts[host]?.frozen = true
        case .lab(.thaw(let host)): hosts[host]?.frozen = false
        // One that lives is not booted again, and stays silent.
        case .lab(.boot(let host)) where hosts[host]?.alive == true: break
        case .lab(.boot(let host)):
            hosts[host]?.boots += 1
            booted(host)
            hosts[host]?.alive = true
            hosts[host]?.silent = false
            if holder == host { address(to: host, after: .milliseconds(50)) }
        case .lab(.carrier(let host, _, let up)): hosts[host]?.silent = !up
        case .lab(.flap(let host, _, _, _)): hosts[host]?.silent = true
        case .lab(.unflap(let host, _)): hosts[host]?.silent = false
        case .lab(.attach(let direction, _)): cuts.insert(direction)
        case .lab(.detach(let direction, _)): cuts.remove(direction)
        case .host(let host, .killService(let service)), .host(let host, .stopService(let service)):
            hosts[host]?.stopped.insert(service)
        case .host(let host, .startService(let service)): hosts[host]?.stopped.remove(service)
        case .host(let host, .signalService(let service, _)):
            hosts[host]?.stopped.insert(service)
            later(
                .milliseconds(2),
                .message(.event(.serviceExited(host, service, status: 15, now))))
            if holder == host { address(to: host == "a" ? "b" : "a", after: .milliseconds(100)) }
        case .host: break
        }
        if let holder, hosts[holder]?.answers == false {
            takeOverAt = takeOverAt ?? now + .milliseconds(400)
        } else {
            takeOverAt = nil
        }
    }

    /// The load of one interval.
    private mutating func pulse() {
        guard isUp, var current = load else { return }
        if let at = takeOverAt, now >= at, !trouble.neverTakesOver, let dead = holder {
            takeOverAt = nil
            address(to: dead == "a" ? "b" : "a", after: .zero)
        }
        if trouble.alwaysRedundant {
            later(
                .zero,
                .message(
                    .event(
                        .poll(
                            "redundancy", "b", value: true, asked: now, answered: now,
                            bootID: "b#1"))))
        }
        let served = if let holder { hosts[holder]?.answers == true } else { false }
        // 500 a second.
        let count = Int(pulseInterval.nanoseconds / 2_000_000)
        current.decided += count
        if served && !trouble.neverSteady { current.good += count } else { current.lastBad = now }
        let clean = now - current.stable
        let stream = StreamProgress(
            intended: current.decided, decidedBefore: now, decided: current.decided,
            sent: current.decided, good: current.good, unsentGenerator: 0,
            stableFrom: clean > current.lastBad ? clean : nil)
        load = current
        var streams = [stream]
        while streams.count < current.streams { streams.append(stream) }
        later(.zero, .message(.event(.load(current.name, .progress(streams, at: now)))))
        later(pulseInterval, .pulse)
    }
}
