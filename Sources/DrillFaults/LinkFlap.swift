package import DrillCore

/// A bad cable: the host's carrier goes and comes, again and again.
package enum LinkFlap: Fault {
    package static let description = FaultDescription(
        name: "link.flap", summary: "the host's carrier goes and comes, again and again",
        target: .host,
        parameters: [
            .init("period", .duration, default: "2s", summary: "from one loss to the next"),
            .init("duty", .ratio, default: "50%", summary: "of each period without carrier"),
        ],
        takesNetwork: true, instant: "[first carrier down requested, acknowledged]",
        example: "host: primary, period: 2s, duty: 50%, for: 20s",
        notes: [
            "The carrier is lowered from the switch's side: the host sees its cable go.",
            "The heal leaves the carrier up, whatever phase the flapping was in.",
        ])

    /// One change takes the kernel about a tenth of this.
    private static let shortest = Duration.milliseconds(20)

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let host = try targets.host(for: use.fault)
        guard let network = use.network ?? topology.networks.first else {
            throw FaultError("link.flap needs a network", parameter: "network")
        }
        let period = try use.needed(use.duration("period"), "period", "2s")
        let duty = try use.needed(use.ratio("duty"), "duty", "50%")
        guard duty > 0, duty < 1 else {
            throw FaultError(
                "'duty' must be between 0 % and 100 %", parameter: "duty",
                hint: "always down is link.down")
        }
        guard period * min(duty, 1 - duty) >= shortest else {
            throw FaultError(
                "the carrier must stay down, and up, for \(shortest.spelled) at least",
                parameter: "period",
                hint: "write a longer one, such as 2s, or a duty nearer to 50%")
        }
        let flap = FaultOperation.lab(.flap(host, network, period: period, duty: duty))
        return FaultPlan(
            inject: [flap], heal: [.lab(.unflap(host, network))],
            proof: ProofPlan(inspections: [flap]))
    }
}
