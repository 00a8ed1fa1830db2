import DrillCore

/// What was seen of a run that was struck.
struct CrashFacts: Sendable, CustomStringConvertible {
    let point: Int
    let name: String
    let victims: Victims
    /// The controller's, as a shell counts.
    var exit: Int32 = 0
    /// Of `firedrill report` on the folder, where the controller was killed.
    var report: Int32?
    var verdict: Verdict?
    /// Both hosts were seen to hold the address: keepalived on a machine that is as busy as this one.
    var hasTwoPrimaries = false
    var leftBehind: [String] = []
    var remains: [String] = []
    var progress = ""
    private(set) var healedBy: Set<HealedBy> = []
    /// A host that had lost the address has it again.
    private(set) var addressWentBack = false

    init(point: Int, name: String, victims: Victims) {
        self.point = point
        self.name = name
        self.victims = victims
    }

    mutating func read(events: String) {
        var former: Set<HostName> = []
        var gaveUp: Set<HostName> = []
        var holder: HostName?
        for line in events.split(separator: "\n") {
            // The last line may be torn.
            guard let event = try? JSONLine.decode(HistoryEvent.self, from: String(line)) else {
                continue
            }
            switch event.kind {
            case .role(let role):
                // One that was only silent, and is heard again, has had it all along.
                if !role.primary { gaveUp.insert(role.host) }
                guard role.primary else { continue }
                if former.contains(role.host), gaveUp.contains(role.host) { addressWentBack = true }
                if let holder, holder != role.host { former.insert(holder) }
                holder = role.host
                gaveUp.remove(role.host)
            // While the pair came up the address moved as it liked.
            case .steady:
                former = []
                gaveUp = []
            case .healed(_, let by, _): if let by { healedBy.insert(by) }
            default: break
            }
        }
    }

    /// Before the first change and after the last heal a run may still say what it measured.
    private var isWithinFaults: Bool { !name.hasPrefix("build") && !name.hasPrefix("teardown") }

    /// Empty: all is as it must be.
    var troubles: [String] {
        var all = remains
        if !leftBehind.isEmpty { all.append("reported as left behind: \(leftBehind)") }
        if addressWentBack { all.append("the address that had moved went back") }
        var allowed: Set<Int32>
        switch victims {
        case .killed(let parts) where parts.contains(.controller): allowed = [128 + 9]
        case .killed(let parts) where parts.contains(.supervisor): allowed = [4]
        case .killed, .stopped: allowed = [2, 4]
        case .interrupted(let signal): allowed = [128 + signal]
        }
        // An emulator that carries nothing at that moment takes nothing from what is measured; nor does a watchdog that
        // sleeps while nobody needs it.
        let mayBeIdle: [Victims] = [
            .killed([.emulator]), .stopped(.emulator), .stopped(.watchdog),
        ]
        let isIdle = mayBeIdle.contains(victims) && !healedBy.contains(.watchdog)
        if isIdle { allowed.insert(0) }
        if !isWithinFaults, !victims.kills(.controller) {
            if case .interrupted = victims, name.hasPrefix("build") {
                // Whoever is asked to end while it builds has measured nothing.
            } else {
                allowed.formUnion([0, 2, 4])
            }
        }
        // A violation of safety counts whatever ended the trial: a host that was cut and is heard again may meet another.
        let refuted =
            verdict == .fail
            && (hasTwoPrimaries || !healedBy.isDisjoint(with: [.lease, .watchdog]))
        if refuted { allowed.insert(1) }
        if !allowed.contains(exit) { all.append("exit \(exit), not \(allowed.sorted())") }
        // Its faults may have met each other before: one that cannot be injected is 4.
        if let report, ![2, 4].contains(report), !(refuted && report == 1) {
            all.append("firedrill report ends with \(report)")
        }
        if let verdict {
            if isWithinFaults || victims.kills(.controller), verdict != .inconclusive, !refuted,
                !isIdle
            {
                all.append("verdict \(verdict)")
            }
        } else {
            all.append("no report")
        }
        return all
    }

    var description: String { "step \(point) (\(name)): \(victims)" }
}
