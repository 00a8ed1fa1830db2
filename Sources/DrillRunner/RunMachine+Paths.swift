internal import DrillCore
internal import DrillFaults

/// Probes of links: what is seen of an effect from before t0 to after the heal.
extension RunMachine {
    /// Of a control, and of a bare path, a second.
    private static let controlRate = 50.0
    private static let baselineRate = 100.0
    private static let aftermathRate = 200.0
    /// VRRP's group (RFC 5798, section 5.1.1.2) stands for all that is not addressed to one host.
    private static let group = "224.0.0.18"
    /// How long a link is watched after its heal.
    static let aftermath = Duration.milliseconds(400)

    /// Whether anything of the scenario is proven by probes of links.
    var needsPaths: Bool {
        !input.scenario.environment.isEmpty
            || input.scenario.timeline.contains { step in
                guard case .fault(let use) = step.action else { return false }
                return FaultCatalog.named(use.fault)?.description.target == .link
            }
    }

    // MARK: which

    /// The probes of one direction; none where a host is not on the network.
    private func paths(
        _ stem: String, _ link: LinkDirection, _ traffic: TrafficSelector,
        _ purpose: PathWatch.Purpose,
        rate: Double, demand: ProbeDemand? = nil, casts: [ProbePath.Cast]
    ) -> [PathWatch] {
        guard let source = topology.address(of: link.from, on: link.network),
            let target = topology.address(of: link.to, on: link.network)
        else { return [] }
        return casts.enumerated().map { number, cast in
            var path = ProbePath(
                id: "\(stem).\(link.from)-\(link.to).\(number)", link: link, traffic: traffic,
                cast: cast, source: source, target: target, rate: rate)
            if let demand {
                path.train = demand.train
                path.size = demand.size
                path.wait = demand.wait
            }
            return PathWatch(path: path, purpose: purpose)
        }
    }

    /// What a treatment's effect is watched with, beside the paths that it must leave alone.
    ///
    /// - Parameter environment: what is done to the links all the time: a loss beside another one takes more packets.
    func watches(
        _ stem: String, _ proof: ProofPlan, beside environment: ProofPlan = ProofPlan(),
        window: Duration
    ) -> [PathWatch] {
        var watches: [PathWatch] = []
        for (number, entry) in proof.links.enumerated() {
            let demand = EffectProof.demand(
                entry.treatment.effect,
                beside: environment.effect(on: entry.link, entry.treatment.traffic))
            let casts: [ProbePath.Cast] =
                switch entry.treatment.traffic {
                case .all: [.unicast, .multicast(group: Self.group)]
                case .vrrp: [.multicast(group: Self.group)]
                case .tcp, .udp: [.unicast]
                }
            watches += paths(
                "\(stem).e\(number)", entry.link, entry.treatment.traffic,
                .effect(entry.treatment.effect), rate: demand.rate(within: window), demand: demand,
                casts: casts)
        }
        for (number, control) in proof.controls.enumerated() {
            watches += paths(
                "\(stem).c\(number)", control.link, control.traffic, .control,
                rate: Self.controlRate,
                casts: control.traffic == .vrrp ? [.multicast(group: Self.group)] : [.unicast])
        }
        return watches
    }

    /// The links of a fault once more, after its heal.
    func aftermathWatches(_ stem: String, _ proof: ProofPlan) -> [PathWatch] {
        proof.links.enumerated().flatMap { number, entry in
            paths(
                "\(stem).h\(number)", entry.link, entry.treatment.traffic, .aftermath,
                rate: Self.aftermathRate,
                casts: entry.treatment.traffic == .vrrp
                    ? [.multicast(group: Self.group)] : [.unicast])
        }
    }

    /// Every direction of every network, before anything is done to it.
    var baselineWatches: [PathWatch] {
        topology.networks.flatMap { network in
            topology.hosts.flatMap { from in
                topology.hosts.filter { $0 != from }.flatMap { to in
                    paths(
                        "baseline.\(network)", LinkDirection(network: network, from: from, to: to),
                        .all, .baseline, rate: Self.baselineRate, casts: [.unicast])
                }
            }
        }
    }

    // MARK: on their way

    mutating func startPaths(_ watches: [PathWatch], _ out: inout [RunDirective]) {
        guard !watches.isEmpty else { return }
        let watches = Self.spread(watches)
        for watch in watches { self.watches[watch.path.id] = watch }
        send(.startPaths(watches.map(\.path)), for: .startPaths, &out)
    }

