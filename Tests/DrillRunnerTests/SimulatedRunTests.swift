import DrillCore
import DrillRunner
import Glibc
import Testing

/// The runner's machine in drills of random faults, on a lab in which up to two things go wrong at random requests.
private struct RandomRun {
    var input: RunInput
    var trouble = SimulatedLab.Trouble()
    /// What was killed stays dead until the lab goes: its boot fails, or it died by itself.
    var mayStayDead = false

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
        let steps = (0..<(1 + pick(3))).map { index -> Step in
            let action: Step.Action
            switch pick(6) {
            case 0: action = Self.fault("node.kill")
            case 1: action = Self.fault("node.pause")
            case 2: action = Self.fault("link.down")
            case 3: action = Self.fault("process.kill", parameters: ["service": "web"])
            case 4:
                action = Self.fault(
                    "link.partition",
                    .link(LinkSelector(from: .host("a"), to: .host("b"), bothWays: true)))
            case _: action = Self.fault("node.reboot")
            }
            // One after the other, or into each other.
            return Step(
                id: StepID("s\(index)"), start: .at(.milliseconds(1000 + index * 4000)),
                jitter: .milliseconds(pick(3000)), action: action,
                end: .duration(.milliseconds(500 + pick(4000))))
        }
        input = simulatedInput(
            steps, trials: 1 + pick(2), retries: pick(2), observe: .milliseconds(500 + pick(3000)))
        for _ in 0..<pick(3) {
            let request = 1 + pick(60)
            switch pick(10) {
            case 0: trouble.goneAtRequest = request
            case 1: trouble.muteFromRequest = request
            case 2:
                trouble.hostEndsAtRequest = request
                mayStayDead = true
            case 3: trouble.interruptAtRequest = request
            case 4: trouble.neverTakesOver = true
            case 5: trouble.leaks = true
            case 6: trouble.failsToRebuild = true
            case 7: trouble.watchEndsAfter = .milliseconds(500 + pick(5000))
            case 8: trouble.healsBeforeRequest = request
            case _:
                mayStayDead = true
                trouble.failing = {
                    if case .perform(.lab(.boot)) = $0 { true } else { false }
                }
            }
        }
    }

    private static func fault(
        _ name: String, _ target: FaultTarget = .host(.role(.primary)),
        parameters: [String: String] = [:]
    ) -> Step.Action {
        .fault(FaultUse(fault: name, target: target, parameters: parameters))
    }
}

@Suite struct SimulatedRunTests {
    /// FIREDRILL_SIMULATED_RUNS asks for more.
    static var count: Int {
        getenv("FIREDRILL_SIMULATED_RUNS").flatMap { Int(String(cString: $0)) } ?? 200
    }

    @Test func `whatever goes wrong when, a run ends, and nothing that answers is left broken`() {
        let began = RunInstant.now
        var complete = 0
        for seed in 1...UInt64(Self.count) {
            let run = RandomRun(seed: seed)
            var lab = SimulatedLab(trouble: run.trouble, pulseInterval: .milliseconds(250))
            guard let outcome = lab.run(run.input) else {
                Issue.record("seed \(seed): no end within ten simulated minutes")
                return
            }
            if outcome.end == .complete { complete += 1 }
            let wentAway = run.trouble.goneAtRequest != nil || run.trouble.muteFromRequest != nil
            let isClean = !lab.isUp && lab.leftovers.isEmpty
            #expect(!lab.openTwice, "seed \(seed)")
            #expect(isClean || wentAway, "seed \(seed): \(lab.leftovers), \(outcome)")
            let left = lab.leftAtTeardown
            #expect(
                left.isEmpty || run.mayStayDead || wentAway, "seed \(seed): \(left), \(outcome)")
        }
        let seconds = Double((RunInstant.now - began).nanoseconds) / 1e9
        print(
            "\(Self.count) simulated runs, \(complete) complete, \(Int(Double(Self.count) / seconds)) a second"
        )
        #expect(complete > Self.count / 4 && complete < Self.count, "\(complete)")
    }
}
