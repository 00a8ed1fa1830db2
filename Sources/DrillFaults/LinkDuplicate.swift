package import DrillCore

/// Packets arrive twice.
package enum LinkDuplicate: Fault {
    package static let description = FaultDescription(
        name: "link.duplicate", summary: "packets arrive twice", target: .link,
        parameters: [
            .init("ratio", .ratio, required: true, summary: "how many"),
            .init("correlation", .ratio, summary: "of a packet's fate with the one before"),
        ],
        takesNetwork: true, instant: "[first change requested, last acknowledged]",
        example: "link: \"client->*\", ratio: 5%, for: 20s",
        notes: [
            "With a delay on the same link and direction the copy is delayed as well.",
            "`correlation` is netem's, and makes rare events rarer than `ratio`.",
        ], needs: [.impairment])

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        try LinkPlan.of(
            .impair(Impairment(duplicate: try use.correlatedRatio())), use, targets, topology)
    }
}
