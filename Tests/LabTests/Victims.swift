import Glibc

/// Who is struck while the supervisor stands still at a numbered step.
enum Victims: Hashable, Sendable, CustomStringConvertible {
    enum Part: String, Hashable, Sendable, CaseIterable {
        case controller, supervisor, watchdog, emulator
    }

    /// SIGKILL; whoever is left goes on.
    case killed(Set<Part>)
    /// SIGSTOP until the lease is over and some more, then SIGCONT.
    case stopped(Part)
    /// The controller is asked to end: SIGINT, SIGTERM.
    case interrupted(Int32)

    static let all: [Victims] = {
        let parts = Part.allCases
        var all = parts.map { Victims.killed([$0]) }
        for (number, first) in parts.enumerated() {
            for second in parts[(number + 1)...] { all.append(.killed([first, second])) }
        }
        all += parts.map { .stopped($0) }
        return all + [.interrupted(SIGINT), .interrupted(SIGTERM)]
    }()

    /// Of the set, those that there are.
    func among(_ present: Set<Part>) -> Victims? {
        switch self {
        case .killed(let parts):
            parts.isSubset(of: present) ? self : nil
        case .stopped(let part): present.contains(part) ? self : nil
        case .interrupted: present.contains(.controller) ? self : nil
        }
    }

    /// The supervisor and the controller go on, so that a lab can be kept and looked at.
    var spareTheLab: Bool {
        switch self {
        case .killed(let parts): !parts.contains(.controller) && !parts.contains(.supervisor)
        case .stopped(let part): part != .supervisor
        case .interrupted: false
        }
    }

    func kills(_ part: Part) -> Bool {
        if case .killed(let parts) = self { parts.contains(part) } else { false }
    }

    var description: String {
        switch self {
        case .killed(let parts):
            "SIGKILL of " + parts.map(\.rawValue).sorted().joined(separator: " and ")
        case .interrupted(let signal):
            "\(signal == SIGINT ? "SIGINT" : "SIGTERM") to the controller"
        case .stopped(let part): "SIGSTOP of the \(part) past the lease, then SIGCONT"
        }
    }
}
