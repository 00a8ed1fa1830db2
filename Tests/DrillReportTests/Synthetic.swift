import DrillCore
import DrillReport

/// A drill as it could have been: 500 reads a second for 15 s, host a killed at 3 s, no answer from 3.1 s to 6.3 s,
/// then b has the address; a is started again at 12.3 s.
struct Synthetic {
    var index = 1
    var verdict = Verdict.pass
    /// Seconds after the first intended operation.
    var killed = 3.0
    var outage = 3.1..<6.3
    var healed: Double? = 12.3
    var end = 15.0
    var lanes: [Lane] = [.fresh]
    var step = "kill"
    var hosts = ["a", "b"]
    var splitBrain = false

    /// Streams do not begin at zero: a report counts from the first intended operation.
    static let origin: Int64 = 3_600_000_000_000

    func at(_ seconds: Double) -> RunInstant {
        RunInstant(nanoseconds: Self.origin + Int64((seconds * 1e9).rounded()))
    }

    func interval(_ low: Double, _ high: Double) -> InstantInterval {
        InstantInterval(low: at(low), high: at(high))
    }

    /// The same small numbers on every machine.
    private func noise(_ number: Int) -> Double {
        var x =
            UInt64(bitPattern: Int64(number &* 7919 &+ index &* 104_729)) &+ 0x9E37_79B9_7F4A_7C15
        x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
        x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((x ^ (x >> 31)) >> 11) / 9_007_199_254_740_992
    }

    private func operation(_ number: Int, lane: Int) -> ClientOperation {
        let intended = Double(number) / 500
        let draw = noise(number * 2 + lane)
        var latency = 0.0006 + 0.0008 * draw
        if draw > 0.985 { latency += 0.006 * noise(number + 77) }
        let start = at(intended)
        let dispatched = start + .microseconds(20)
        if outage.contains(intended) {
            if intended > outage.lowerBound + 1, number % 9 == 0 {
                return ClientOperation(
                    intended: start, dispatched: dispatched, sent: nil, completed: nil,
                    outcome: .unsentConnection)
            }
            return ClientOperation(
                intended: start, dispatched: dispatched, sent: dispatched,
                completed: start + .milliseconds(250), outcome: .failed)
        }
        if intended >= outage.upperBound, intended < outage.upperBound + 0.4 {
            latency += 0.012 * (outage.upperBound + 0.4 - intended)
        }
        let host = intended < outage.lowerBound ? hosts[0] : hosts[1]
        return ClientOperation(
            intended: start, dispatched: dispatched, sent: dispatched,
            completed: start + .nanoseconds(Int64(latency * 1e9)), outcome: .ok,
            host: HostName(host))
    }

    var history: History {
        let streams = lanes.enumerated().map { index, lane in
            OperationStream(
                name: StreamName(workload: "web", lane: lane, kind: .read),
                operations: (0..<Int(end * 500)).map { operation($0, lane: index) })
        }
        let a = HostName(hosts[0])
        let b = HostName(hosts[1])
        let id = StepID(step)
        var events = [
            HistoryEvent(
                interval(0, 0), .role(.init(host: a, primary: true, source: .address))),
            HistoryEvent(interval(2, 2), .steady(phase: .before)),
            HistoryEvent(
                interval(killed, killed + 0.004),
                .injected(step: id, fault: "node.kill", host: a, role: .primary)),
            HistoryEvent(
                interval(killed + 0.004, killed + 0.6),
                .proven(host: a, step: id, state: .dead, effect: "12 ARP requests unanswered")),
            HistoryEvent(
                interval(outage.upperBound - 0.012, outage.upperBound - 0.01),
                .role(.init(host: b, primary: true, source: .address))),
            HistoryEvent(
                interval(outage.upperBound - 0.01, outage.upperBound - 0.009), .noticed(host: b)),
        ]
        if let healed {
            events.append(HistoryEvent(interval(healed, healed), .healBegun(step: id)))
            events.append(
                HistoryEvent(
                    interval(healed + 0.5, healed + 0.6),
                    .healed(step: id, by: .plan, verdict: .restored)))
            if splitBrain {
                events.append(
                    HistoryEvent(
                        interval(healed + 0.7, healed + 0.701),
                        .role(.init(host: a, primary: true, source: .address))))
                events.append(
                    HistoryEvent(
                        interval(healed + 1.9, healed + 1.901),
                        .role(.init(host: b, primary: false, source: .address))))
            }
        }
        events.append(HistoryEvent(interval(end, end), .end(reason: "observed")))
        return History(streams: streams, events: events)
    }

    var rto: Measure {
        let high = (outage.upperBound + 0.0016 - killed) * 1000
        let low = (outage.upperBound - 0.002 - killed - 0.004) * 1000
        return .measured(high, low: low, high: high)
    }

