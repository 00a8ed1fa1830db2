import DrillCore

extension TrialValidity {
    /// A harm to data fails the trial whatever else is missing, where the system promises that there is none; hosts that
    /// differ when they should be in step always do. A scenario about that very harm judges it by its expectations.
    mutating func checkData(_ data: WritesAnalysis, _ context: TrialContext) {
        guard context.scenario.knownUnsafe == nil, let writes = data.writes else { return }
        if writes.diverged == true, let differing = data.differing {
            failures.append(
                "the hosts differ on \(Self.count(differing, "write")) at the end (diverged)")
        }
        if isPromised(context) {
            if let lost = writes.lost, lost > 0 {
                failures.append(Self.lost(lost, writes, data.lossPattern))
            }
            if let resurrected = writes.resurrected, resurrected > 0 {
                failures.append(
                    "\(Self.count(resurrected, "acknowledged write")) could not be read from the new primary and came back later (resurrected)"
                )
            }
        }
        if data.rpoWrites.status == .unknown, isAsked(context),
            TrialEnd(context.end) == .complete
        {
            doubts.append("rpo_writes is unknown: \(data.rpoWrites.reason ?? "")")
        }
    }

    /// None may be lost: the scenario says so itself, or the system does and the scenario does not say that some may.
    private func isPromised(_ context: TrialContext) -> Bool {
        let said = context.scenario.expectations.filter { $0.metric == "rpo_writes" }
        if said.contains(where: { $0.condition == .threshold(.max, .equal, 0) }) { return true }
        return said.isEmpty && context.system.promisesNoLostWrites
    }

    private func isAsked(_ context: TrialContext) -> Bool {
        context.system.promisesNoLostWrites
            || context.scenario.expectations.contains { ["rpo", "rpo_writes"].contains($0.metric) }
    }

    private static func lost(_ lost: Int, _ writes: WritesReport, _ pattern: String?) -> String {
        var parts: [String] = []
        func part(_ count: Int?, _ name: String) {
            if let count, count > 0 { parts.append("\(name) \(count)") }
        }
        part(writes.lostAtFailover, "lost_at_failover")
        part(writes.lostByFailback, "lost_by_failback")
        part(writes.divergent, "divergent")
        if let pattern { parts.append("loss_pattern \(pattern)") }
        let named = parts.isEmpty ? "" : ": " + parts.joined(separator: ", ")
        return
            "\(count(lost, "acknowledged write")) of \(writes.acknowledged) \(lost == 1 ? "is" : "are") lost\(named)"
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
