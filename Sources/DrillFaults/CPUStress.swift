package import DrillCore

/// The host's CPUs are busy with something else.
package enum CPUStress: Fault {
    package static let description = FaultDescription(
        name: "cpu.stress", summary: "the host's CPUs are busy with something else", target: .host,
        parameters: [
            .init("workers", .count, summary: "how many threads; one for each CPU unless given"),
            .init("load", .ratio, default: "100%", summary: "of each worker's time"),
        ],
        isCondition: true, instant: "[helper asked for, all workers begun]",
        example: "host: primary, load: 100%, for: 20s",
        notes: [
            "Hosts of a namespace lab share the machine's CPUs, and so does the load: stress of one is felt by all.",
            "A worker waits its turn like any other program: it asks for CPU time and takes none from the kernel.",
        ])

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let host = try targets.host(for: use.fault)
        let workers = try use.count("workers")
        if let workers, !(1...1024).contains(workers) {
            throw FaultError("'workers' must be from 1 to 1024", parameter: "workers")
        }
        let load = try use.needed(use.ratio("load"), "load", "100%")
        guard load >= 0.01 else {
            throw FaultError("'load' must be 1 % or more", parameter: "load")
        }
        return .burden(
            host, .beginStress(.cpu(workers: workers ?? 0, load: load)))
    }
}

extension FaultPlan {
    /// A change of a host that its inverse takes back, and that can be looked at.
    static func burden(_ host: HostName, _ operation: HostOperation) -> FaultPlan {
        let inject = FaultOperation.host(host, operation)
        return FaultPlan(
            inject: [inject], heal: [inject.inverse].compactMap { $0 },
            proof: ProofPlan(inspections: [inject]))
    }
}
