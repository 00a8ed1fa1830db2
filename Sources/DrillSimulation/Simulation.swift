package import TwinCore

/// Many drills, one after the other, and what they came to. Sums, maxima and first finds, so that parts merge in any order.
package struct Simulation: Hashable, Sendable {
    package struct Find: Hashable, Sendable {
        package var seed: UInt64
        package var violation: DrillViolation

        package init(seed: UInt64, violation: DrillViolation) {
            self.seed = seed
            self.violation = violation
        }
    }

    package private(set) var drills = 0
    package private(set) var events = 0
    package private(set) var promotions = 0
    package private(set) var acknowledged: Int64 = 0
    package private(set) var faults = 0
    /// ns, of all drills together.
    package private(set) var simulated: Int64 = 0
    /// In drills with one fault that leaves the network as it is; ns.
    package private(set) var longestGap: Int64 = 0
    package private(set) var longestWait: Int64 = 0
    package private(set) var longestRecovery: Int64 = 0
    package private(set) var bounded = 0
    /// Of all drills' events; the order of the drills does not matter.
    package private(set) var digest: UInt64 = 0
    /// By seed, the lowest first; at most ten.
    package private(set) var finds: [Find] = []

    package init() {}

    package mutating func add(_ outcome: DrillOutcome, of plan: DrillPlan) {
        drills += 1
        events += outcome.events
        promotions += outcome.promotions
        acknowledged += outcome.acknowledged
        faults += plan.drawnFaults
        simulated += outcome.simulated
        longestRecovery = max(longestRecovery, outcome.recovery)
        if outcome.isBounded {
            bounded += 1
            longestGap = max(longestGap, outcome.longestGap)
            longestWait = max(longestWait, outcome.longestWait)
        }
        digest &+= (outcome.digest ^ plan.seed) &* 0x9E37_79B9_7F4A_7C15
        if let violation = outcome.violation {
            add([Find(seed: plan.seed, violation: violation)])
        }
    }

    package mutating func merge(_ other: Simulation) {
        drills += other.drills
        events += other.events
        promotions += other.promotions
        acknowledged += other.acknowledged
        faults += other.faults
        simulated += other.simulated
        longestGap = max(longestGap, other.longestGap)
        longestWait = max(longestWait, other.longestWait)
        longestRecovery = max(longestRecovery, other.longestRecovery)
        bounded += other.bounded
        digest &+= other.digest
        add(other.finds)
    }

    package mutating func add(_ more: [Find]) {
        guard !more.isEmpty else { return }
        finds = Array((finds + more).sorted { $0.seed < $1.seed }.prefix(10))
    }

    /// Drills of these seeds.
    /// - Parameter stopsAtFind: with the first counter-example.
    package static func run(
        _ seeds: Range<UInt64>, planted: PlantedBug? = nil, stopsAtFind: Bool = false
    ) -> Simulation {
        var simulation = Simulation()
        var pair = SimulatedPair()
        for seed in seeds {
            pair.run(seed: seed, planted: planted)
            simulation.add(pair.outcome, of: pair.plan)
            if stopsAtFind, pair.outcome.violation != nil { break }
        }
        return simulation
    }
}
