package import DrillCore

/// A service stops running; its kernel still answers ARP and completes TCP handshakes for it.
package enum ProcessPause: Fault {
    package static let description = FaultDescription(
        name: "process.pause", summary: "a service's processes stop; the heal continues them",
        target: .host,
        parameters: [.init("service", .service, required: true, summary: "which service")],
        instant: "[stop sent, all stopped]",
        example: "host: primary, service: web, for: 10s")

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let host = try targets.host(for: use.fault)
        let service = try use.service()
        return FaultPlan(
            inject: [.host(host, .pauseService(service))],
            heal: [.host(host, .continueService(service))])
    }
}
