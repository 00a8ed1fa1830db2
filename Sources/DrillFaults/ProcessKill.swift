package import DrillCore

/// A service is killed; the kernel stays and answers with resets.
package enum ProcessKill: Fault {
    package static let description = FaultDescription(
        name: "process.kill", summary: "a service gets SIGKILL; the heal starts it",
        target: .host,
        parameters: [.init("service", .service, required: true, summary: "which service")],
        instant: "[signal sent, exit seen]",
        example: "host: primary, service: web, for: 10s")

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let host = try targets.host(for: use.fault)
        let service = try use.service()
        return FaultPlan(
            inject: [.host(host, .killService(service))],
            heal: [.host(host, .startService(service))])
    }
}
