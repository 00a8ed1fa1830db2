package import DrillCore

/// Packets arrive later than they would.
package enum LinkDelay: Fault {
    package static let description = FaultDescription(
        name: "link.delay", summary: "packets arrive later", target: .link,
        parameters: [
            .init("delay", .duration, required: true, summary: "how much later, one way"),
            .init(
                "jitter", .duration,
                summary: "half the width of a uniform spread, or the distribution's deviation"),
            .init("correlation", .ratio, summary: "of a packet's delay with the one before"),
            .init(
                "distribution", .word(DelayDistribution.allCases.map(\.rawValue)),
                summary: "of the delays; uniform without it"),
        ],
        takesNetwork: true, instant: "[first change requested, last acknowledged]",
        example: "link: \"a<->b\", delay: 25ms, jitter: 5ms, distribution: normal, for: 20s",
        notes: [
            "`delay` is one way: `a<->b` with 25 ms makes a round trip 50 ms longer.",
            "`jitter` is that of the delay here, and not of the step's start. With it packets overtake each other, as they do with netem.",
            "Delays of several faults on one link and direction add; of jitter there is at most one.",
        ], needs: [.impairment])

    /// netem's old fields end here, and no network of two hosts is near it.
    private static let mostJitter = Duration.seconds(2)

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        var impairment = Impairment(
            delay: try use.needed(use.duration("delay"), "delay", "25ms"),
            jitter: try use.duration("jitter") ?? .zero,
            jitterCorrelation: try use.correlation())
        guard impairment.delay > .zero else {
            throw FaultError("'delay' 0 does nothing", parameter: "delay")
        }
        if let word = use.text("distribution") {
            impairment.distribution = DelayDistribution(rawValue: word)
        }
        guard impairment.jitter <= impairment.delay else {
            throw FaultError(
                "'jitter' is more than 'delay': no packet can arrive before it was sent",
                parameter: "jitter", hint: "write jitter: \(impairment.delay.spelled) or less")
        }
        guard impairment.jitter <= mostJitter else {
            throw FaultError(
                "'jitter' can be \(mostJitter.spelled) at most", parameter: "jitter")
        }
        for key in ["correlation", "distribution"]
        where use.text(key) != nil && impairment.jitter == .zero {
            throw FaultError(
                "'\(key)' is one of the jitter, and there is no 'jitter'", parameter: key,
                hint: "add jitter: \((impairment.delay / 5).spelled)")
        }
        return try LinkPlan.of(.impair(impairment), use, targets, topology)
    }
}
