internal import Glibc

/// Signals by name, without the SIG.
package enum Signal {
    private static let table: [(name: String, number: Int32)] = [
        ("HUP", SIGHUP), ("INT", SIGINT), ("QUIT", SIGQUIT), ("KILL", SIGKILL), ("USR1", SIGUSR1),
        ("USR2", SIGUSR2), ("TERM", SIGTERM), ("CONT", SIGCONT), ("STOP", SIGSTOP),
        ("WINCH", SIGWINCH),
    ]

    package static var names: [String] { table.map(\.name) }

    /// `SIGTERM` of 15; `signal 99` of one that is not in the table.
    package static func name(_ number: Int32) -> String {
        table.first { $0.number == number }.map { "SIG" + $0.name } ?? "signal \(number)"
    }

    /// `TERM` or `SIGTERM`.
    package static func number(_ name: String) -> Int32? {
        let bare = name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name
        return table.first { $0.name == bare }?.number
    }
}
