package import DrillCore

/// Some packets go at once and overtake the others, which are delayed.
package enum LinkReorder: Fault {
    package static let description = FaultDescription(
        name: "link.reorder", summary: "some packets overtake the others", target: .link,
        parameters: [
            .init("ratio", .ratio, required: true, summary: "how many of the candidates overtake"),
            .init(
                "delay", .duration, default: "10ms", summary: "of the packets that are overtaken"),
            .init("correlation", .ratio, summary: "of a packet's fate with the one before"),
            .init("gap", .count, default: "1", summary: "only every so many packets may overtake"),
        ],
        takesNetwork: true, instant: "[first change requested, last acknowledged]",
        example: "link: \"a->b\", ratio: 25%, gap: 5, for: 20s",
        notes: [
            "Reordering needs a delay: a packet that is picked is not delayed and overtakes those that are. Traffic with more than `delay` between two packets arrives in order.",
            "The delay adds to other delays on the same link and direction; of reorderings there is at most one.",
        ], needs: [.impairment])

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let ratio = try use.correlatedRatio()
        let delay = try use.needed(use.duration("delay"), "delay", "10ms")
        let gap = try use.needed(use.count("gap"), "gap", "5")
        guard delay > .zero else {
            throw FaultError(
                "'delay' 0 reorders nothing: a packet overtakes those that are delayed",
                parameter: "delay")
        }
        guard (1...1_000_000).contains(gap) else {
            throw FaultError("'gap' must be from 1 to 1000000", parameter: "gap")
        }
        guard ratio.ratio < 1 || gap > 1 else {
            throw FaultError(
                "'ratio' 100 % of all packets reorders nothing: none is left to be overtaken",
                parameter: "ratio", hint: "write a smaller one, or gap: 5")
        }
        return try LinkPlan.of(
            .impair(Impairment(delay: delay, reorder: Reordering(ratio, gap: gap))), use, targets,
            topology)
    }
}
