package import DrillCore

/// The host loses power and comes back by itself after `off`; there is nothing to heal.
package enum NodeReboot: Fault {
    package static let description = FaultDescription(
        name: "node.reboot", summary: "the host loses power and boots again after `off`",
        target: .host,
        parameters: [
            .init("off", .duration, default: "1s", summary: "how long the power is off")
        ],
        heals: false, instant: "[silence requested, silence acknowledged]",
        example: "host: primary, off: 2s")

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let host = try targets.host(for: use.fault)
        guard let off = Duration(spelled: use.parameters["off"] ?? "1s") else {
            throw FaultError("node.reboot needs 'off' as a duration, such as 1s")
        }
        return FaultPlan(
            inject: [.lab(.silence(host)), .lab(.kill(host)), .lab(.boot(host))], effective: 1,
            waits: [2: off],
            proof: .silence(of: host, as: .dead, in: topology))
    }
}
