import DrillSimulation
import TwinCore
import Testing

@Suite struct TwinSimulationTests {
    /// Without optimisation a drill takes fifteen times as long.
    static let drills: UInt64 = 1500

    @Test(arguments: 0..<UInt64(4))
    func `with a witness nothing that must not happen does`(part: UInt64) {
        let simulation = Simulation.run(part * Self.drills..<(part + 1) * Self.drills)
        for find in simulation.finds { Issue.record("seed \(find.seed): \(find.violation)") }
        let drills = Int(Self.drills)
        #expect(simulation.drills == drills)
        // Many drills have a failover, and most writes go through.
        #expect(simulation.promotions > drills * 5 / 4, "\(simulation.promotions)")
        #expect(simulation.acknowledged > Int64(drills * 15), "\(simulation.acknowledged)")
        #expect(simulation.simulated >= Int64(drills) * 500_000_000)
    }

    @Test func `the same seed gives the same history, byte for byte`() {
        var one = SimulatedPair(traced: true)
        for seed in 0..<UInt64(60) {
            one.run(seed: seed)
            var other = SimulatedPair(traced: true)
            other.run(seed: seed)
            let lines = one.trace.map(\.line).joined(separator: "\n")
            #expect(
                Array(lines.utf8) == Array(other.trace.map(\.line).joined(separator: "\n").utf8))
            #expect(one.operations == other.operations)
            #expect(one.outcome == other.outcome)
            // Being watched changes nothing.
            var unwatched = SimulatedPair()
            unwatched.run(seed: seed)
            #expect(unwatched.outcome == one.outcome)
        }
    }

    @Test func `parts of a simulation add up to the whole, in any order`() {
        let whole = Simulation.run(0..<300)
        var sum = Simulation()
        for part in [Simulation.run(200..<300), .run(0..<50), .run(50..<200)] { sum.merge(part) }
        #expect(sum == whole)
        #expect(Simulation.run(1..<301).digest != whole.digest)
    }

    @Test func `a drill is half a second, twenty writes and a fault that took effect at least`() {
        var pair = SimulatedPair(traced: true)
        var bounded = 0
        for seed in 0..<UInt64(400) {
            pair.run(seed: seed)
            #expect((1...4).contains(pair.plan.drawnFaults))
            #expect(pair.outcome.tookEffect, "seed \(seed)")
            #expect(pair.outcome.simulated >= 500_000_000)
            // Begun, which is more than planned: each was taken by a primary and is in a log, or was when it died.
            #expect(pair.operations.count { $0.action == .write } >= 20, "seed \(seed)")
            if pair.outcome.isBounded { bounded += 1 }
        }
        #expect(bounded > 40)
    }

    @Test func `clients write before and after a fault that comes when they do`() throws {
        var pair = SimulatedPair(traced: true)
        for seed in 0..<UInt64(400) {
            pair.run(seed: seed)
            let first = try #require(pair.plan.faults.map(\.at).min())
            #expect(
                pair.operations.contains { $0.action == .write && $0.asked >= first },
                "seed \(seed)")
        }
    }

    @Test func `a fault that meets nothing is not the drill's only one`() {
        var plan = DrillPlan(seed: 7)
        // The witness stores no records.
        plan.faults = [
            PlannedFault(
                .crash(node: 2, power: true, when: .store, afterSteps: 0), at: 300_000_000,
                for: 50_000_000)
        ]
        var pair = SimulatedPair()
        pair.run(plan)
        #expect(!pair.outcome.tookEffect)
        plan.faults[0].fault = .crash(node: 1, power: true, when: .store, afterSteps: 0)
        pair.run(plan)
        #expect(pair.outcome.tookEffect)
    }

    @Test func `of two faults that overlap the longer one stays`() {
        func gap(_ faults: [PlannedFault]) -> Int64 {
            var plan = DrillPlan(seed: 7)
            plan.faults = faults
            var pair = SimulatedPair()
            pair.run(plan)
            #expect(pair.outcome.violation == nil)
            return pair.outcome.longestGap
        }
        let long = PlannedFault(.pause(node: 0), at: 250_000_000, for: 20_000_000)
        let short = PlannedFault(.pause(node: 0), at: 255_000_000, for: 5_000_000)
        #expect(gap([short]) == 5_000_000)
        #expect(gap([long]) == 20_000_000)
        #expect(gap([long, short]) == 20_000_000)
        // Nothing gets to the witness and the standby: the primary steps down, also where a shorter cut ended.
        func cut(_ to: Int, _ at: Int64, _ length: Int64) -> PlannedFault {
            PlannedFault(.cut(from: 0, to: to), at: at * 1_000_000, for: length * 1_000_000)
        }
        let whole = [cut(1, 250, 90), cut(2, 250, 90)]
        #expect(gap(whole) > 0)
        #expect(gap([cut(1, 251, 5), cut(2, 251, 5)]) == 0)
        #expect(gap(whole + [cut(1, 251, 5), cut(2, 251, 5)]) == gap(whole))
    }

    /// A cut of 14 ms, and the standby confirms a record of the burst behind it and no other: the wait of the next one is
    /// counted from its own writing.
    @Test func `a standby that comes nearer keeps nobody waiting for longer`() {
        var pair = SimulatedPair()
        for seed in [6963, 13_869] as [UInt64] {
            var plan = DrillPlan(seed: seed)
            plan.firstWrite = 201_000_000
            plan.writeEvery = 6_000_000
            plan.isBounded = true
            plan.faults = [
                PlannedFault(.cut(from: 0, to: 1), at: 231_012_000, for: 14_000_000),
                PlannedFault(.cut(from: 1, to: 0), at: 231_012_000, for: 14_000_000),
            ]
            pair.run(plan)
            #expect(pair.outcome.violation == nil)
            #expect(pair.outcome.longestWait <= DrillBounds.unanswered)
        }
    }

    @Test func `a write that nobody answers is found, also where it is the last one`() {
        let simulation = Simulation.run(
            0..<1000, planted: .aloneForgetsWaiting, stopsAtFind: true)
        #expect(
            simulation.finds.contains {
                $0.violation == .unansweredTooLong || $0.violation == .notRecovered
            })
    }

    @Test func `without a fault the pair takes all writes and has one primary`() {
        var pair = SimulatedPair(traced: true)
        pair.run(DrillPlan(seed: 7))
        #expect(pair.outcome.violation == nil)
        #expect(pair.outcome.promotions == 1)
        #expect(pair.outcome.acknowledged == 20)
        #expect(pair.operations.allSatisfy { $0.answered != nil })
        // Each write has a read before it and one after it.
        #expect(pair.operations.count == 60)
    }
}