    /// One after the other over a period: what a host sends to a group comes by all of its links, and would wait behind its
    /// other trains at a rate limit.
    private static func spread(_ watches: [PathWatch]) -> [PathWatch] {
        var counts: [HostName: Int] = [:]
        for watch in watches { counts[watch.path.link.from, default: 0] += 1 }
        var seen: [HostName: Int] = [:]
        return watches.map { watch in
            var path = watch.path
            let sender = path.link.from
            path.phase = Double(seen[sender, default: 0]) / Double(counts[sender] ?? 1)
            seen[sender, default: 0] += 1
            return PathWatch(path: path, purpose: watch.purpose)
        }
    }

    mutating func received(_ bucket: ProbeBucket) {
        watches[bucket.path]?.samples += bucket.samples
    }

    /// Medians of the bare paths; what is missing has none.
    mutating func takeBaselines() {
        for (id, watch) in watches where watch.purpose == .baseline {
            watches[id] = nil
            let delays = watch.samples.compactMap(\.delay).sorted()
            if !delays.isEmpty { baselines[watch.path.link] = delays[delays.count / 2] }
        }
    }

    // MARK: what they show

    struct PathFindings {
        var isProven = true
        var sentences: [String] = []

        mutating func add(_ name: String, _ finding: EffectFinding) {
            isProven = isProven && finding.inEffect
            sentences.append("\(name): \(finding.sentence)")
        }
    }

    /// The window is [the effect's acknowledgement, the request of its heal]; what was still on its way then is left out.
    func findings(
        _ ids: [String], step: Int?, from begin: RunInstant, until end: RunInstant
    ) -> PathFindings {
        var findings = PathFindings()
        for id in ids.sorted() {
            guard let watch = watches[id] else { continue }
            guard let baseline = baselines[watch.path.link] else {
                findings.add(
                    Self.name(watch),
                    EffectFinding(
                        inEffect: false, isDecided: false,
                        sentence: "the path was not seen without the fault"))
                continue
            }
            switch watch.purpose {
            case .effect(let own):
                let samples = observed(
                    watch, step: step, isOwn: true, from: begin, until: end, own: own)
                findings.add(
                    Self.name(watch),
                    EffectProof.judge(own, samples: samples, baseline: baseline))
            case .control:
                let samples = observed(watch, step: step, isOwn: false, from: begin, until: end)
                findings.add(
                    Self.name(watch) + " (control)",
                    EffectProof.clean(samples: samples, baseline: baseline))
            case .aftermath:
                let samples = observed(
                    watch, step: nil, isOwn: false, from: end, until: .init(nanoseconds: .max))
                // A host that is gone by another fault says nothing about this one.
                if samples.isEmpty, !watch.samples.isEmpty { continue }
                findings.add(
                    Self.name(watch) + " after the heal",
                    EffectProof.clean(samples: samples, baseline: baseline))
            case .baseline: break
            }
        }
        return findings
    }

    private func observed(
        _ watch: PathWatch, step: Int?, isOwn: Bool, from begin: RunInstant,
        until end: RunInstant, own: LinkEffect? = nil
    ) -> [EffectProof.Observed] {
        let ownFlight = Self.flight(own)
        var result: [EffectProof.Observed] = []
        for sample in watch.samples where sample.sent > begin && sample.sent < end {
            guard
                let others = changes.others(
                    than: step, isOwn: isOwn, watch.path, at: sample.sent,
                    margin: .milliseconds(20))
            else { continue }
            let flight = others == nil ? ownFlight : ownFlight + Self.flight(others)
            if sample.sent + flight >= end { continue }
            result.append((sample, others))
        }
        return result
    }

    /// How long a packet may be on its way under an effect; what is on its way when the effect goes is lost with it.
    static func flight(_ effect: LinkEffect?) -> Duration {
        guard case .impair(let impairment)? = effect else { return .zero }
        return impairment.flight
    }

    private static func name(_ watch: PathWatch) -> String {
        var text = "\(watch.path.link.from) -> \(watch.path.link.to)"
        if watch.path.traffic != .all { text += " \(watch.path.traffic)" }
        if case .multicast = watch.path.cast { text += " multicast" }
        return text
    }
}
