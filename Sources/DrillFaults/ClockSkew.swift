package import DrillCore

/// A service's clock is wrong.
package enum ClockSkew: Fault {
    package static let description = FaultDescription(
        name: "clock.skew", summary: "a service sees a clock that is ahead or behind",
        target: .host,
        parameters: [
            .init("service", .service, required: true, summary: "whose clock"),
            .init("offset", .offset, required: true, summary: "ahead; behind where it is negative"),
        ],
        isCondition: true, instant: "[offset requested, written]",
        example: "host: standby, service: web, offset: -90s, for: 20s",
        notes: [
            "By libfaketime, which is loaded into every instance of this service when it starts; CLOCK_MONOTONIC and timers stay right.",
            "A static program cannot be reached, and is refused before the drill begins.",
            "Each look at the clock of a prepared service reads a small file: a service that asks for the time a million times a second is slower.",
            "The clock jumps, there and back, as after a wrong manual setting; times of files are not changed.",
        ], needs: [.skewedClocks])

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let host = try targets.host(for: use.fault)
        let offset = try use.needed(use.offset("offset"), "offset", "-90s")
        guard offset >= .milliseconds(100) || offset <= .milliseconds(-100) else {
            throw FaultError(
                "'offset' must be 100ms or more either way: less cannot be proven",
                parameter: "offset")
        }
        return .burden(host, .skewClock(try use.service(), offset: offset))
    }

    package static func preparation(
        _ use: FaultUse
    ) -> (service: ServiceName, preparation: ServicePreparation)? {
        use.parameters["service"].map { (ServiceName($0), .clock) }
    }
}
