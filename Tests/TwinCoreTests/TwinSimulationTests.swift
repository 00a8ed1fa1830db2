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
            one.run(DrillPlan.drawn(seed: seed))
            var other = SimulatedPair(traced: true)
            other.run(DrillPlan.drawn(seed: seed))
            let lines = one.trace.map(\.line).joined(separator: "\n")
            #expect(
                Array(lines.utf8) == Array(other.trace.map(\.line).joined(separator: "\n").utf8))
            #expect(one.operations == other.operations)
            #expect(one.outcome == other.outcome)
            // Being watched changes nothing.
            var unwatched = SimulatedPair()
            unwatched.run(DrillPlan.drawn(seed: seed))
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

    @Test func `a drill is half a second, twenty writes and a fault at least`() {
        var pair = SimulatedPair(traced: true)
        for seed in 0..<UInt64(200) {
            let plan = DrillPlan.drawn(seed: seed)
            pair.run(plan)
            #expect(!plan.faults.isEmpty)
            #expect(pair.outcome.simulated >= 500_000_000)
            #expect(plan.writes == 20)
        }
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
