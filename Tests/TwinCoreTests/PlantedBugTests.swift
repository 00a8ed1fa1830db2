import DrillSimulation
import TwinCore
import Testing

/// The simulator finds what it is for. `firedrill simulate --planted all` hunts for all of them, with up to 100,000 drills
/// each; here are those that a thousand find.
@Suite struct PlantedBugTests {
    /// Rare: a crash, or two, within a fraction of a millisecond; or three faults that follow on each other.
    static let rare: Set<PlantedBug> = [
        .answeredBeforeKept, .olderStatementTaken, .serialOffByOne, .witnessRestartDoesNotWait,
        .electedDoesNotWait, .standbyForgetsPromise, .startNotSynced, .confirmsBeforeStored,
    ]
    static let frequent = PlantedBug.allCases.filter { !rare.contains($0) }

    @Test(arguments: frequent)
    func `a planted mistake is found within 1,000 drills`(bug: PlantedBug) throws {
        let simulation = Simulation.run(0..<1000, planted: bug, stopsAtFind: true)
        let find = try #require(simulation.finds.first, "\(bug.summary)")
        // And found again, in a pair that did nothing before.
        var pair = SimulatedPair()
        pair.run(seed: find.seed, planted: bug)
        #expect(pair.outcome.violation == find.violation)
    }

    @Test func `every mistake has a name of its own`() {
        #expect(Set(PlantedBug.allCases.map(\.name)).count == PlantedBug.allCases.count)
        #expect(Set(PlantedBug.allCases.map(\.summary)).count == PlantedBug.allCases.count)
        #expect(PlantedBug.epochOffByOne.name == "epoch-off-by-one")
    }
}
