package import DrillCore

/// A service is stopped in order and started again; there is nothing to heal.
package enum ProcessRestart: Fault {
    package static let description = FaultDescription(
        name: "process.restart", summary: "a service gets SIGTERM and is started again",
        target: .host,
        parameters: [.init("service", .service, required: true, summary: "which service")],
        heals: false, instant: "[before, after the start of the signal]",
        example: "host: primary, service: web")

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let host = try targets.host(for: use.fault)
        let service = try use.service()
        return FaultPlan(
            inject: [.host(host, .stopService(service)), .host(host, .startService(service))])
    }
}
