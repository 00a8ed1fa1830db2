package import DrillCore

/// One bit of a packet is flipped on its way.
package enum LinkCorrupt: Fault {
    package static let description = FaultDescription(
        name: "link.corrupt", summary: "one bit of a packet is flipped", target: .link,
        parameters: [
            .init("ratio", .ratio, required: true, summary: "how many"),
            .init("correlation", .ratio, summary: "of a packet's fate with the one before"),
        ],
        takesNetwork: true, instant: "[first change requested, last acknowledged]",
        example: "link: \"client<->*\", ratio: 5%, for: 20s",
        notes: [
            "The receiver's check sums find it: to TCP it is a loss, and no wrong byte is delivered. A flipped Ethernet header sends the packet elsewhere.",
            "Hosts of a lab send no super-frames (gso_max_segs 1): one packet is hit, and not 64 kB.",
            "`correlation` is netem's, and makes rare events rarer than `ratio`.",
        ], needs: [.impairment])

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        try LinkPlan.of(
            .impair(Impairment(corrupt: try use.correlatedRatio())), use, targets, topology)
    }
}
