import DrillSimulation
import TwinCore
import Testing

/// A drill of one to four random faults, then time to recover.
private func drill(seed: UInt64, hasWitness: Bool = true, replicated: Bool = true) -> SimulatedPair
{
    var settings = SimulatedPair.Settings(seed: seed)
    settings.hasWitness = hasWitness
    settings.acknowledgesReplicated = replicated
    settings.writes = 60
    var pair = SimulatedPair(settings)
    pair.scheduleWrites(from: 250_000_000)
    let nodes = hasWitness ? 3 : 2
    for _ in 0..<(1 + pair.pick(4)) {
        let at = Int64(300_000_000 + pair.pick(300_000_000))
        let length = Int64(1_000_000 + pair.pick(250_000_000))
        let one = pair.pick(nodes)
        let other = (one + 1 + pair.pick(nodes - 1)) % nodes
        switch pair.pick(10) {
        case 0, 1, 2: pair.schedule(.crash(node: one), from: at, for: length)
        case 3: pair.schedule(.pause(node: one), from: at, for: length / 3)
        case 4: pair.schedule(.cut(from: one, to: other), from: at, for: length)
        case 5:
            for node in 0..<nodes where node != one {
                pair.schedule(.cut(from: one, to: node), from: at, for: length)
                pair.schedule(.cut(from: node, to: one), from: at, for: length)
            }
        case 6: pair.schedule(.cutReplication, from: at, for: length)
        case 7: pair.schedule(.loss(permille: 50 + pair.pick(400)), from: at, for: length)
        case 8: pair.schedule(.delay(most: Int64(1 + pair.pick(40_000_000))), from: at, for: length)
        case _: pair.schedule(.switchover, from: at, for: 0)
        }
    }
    pair.run(until: 2_500_000_000)
    pair.expectRecovered()
    return pair
}

/// Without optimisation a drill takes ten times as long.
private let drills: UInt64 = {
    var isDebug = false
    assert(
        {
            isDebug = true; return true
        }())
    return isDebug ? 4000 : 20_000
}()

@Suite struct TwinSimulationTests {
    @Test(arguments: 0..<UInt64(4))
    func `with a witness there are never two primaries and no acknowledged write is lost`(
        part: UInt64
    ) {
        var acknowledged: Int64 = 0
        var promotions = 0
        let seeds = (part * drills / 4)..<((part + 1) * drills / 4)
        for seed in seeds {
            let pair = drill(seed: seed)
            acknowledged += pair.acknowledged.last
            promotions += pair.promotions
            if !pair.violations.isEmpty {
                Issue.record("seed \(seed): \(pair.violations)\n\(pair.dump)")
                return
            }
        }
        // Most drills have a failover, and most writes go through.
        #expect(promotions > seeds.count * 3 / 2, "\(promotions)")
        #expect(acknowledged > seeds.count * 45, "\(acknowledged)")
    }
}
