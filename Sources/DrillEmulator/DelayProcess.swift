import DrillCore

/// How long each packet is held: sch_netem's tabledist, in nanoseconds.
struct DelayProcess: Sendable {
    private var delay: Int64 = 0
    private var jitter: Int64 = 0
    /// Empty: uniform.
    private var table: [Int16] = []
    private var distribution: DelayDistribution?
    private var draws: CorrelatedDraws

    init(generator: inout SeededGenerator) {
        draws = CorrelatedDraws(correlation: 0, generator: &generator)
    }

    mutating func set(_ impairment: Impairment) {
        delay = impairment.delay.nanoseconds
        // netem's cap: twice the jitter is a 32-bit number there.
        jitter = min(impairment.jitter.nanoseconds, Int64(Int32.max))
        draws.set(correlation: impairment.jitterCorrelation)
        if impairment.distribution != distribution {
            distribution = impairment.distribution
            table = distribution.map(DelayTable.values) ?? []
        }
    }

    /// Less than nothing where the spread is wider than the delay: such a packet goes before all that are held.
    mutating func next(_ generator: inout SeededGenerator) -> Int64 {
        if jitter == 0 { return delay }
        let draw = draws.next(&generator)
        if table.isEmpty { return Int64(draw % (2 * UInt32(jitter))) + delay - jitter }
        let scale = Int64(DelayTable.scale)
        let value = Int64(table[Int(draw) % table.count])
        // In two parts, rounded like the kernel's, whose product of all of it would not fit.
        let fine = jitter % scale * value
        return (fine + (fine >= 0 ? scale / 2 : -scale / 2)) / scale + jitter / scale * value
            + delay
    }
}
