import DrillCore
package import TwinCore

/// A simulated drill, whole: everything that follows is determined by this. Durations in nanoseconds.
package struct DrillPlan: Hashable, Sendable {
    package var seed: UInt64
    package var hasWitness = true
    package var acknowledgesReplicated = true
    package var firstWrite: Int64 = 200_000_000
    /// From one write to the next; each has a read beside it.
    package var writeEvery: Int64 = 12_000_000
    package var writes = 20
    /// A clock is at most so many parts in 1,000 fast or slow. The protocol allows for 76: a lease is 6/7 of a promise.
    package var clockRate = 40
    package var faults: [PlannedFault] = []
    /// How often it was drawn for `faults`: some faults come in several parts.
    package var drawnFaults = 0
    package var planted: PlantedBug?
    /// One fault, which leaves the network to the others as it was: `DrillBounds` hold where the pair was whole before.
    package var isBounded = false
    /// A drill is at least so long.
    package var length: Int64 = 500_000_000

    package init(seed: UInt64) { self.seed = seed }

    /// One to four faults, drawn from the seed.
    /// - Parameter attempt: each draws others.
    package static func drawn(
        seed: UInt64, attempt: Int = 0, hasWitness: Bool = true, planted: PlantedBug? = nil
    ) -> DrillPlan {
        var plan = DrillPlan(seed: seed)
        plan.hasWitness = hasWitness
        plan.planted = planted
        var draw = Draw(
            nodes: hasWitness ? 3 : 2,
            random: SeededGenerator(seed: seed, stream: UInt64(1 + attempt)))
        plan.firstWrite = 190_000_000 + Int64(draw.pick(20)) * 1_000_000
        plan.writeEvery = Int64(6 + draw.pick(10)) * 1_000_000
        // A fault that comes when nobody writes any more finds nothing.
        let span = Int64(plan.writes - 1) * plan.writeEvery
        draw.busy = plan.firstWrite..<plan.firstWrite + span
        let count = [1, 1, 1, 2, 2, 2, 3, 3, 4, 4][draw.pick(10)]
        for _ in 0..<count { draw.fault(into: &plan.faults) }
        plan.drawnFaults = count
        plan.isBounded = count == 1 && draw.isPlain
        return plan
    }

    /// When its last fault is over.
    package var healed: Int64 { faults.map(\.end).max() ?? 0 }
}

private struct Draw {
    let nodes: Int
    var random: SeededGenerator
    /// When clients write, if nothing is in their way; ns.
    var busy: Range<Int64> = 0..<1
    /// Where the faults before this one were: trouble that meets is what finds something.
    var last: Int64 = 0
    /// The last one leaves the network, and two of three nodes, as they are.
    var isPlain = true

    mutating func pick(_ count: Int) -> Int { random.pick(count) }

    /// One way is slow, and others come and go.
    private mutating func flicker(_ node: Int, into faults: inout [PlannedFault], _ begin: Int64) {
        var at = begin
        for _ in 0..<4 {
            let length = Int64(30_000 + pick(15_000)) * 1_000
            for from in 0..<nodes {
                for to in 0..<nodes where to != from && pick(10) < 3 {
                    faults.append(PlannedFault(.cut(from: from, to: to), at: at, for: length))
                }
            }
            at += length
        }
        let to = (node + 1 + pick(nodes - 1)) % nodes
        let most = Int64(20 + pick(60)) * 1_000_000
        faults.append(
            PlannedFault(.delayLink(from: node, to: to, most: most), at: begin, for: at - begin))
    }

    private mutating func crash(_ node: Int) -> SimulatedFault {
        let moments: [CrashMoment] = [
            .atOnce, .atOnce, .atOnce, .persist, .store, .statement, .promotion, .acknowledgement,
        ]
        return .crash(
            node: node, power: pick(2) == 0, when: moments[pick(moments.count)],
            afterSteps: pick(10))
    }

    mutating func fault(into faults: inout [PlannedFault]) {
        var at = busy.lowerBound + Int64(pick(busy.count / 1000)) * 1_000
        if last > 0, pick(2) == 0 { at = last + Int64(pick(80_000)) * 1_000 }
        if pick(16) == 0 { at = Int64(pick(200_000)) * 1_000 }
        last = at
        let length = Int64(1 + pick(pick(3) == 0 ? 15 : 150)) * 1_000_000
        let one = pick(nodes)
        let other = (one + 1 + pick(nodes - 1)) % nodes
        func add(_ fault: SimulatedFault, after: Int64 = 0, for length: Int64) {
            faults.append(PlannedFault(fault, at: at + after, for: length))
        }
        isPlain = true
        switch pick(24) {
        case 0...4:
            add(crash(one), for: length)
        case 5: add(.pause(node: one), for: length / 2)
        case 6, 7: add(.cut(from: one, to: other), for: length)
        case 8:
            add(.cut(from: one, to: other), for: length)
            add(.cut(from: other, to: one), for: length)
        case 9, 10:
            for node in 0..<nodes where node != one {
                add(.cut(from: one, to: node), for: length)
                add(.cut(from: node, to: one), for: length)
            }
        case 11, 12: add(.cutReplication, for: length * 3 / 2)
        case 13:
            isPlain = false
            add(.loss(permille: 50 + pick(500)), for: length)
        case 14, 15:
            isPlain = false
            add(.delay(most: Int64(1 + pick(40_000)) * 1_000), for: length)
        case 16: add(.duplicate(permille: 100 + pick(500)), for: length)
        case 17: add(.switchover, for: 0)
        case 18: add(.breakLink, for: 0)
        case 19:
            isPlain = false
            add(.loss(permille: 100 + pick(400)), for: length)
            add(.delay(most: Int64(1 + pick(40_000)) * 1_000), for: length)
            add(.duplicate(permille: 100 + pick(500)), for: length)
        case 20:
            // A process that is started again at once.
            add(crash(one), for: Int64(1 + pick(20_000)) * 1_000)
        case 21, 22:
            isPlain = false
            flicker(other, into: &faults, at)
        case _:
            isPlain = false
            // Both hosts, or all, lose power within a few milliseconds, and come back one after the other.
            for node in 0..<(pick(2) == 0 ? 2 : nodes) {
                add(
                    .crash(node: node, power: true, when: .atOnce, afterSteps: pick(6)),
                    after: Int64(pick(3_000)) * 1_000,
                    for: Int64(1 + pick(150)) * 1_000_000)
            }
        }
    }
}

extension SeededGenerator {
    /// Below `count`, which is less than 2^32.
    mutating func pick(_ count: Int) -> Int { Int(((next() >> 32) &* UInt64(count)) >> 32) }
}
