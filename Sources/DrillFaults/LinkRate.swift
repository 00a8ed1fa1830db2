package import DrillCore

/// A link carries no more than so much.
package enum LinkRate: Fault {
    package static let description = FaultDescription(
        name: "link.rate", summary: "a link carries no more than so much", target: .link,
        parameters: [
            .init("rate", .rate, required: true, summary: "at most, of whole Ethernet frames"),
            .init("burst", .size, summary: "what may pass at once; a packet without it"),
        ],
        takesNetwork: true, instant: "[first change requested, last acknowledged]",
        example: "link: \"client<->*\", rate: 8Mbit/s, for: 20s",
        notes: [
            "Each direction and each pair has a rate of its own: `client<->*` with two hosts is four limits.",
            "What is above the rate waits in a bounded queue and is late, and then lost.",
            "Of several rates on one link and direction the smallest holds.",
        ], needs: [.impairment])

    /// A full frame takes 1.5 s then: below it nothing can be told from a partition.
    private static let least: UInt64 = 8_000

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let rate = try use.needed(use.rate("rate"), "rate", "20Mbit/s")
        guard rate > 0 else {
            throw FaultError(
                "'rate' 0 is a partition", parameter: "rate", hint: "fault: link.partition")
        }
        guard rate >= least else {
            throw FaultError("'rate' must be 8kbit/s or more", parameter: "rate")
        }
        let burst = try use.size("burst") ?? 0
        guard burst <= 1_000_000_000 else {
            throw FaultError(
                "'burst' must be 1GB or less", parameter: "burst",
                hint: "what may pass at once is no limit then")
        }
        let limit = RateLimit(bitsPerSecond: rate, burst: Int(burst))
        return try LinkPlan.of(.impair(Impairment(rate: limit)), use, targets, topology)
    }
}
