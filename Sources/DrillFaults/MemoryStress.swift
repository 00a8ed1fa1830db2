package import DrillCore

/// Something else takes the host's memory.
package enum MemoryStress: Fault {
    package static let description = FaultDescription(
        name: "memory.stress", summary: "something else takes memory of the host", target: .host,
        parameters: [
            .init("size", .size, required: true, summary: "how much is taken, written to and held")
        ],
        isCondition: true, instant: "[helper asked for, all of it written to]",
        example: "host: primary, size: 2GB, for: 20s",
        notes: [
            "A tenth of the machine's memory stays free: more is refused, with the figures.",
            "The helper is limited to its size and is the first that the kernel ends when memory runs out.",
            "Hosts of a namespace lab share the machine's memory.",
        ])

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let host = try targets.host(for: use.fault)
        let size = try use.needed(use.size("size"), "size", "512MB")
        guard size >= 1_000_000 else {
            throw FaultError("'size' must be 1MB or more", parameter: "size")
        }
        return .burden(host, .beginStress(.memory(bytes: size)))
    }
}
