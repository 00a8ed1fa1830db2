import CLinux
import DrillCore
import Glibc

/// `prove-links`: every fault of a link on a scratch lab, proven by packets of our own, and its end proven as well.
@LabActor
final class ProveLinks {
    private let supervisor: LabSupervisor
    private let backend: LinkBackend?
    private let isJSON: Bool
    private var buckets: [String: [ProbeSample]] = [:]
    private var lines: [ProvenLink] = []
    private var caseCount = 0

    private static let link = LinkDirection(network: "main", from: "a", to: "b")
    private static let addresses: [HostName: String] = [
        "a": "10.77.0.11", "b": "10.77.0.12", "client": "10.77.0.100",
    ]

    nonisolated static func main(_ arguments: [String]) -> Int32 {
        var backend: LinkBackend?
        var isJSON = false
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--json": isJSON = true
            case "--backend":
                guard let name = rest.popFirst(), let wanted = LinkBackend(rawValue: name) else {
                    AgentMain.complain("--backend takes netem or emulator")
                    return 64
                }
                backend = wanted
            default:
                AgentMain.complain(
                    "usage: firedrill-agent prove-links [--backend netem|emulator] [--json]")
                return 64
            }
        }
        for ignored in [SIGHUP, SIGPIPE] { Glibc.signal(ignored, SIG_IGN) }
        _ = clinux_realtime(4)
        let network = clinux_unshare_network()
        if network < 0 {
            let failure = systemFailure("make a network namespace", -network)
            AgentMain.complain("\(failure.message) (namespaces need root)")
            return 4
        }
        let (chosen, json) = (backend, isJSON)
        spawn {
            let proof = ProveLinks(chosen, isJSON: json)
            spawn { await proof.awaitSignal() }
            await proof.run()
        }
        return Reactor.shared.run()
    }

    private init(_ backend: LinkBackend?, isJSON: Bool) {
        supervisor = LabSupervisor()
        self.backend = backend
        self.isJSON = isJSON
        supervisor.heard = { [weak self] event in
            switch event {
            case .path(let bucket): self?.buckets[bucket.path, default: []] += bucket.samples
            case .log(let text): AgentMain.complain(text)
            case .address, .observing, .poll, .booted, .hostEnded, .serviceExited, .noticed, .load,
                .healed:
                break
            }
        }
    }

    private func awaitSignal() async {
        guard
            let signals = try? Descriptor(
                result: [SIGINT, SIGTERM].withUnsafeBufferPointer {
                    clinux_signal_descriptor($0.baseAddress, $0.count)
                }, "make a signal descriptor")
        else { return }
        guard case .ready = await Reactor.shared.readable(signals.number) else { return }
        let signal = clinux_next_signal(signals.number)
        for thing in await supervisor.tearDown() { AgentMain.complain("left behind: \(thing)") }
        Reactor.shared.stop(status: 128 + signal)
    }

    private func run() async {
        var status: Int32 = 0
        do throws(LabFailure) {
            let used = try LinkBackends.choose(backend)
            if !isJSON { print("backend: \(used.rawValue)") }
            try await build()
            let baseline = try await measureBaseline()
            for request in LinkCase.all { try await prove(request, baseline) }
            try await proveOverlap(baseline)
            try await proveDraining(baseline)
        } catch {
            AgentMain.complain(error.message)
            status = error.kind == .capability ? 4 : 1
        }
        let left = await supervisor.tearDown()
        for thing in left { AgentMain.complain("left behind: \(thing)") }
        if isJSON { print((try? JSONLine.encode(lines)) ?? "[]") }
        if status == 0, !left.isEmpty || !lines.allSatisfy(\.isProven) { status = 1 }
        Reactor.shared.stop(status: status)
    }

    private func build() async throws(LabFailure) {
        let hosts = Self.addresses.sorted { $0.key < $1.key }.map { name, address in
            LabHost(
                name: name,
                ports: [LabPort(network: "main", address: address, prefixLength: 24)],
                isClient: name == "client")
        }
        try await supervisor.build(
            LabSpec(
                run: RunID("prove-\(getpid())"), logs: "/tmp",
                networks: [Network(name: "main", subnet: "10.77.0.0/24")], hosts: hosts,
                lease: .seconds(600), backend: backend))
    }

    // MARK: paths

    private func path(
        _ id: String, _ from: HostName, _ to: HostName, _ traffic: TrafficSelector,
        _ demand: ProbeDemand, rate: Double
    ) -> ProbePath {
        ProbePath(
            id: id, link: LinkDirection(network: "main", from: from, to: to), traffic: traffic,
            source: Self.addresses[from] ?? "", target: Self.addresses[to] ?? "", rate: rate,
            train: demand.train, size: demand.size, wait: demand.wait)
    }

    /// The median one-way delay of the bare link.
    private func measureBaseline() async throws(LabFailure) -> Duration {
        let demand = EffectProof.demand(.sink)
        try await supervisor.startPaths([path("bare", "a", "b", .all, demand, rate: 250)])
        await Reactor.shared.sleep(.milliseconds(500))
        try await supervisor.stopPaths(["bare"])
        let delays = (buckets["bare"] ?? []).compactMap(\.delay).sorted()
        guard delays.count >= 50 else {
            throw LabFailure(kind: .failed, message: "the bare link passes no packets")
        }
        return delays[delays.count / 2]
    }

    /// What was sent wholly after one change and before the next.
    private func samples(
        _ id: String, after: InstantInterval? = nil, before: InstantInterval? = nil
    ) -> [ProbeSample] {
        (buckets[id] ?? []).filter { sample in
            sample.sent > after?.high ?? sample.sent - .seconds(1)
                && sample.sent < before?.low ?? sample.sent + .seconds(1)
        }
    }

    private func attach(
        _ effect: LinkEffect, _ traffic: TrafficSelector
    ) async throws(LabFailure) -> InstantInterval {
        try await order(.attach(Self.link, LinkTreatment(effect, traffic: traffic)))
    }

    private func detach(
        _ effect: LinkEffect, _ traffic: TrafficSelector
    ) async throws(LabFailure) -> InstantInterval {
        try await order(.detach(Self.link, LinkTreatment(effect, traffic: traffic)))
    }

    /// As a controller's order, through the journal.
    private func order(_ operation: LabOperation) async throws(LabFailure) -> InstantInterval {
        let reply = try await supervisor.order(.lab(operation), id: 0)
        if let failure = reply.failure { throw failure }
        return reply.interval
    }

    // MARK: proofs

    private func prove(_ request: LinkCase, _ baseline: Duration) async throws(LabFailure) {
        caseCount += 1
        let demand = EffectProof.demand(request.effect)
        let rate = min(demand.mostRate, max(demand.leastRate, 500 / Double(demand.train)))
        let needed = 1.5 * Double(demand.count) / Double(demand.train) / rate
        let window = max(Duration.milliseconds(900), .nanoseconds(Int64(needed * 1e9)))
        let plain = EffectProof.demand(.sink)
        let own = "own-\(caseCount)"
        let back = "back-\(caseCount)"
        let beside = "beside-\(caseCount)"
        var paths = [
            path(own, "a", "b", request.traffic, demand, rate: rate),
            path(back, "b", "a", request.traffic, plain, rate: 100),
        ]
        if request.traffic == .all {
            paths.append(path(beside, "client", "b", .all, plain, rate: 100))
        } else {
            paths.append(path(beside, "a", "b", .vrrp, plain, rate: 100))
        }
        try await supervisor.startPaths(paths)
        await Reactor.shared.sleep(.milliseconds(50))
        let begun = try await attach(request.effect, request.traffic)
        await Reactor.shared.sleep(window)
        let ended = try await detach(request.effect, request.traffic)
        await Reactor.shared.sleep(.milliseconds(300))
        try await supervisor.stopPaths(paths.map(\.id))
        let finding = EffectProof.judge(
            request.effect,
            samples: samples(own, after: begun, before: ended).map { ($0, nil) },
            baseline: baseline)
        let clean = [
            ("after", samples(own, after: ended)), ("b->a", samples(back)),
            (request.traffic == .all ? "client->b" : "vrrp", samples(beside)),
        ].map { name, samples in
            (name, EffectProof.clean(samples: samples.map { ($0, nil) }, baseline: baseline))
        }
        report(request.name, finding, clean)
    }

    /// Two delays whose windows overlap: each is judged over its own, with what the other did at that instant.
    private func proveOverlap(_ baseline: Duration) async throws(LabFailure) {
        let first = LinkEffect.impair(Impairment(delay: .milliseconds(30)))
        let second = LinkEffect.impair(Impairment(delay: .milliseconds(20)))
        let demand = EffectProof.demand(first)
        let pause = Duration.milliseconds(600)
        try await supervisor.startPaths([path("both", "a", "b", .all, demand, rate: 250)])
        await Reactor.shared.sleep(.milliseconds(50))
        let firstBegun = try await attach(first, .all)
        await Reactor.shared.sleep(pause)
        let secondBegun = try await attach(second, .all)
        await Reactor.shared.sleep(pause)
        let firstEnded = try await detach(first, .all)
        await Reactor.shared.sleep(pause)
        let secondEnded = try await detach(second, .all)
        await Reactor.shared.sleep(.milliseconds(300))
        try await supervisor.stopPaths(["both"])
        let alone = samples("both", after: firstBegun, before: secondBegun)
        let together = samples("both", after: secondBegun, before: firstEnded)
        let last = samples("both", after: firstEnded, before: secondEnded)
        let clean = EffectProof.clean(
            samples: samples("both", after: secondEnded).map { ($0, nil) }, baseline: baseline)
        report(
            "delay 30 ms, overlapped",
            EffectProof.judge(
                first, samples: alone.map { ($0, nil) } + together.map { ($0, second) },
                baseline: baseline), [("after", clean)])
        report(
            "delay 20 ms, overlapping",
            EffectProof.judge(
                second, samples: together.map { ($0, first) } + last.map { ($0, nil) },
                baseline: baseline), [("after", clean)])
    }

    /// What is on its way when a delay is healed arrives.
    private func proveDraining(_ baseline: Duration) async throws(LabFailure) {
        let delay = Duration.milliseconds(100)
        let effect = LinkEffect.impair(Impairment(delay: delay))
        let demand = EffectProof.demand(effect)
        try await supervisor.startPaths([path("drained", "a", "b", .all, demand, rate: 500)])
        await Reactor.shared.sleep(.milliseconds(50))
        _ = try await attach(effect, .all)
        await Reactor.shared.sleep(.milliseconds(500))
        let ended = try await detach(effect, .all)
        await Reactor.shared.sleep(.milliseconds(300))
        try await supervisor.stopPaths(["drained"])
        let all = samples("drained")
        let held = all.filter { $0.sent > ended.low - delay && $0.sent < ended.low }.count
        let lost = all.filter { $0.delay == nil }.count
        report(
            "delay 100 ms, healed",
            EffectFinding(
                inEffect: held > 0 && lost == 0,
                sentence: "\(held) packets were on their way then, \(lost) of \(all.count) lost"),
            [
                (
                    "after",
                    EffectProof.clean(
                        samples: samples("drained", after: ended).map { ($0, nil) },
                        baseline: baseline)
                )
            ])
    }

    private func report(
        _ name: String, _ finding: EffectFinding, _ clean: [(String, EffectFinding)]
    ) {
        let line = ProvenLink(
            fault: name, inEffect: finding.inEffect, isDecided: finding.isDecided,
            measured: finding.sentence,
            unclean: clean.filter { !$0.1.inEffect }.map { "\($0.0): \($0.1.sentence)" })
        lines.append(line)
        guard !isJSON else { return }
        let verdict = finding.inEffect ? "in effect" : finding.isDecided ? "NOT" : "UNPROVEN"
        print(
            "\(verdict.padded(10))  \(name.padded(28))  \(finding.sentence)"
                + (line.unclean.isEmpty
                    ? "; controls flow, clean after"
                    : "; NOT CLEAN \(line.unclean.joined(separator: "; "))"))
        fflush(nil)
    }
}