    var trial: TrialReport {
        let counts = history.streams.map { stream in
            StreamReport.Counts(
                intended: stream.operations.count,
                ok: stream.operations.count { $0.outcome == .ok },
                failed: stream.operations.count { $0.outcome == .failed }, indeterminate: 0,
                unsent: stream.operations.count { $0.outcome.isUnsent },
                bad: stream.operations.count { $0.outcome == .failed })
        }
        let rate = SuccessRate(duringFault: 0.655914, after: 1, overall: 0.753846)
        let streams = zip(history.streams, counts).map { stream, counts in
            StreamReport(
                stream: stream.name.rawValue, noiseK: 1, slow: 250, operations: counts,
                successRate: rate,
                latency: .init(
                    count: counts.ok, min: 0.612, p50: 1.002, p90: 1.337, p99: 6.106, p999: 7.1,
                    max: 7.386, mean: 1.0701),
                naiveLatency: .init(
                    count: counts.ok, min: 0.592, p50: 0.982, p90: 1.317, p99: 6.086, p999: 7.08,
                    max: 7.366, mean: 1.0501),
                sendLag: .init(
                    count: counts.intended, min: 0.02, p50: 0.02, p90: 0.02, p99: 0.02, p999: 0.02,
                    max: 0.02, mean: 0.02),
                outages: [
                    OutageReport(
                        t1: outage.lowerBound * 1000, t5: outage.upperBound * 1000 + 1.6,
                        low: (outage.upperBound - outage.lowerBound) * 1000 - 2,
                        high: (outage.upperBound - outage.lowerBound) * 1000 + 3.6,
                        bad: counts.failed, sent: counts.failed, kind: "total", chargedTo: [step])
                ], blips: 0,
                steps: [
                    StreamStepReport(
                        step: step, rto: rto, recoveredBy: "system",
                        outage: .measured(
                            (outage.upperBound - outage.lowerBound) * 1000 + 3.6,
                            low: (outage.upperBound - outage.lowerBound) * 1000 - 2,
                            high: (outage.upperBound - outage.lowerBound) * 1000 + 3.6),
                        brownout: .measured(0, low: 0, high: 100),
                        failbackOutage: .measured(0, low: 0, high: 252),
                        downtimeEquivalent: .measured(3200, low: 3200, high: 3200),
                        recoveryAfterHeal: .notApplicable("the system recovered by itself"),
                        successRate: 0.655914)
                ])
        }
        let outageLength = (outage.upperBound - outage.lowerBound) * 1000
        let report = StepReport(
            step: step, fault: "node.kill", action: nil, measured: true, role: "primary",
            host: hosts[0], backend: nil, keeper: "lab", jitter: 412.25,
            proof: StepProof(
                proven: true,
                witnesses: [
                    "b: 12 ARP requests unanswered in 600 ms",
                    "client: 6 TCP connects without an answer, no RST",
                ]),
            healedBy: healed == nil ? nil : .plan, heal: healed == nil ? nil : .restored,
            instants: .init(
                t0Low: killed * 1000, t0High: killed * 1000 + 4, t1: outage.lowerBound * 1000,
                t2: outage.upperBound * 1000 - 9, t3: outage.upperBound * 1000 - 10,
                t4: outage.upperBound * 1000 + 1.6, t5: outage.upperBound * 1000 + 1.6,
                t6: nil, t7: healed.map { $0 * 1000 + 2600 }),
            rto: rto, rtoStream: streams[0].stream, recoveredBy: "system",
            outage: .measured(outageLength + 3.6, low: outageLength - 2, high: outageLength + 3.6),
            detect: .measured(
                outage.upperBound * 1000 - 9 - killed * 1000,
                low: outage.upperBound * 1000 - 14 - killed * 1000,
                high: outage.upperBound * 1000 - 9 - killed * 1000),
            brownout: .measured(0, low: 0, high: 100),
            timeWithoutRedundancy: .unknown("the system has no redundancy probe"),
            failbackOutage: .measured(0, low: 0, high: 252),
            downtimeEquivalent: .measured(outageLength, low: outageLength, high: outageLength),
            recoveryAfterHeal: .notApplicable("the system recovered by itself"),
            redundancy: "lost")
        return TrialReport(
            index: index, attempt: 1, verdict: verdict, reasons: [], noiseK: 1, slow: 250,
            primaryBefore: hosts[0], primaryAfter: hosts[1], roleChanges: 1, lagMax: 0.02,
            poolWait: 0, clockError: 0, unsent: counts.map(\.unsent).reduce(0, +),
            unsentGenerator: 0, inFlight: 0, steadyBefore: true, steadyAfter: true,
            steps: [report], streams: streams, rto: rto,
            splitBrain: SplitBrainReport(
                seen: splitBrain, dualClaim: splitBrain, dualService: nil, latentClaim: false,
                handoverOverlap: nil, atLeast: splitBrain ? 1199 : 0, atMost: splitBrain ? 1201 : 0)
        )
    }

