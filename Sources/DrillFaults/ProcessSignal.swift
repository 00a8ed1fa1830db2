package import DrillCore

/// A service's main process gets a signal; there is nothing to heal.
package enum ProcessSignal: Fault {
    package static let description = FaultDescription(
        name: "process.signal", summary: "a service's main process gets a signal", target: .host,
        parameters: [
            .init("service", .service, required: true, summary: "which service"),
            .init("signal", .signal, required: true, summary: "TERM, HUP, USR1, …"),
        ],
        heals: false, instant: "[before, after the start of the signal]",
        example: "host: primary, service: web, signal: HUP")

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let host = try targets.host(for: use.fault)
        let service = try use.service()
        guard let name = use.parameters["signal"], let signal = Signal.number(name) else {
            throw FaultError(
                "process.signal needs 'signal', one of \(Signal.names.joined(separator: ", "))")
        }
        return FaultPlan(inject: [.host(host, .signalService(service, signal))])
    }
}