/// One line of the proof.
private struct ProvenLink: Codable {
    var fault: String
    var inEffect: Bool
    var isDecided: Bool
    var measured: String
    /// Controls that the fault disturbed, and what was left of it after its end.
    var unclean: [String]

    var isProven: Bool { inEffect && unclean.isEmpty }
}

private struct LinkCase {
    var name: String
    var effect: LinkEffect
    var traffic = TrafficSelector.all

    static let all = [
        LinkCase("delay 50 ms", Impairment(delay: .milliseconds(50))),
        LinkCase(
            "delay 50 ms, jitter 5 normal",
            Impairment(delay: .milliseconds(50), jitter: .milliseconds(5), distribution: .normal)),
        LinkCase("loss 10 %", Impairment(loss: .random(.init(0.1)))),
        LinkCase(
            "loss in bursts", Impairment(loss: .gilbertElliott(p: 0.05, r: 0.3, h: 0, k: 1))),
        LinkCase("duplicate 5 %", Impairment(duplicate: .init(0.05))),
        LinkCase("corrupt 5 %", Impairment(corrupt: .init(0.05))),
        LinkCase(
            "reorder 25 %, gap 3",
            Impairment(delay: .milliseconds(20), reorder: Reordering(.init(0.25), gap: 3))),
        LinkCase("rate 8 Mbit/s", Impairment(rate: RateLimit(bitsPerSecond: 8_000_000))),
        LinkCase(name: "partition one way", effect: .sink),
        LinkCase(name: "partition tcp/5432", effect: .sink, traffic: .tcp(5432)),
    ]

    init(_ name: String, _ impairment: Impairment) {
        self.init(name: name, effect: .impair(impairment))
    }

    init(name: String, effect: LinkEffect, traffic: TrafficSelector = .all) {
        self.name = name
        self.effect = effect
        self.traffic = traffic
    }
}

extension String {
    fileprivate func padded(_ width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
