package import DrillCore

/// Packets vanish, each by itself or in bursts; nobody is told.
package enum LinkLoss: Fault {
    package static let description = FaultDescription(
        name: "link.loss", summary: "packets vanish, at random or in bursts", target: .link,
        parameters: [
            .init("ratio", .ratio, summary: "how many; this or model"),
            .init("correlation", .ratio, summary: "of a packet's fate with the one before"),
            .init("model", .word(["gilbert-elliott"]), summary: "loss in bursts, by p r h k"),
            .init("p", .ratio, summary: "of the model: from the good state to the bad one"),
            .init("r", .ratio, summary: "of the model: from the bad state back"),
            .init(
                "h", .ratio, summary: "of the model: that a packet passes in the bad state; 0%"),
            .init(
                "k", .ratio, summary: "of the model: that a packet passes in the good state; 100%"),
        ],
        takesNetwork: true, instant: "[first change requested, last acknowledged]",
        example:
            "link: \"a->b\", traffic: vrrp, model: gilbert-elliott, p: 5%, r: 25%, until: end",
        notes: [
            "The loss is silent: the sender is told nothing, as in a network and unlike a drop at the sender's own interface.",
            "`gilbert-elliott`: a burst is 1/r packets long on average, and p/(p+r) of the time is bad. The packet is judged by the state before the move.",
            "`correlation` is netem's: a draw is mixed with the one before, which makes rare events rarer than `ratio`. For bursts use the model.",
            "Independent losses on one link and direction compose: 1 − ∏(1 − p). With correlation or the model there is at most one.",
        ], needs: [.impairment])

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let loss = use.text("model") == nil ? try random(use) : try gilbertElliott(use)
        return try LinkPlan.of(.impair(Impairment(loss: loss)), use, targets, topology)
    }

    private static func random(_ use: FaultUse) throws(FaultError) -> LossModel {
        for key in ["p", "r", "h", "k"] where use.text(key) != nil {
            throw FaultError(
                "'\(key)' belongs to a model, and there is no 'model'", parameter: key,
                hint: "add model: gilbert-elliott")
        }
        guard use.text("ratio") != nil else {
            throw FaultError(
                "link.loss needs 'ratio' or 'model'", parameter: "ratio",
                hint: "such as ratio: 1%, or model: gilbert-elliott, p: 1%, r: 25%")
        }
        return .random(try use.correlatedRatio())
    }

    private static func gilbertElliott(_ use: FaultUse) throws(FaultError) -> LossModel {
        for key in ["ratio", "correlation"] where use.text(key) != nil {
            throw FaultError(
                "'\(key)' is one of random loss: the model has p, r, h and k", parameter: key,
                hint: "leave out '\(key)' or 'model'")
        }
        let p = try use.needed(use.ratio("p"), "p", "1%")
        let r = try use.needed(use.ratio("r"), "r", "25%")
        let h = try use.ratio("h") ?? 0
        let k = try use.ratio("k") ?? 1
        guard p > 0 else {
            throw FaultError("'p' 0 % never leaves the good state", parameter: "p")
        }
        guard r > 0 else {
            throw FaultError("'r' 0 % never leaves the bad state", parameter: "r")
        }
        guard h < 1 || k < 1 else {
            throw FaultError("'h' and 'k' 100 % lose nothing", parameter: "h")
        }
        guard h < k else {
            throw FaultError(
                "the bad state must lose more than the good one: 'h' below 'k'", parameter: "h")
        }
        return .gilbertElliott(p: p, r: r, h: h, k: k)
    }
}