    static let scenario = Scenario(
        name: "node-kill", title: "The active web host loses power", trials: 1,
        workloads: [
            Workload(
                name: "web", client: "http", rate: 500, lanes: [.fresh],
                timeout: .milliseconds(250))
        ],
        timeline: [
            Step(
                id: "kill", start: .at(.seconds(1)), jitter: .seconds(1),
                action: .fault(FaultUse(fault: "node.kill", target: .host(.role(.primary)))),
                end: .event(
                    EventReference(step: "kill", event: .stable), plus: .seconds(5),
                    atMost: .seconds(60)))
        ],
        expectations: [
            Expectation(
                metric: "rto", step: "kill", condition: .threshold(.max, .lessOrEqual, 5000),
                text: "max <= 5s"),
            Expectation(metric: "split_brain", condition: .never, text: "never", implied: true),
        ])

    static let system = System(
        name: "keepalived-nginx", title: "Two nginx hosts behind one virtual address (VRRP)",
        networks: [Network(name: "main", subnet: "10.77.0.0/24", vips: ["10.77.0.10"])],
        hosts: [
            Host(name: "a", addresses: [("main", "10.77.0.11")]),
            Host(name: "b", addresses: [("main", "10.77.0.12")]),
            Host(name: "client", addresses: [("main", "10.77.0.100")]),
        ], services: [],
        roles: Roles(among: ["a", "b"], primary: .holds(address: "10.77.0.10")),
        prediction: Prediction(
            rtoBySurvivor: ["a": 2414.06...3414.06, "b": 2609.37...3609.37], source: "RFC 5798"))

    /// A passing run of these trials.
    static func record(_ trials: [Synthetic] = [Synthetic()]) -> RunRecord {
        let reports = trials.map(\.trial)
        let highs = trials.map { $0.rto.value ?? 0 }.sorted()
        let report = RunReport(
            verdict: .pass, exitCode: 0, reasons: [],
            run: RunFacts(
                id: "20261122-123000-5f3a", scenario: "node-kill", system: "keepalived-nginx",
                lab: "namespaces", startedAt: "2026-11-22T12:30:00Z",
                finishedAt: "2026-11-22T12:30:48Z", version: "0.1.0",
                seed: 18_446_744_073_709_551_557, kernel: "Linux 6.18.0",
                fingerprint: String(repeating: "ab", count: 32)),
            expectations: [
                ExpectationReport(
                    metric: "rto", step: "kill", threshold: "max <= 5s",
                    observed: .number(highs.last ?? 0), verdict: .pass),
                ExpectationReport(
                    metric: "success_rate.during_fault", threshold: "min >= 40%",
                    observed: .number(0.655914), verdict: .pass),
                ExpectationReport(
                    metric: "split_brain", threshold: "never", observed: .word("never"),
                    verdict: .pass),
            ],
            summary: Summary(
                trials: trials.count, usable: trials.count, inconclusive: 0,
                rto: .init(
                    min: highs.first, median: highs[highs.count / 2],
                    p95: trials.count < 20 ? nil : highs[highs.count * 95 / 100 - 1],
                    max: highs.last,
                    byPrimary: [
                        "a": .init(
                            trials: trials.count, min: highs.first,
                            median: highs[highs.count / 2], max: highs.last, censored: 0)
                    ]), rpoWrites: .init(), rpo: .init(),
                successRate: SuccessRate(duringFault: 0.655914, after: 1, overall: 0.753846),
                failover: .init(
                    successes: trials.count, trials: trials.count,
                    provedRate95: trials.count == 3 ? 0.368403 : 0.05,
                    provedRate95Pessimistic: trials.count == 3 ? 0.368403 : 0.05,
                    trialsStillNeeded: nil),
                predicted: .init(low: 2609.375, high: 3609.375, source: "RFC 5798")),
            heal: HealReport(verdict: .restored),
            notEvidenced: ["no workload writes: what becomes of acknowledged writes was not seen"],
            trials: reports,
            evidence: [
                Evidence(file: "trial-1.ops", sha256: String(repeating: "0f", count: 32)),
                Evidence(file: "trial-1.events.jsonl", sha256: String(repeating: "a1", count: 32)),
            ])
        return RunRecord(
            report: report, histories: trials.map(\.history), scenario: scenario, system: system)
    }
}
