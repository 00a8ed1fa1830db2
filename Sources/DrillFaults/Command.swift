package import DrillCore

/// A fault of the user's own: a program that breaks something, and one that puts it back.
package enum Command: Fault {
    package static let description = FaultDescription(
        name: "command", summary: "a program of yours breaks something, and another puts it back",
        target: .host,
        parameters: [
            .init("run", .command, required: true, summary: "the program and its arguments"),
            .init("undo", .command, required: true, summary: "what puts it back"),
        ],
        isCondition: true, instant: "[program requested, ended with 0]",
        example:
            "host: primary, run: [touch, /run/drained], undo: [rm, -f, /run/drained], for: 20s",
        notes: [
            "Both run on the host, without a shell, and must end with 0 within 60s.",
            "Its effect is not proven: only you know what it is.",
            "The undo also runs where the program failed, and once more by a heal after a crash: write one that can.",
        ])

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let host = try targets.host(for: use.fault)
        let inject = FaultOperation.host(
            host, .command(try words("run", use), undo: try words("undo", use)))
        return FaultPlan(inject: [inject], heal: [inject.inverse].compactMap { $0 })
    }

    private static func words(
        _ name: String, _ use: FaultUse
    ) throws(FaultError) -> [String] {
        let text = try use.needed(use.text(name), name, "[program, argument]")
        guard let words = try? JSONLine.decode([String].self, from: text),
            let program = words.first, !program.isEmpty
        else {
            throw FaultError(
                "'\(name)' must be a list: a program and its arguments", parameter: name)
        }
        return words
    }
}
