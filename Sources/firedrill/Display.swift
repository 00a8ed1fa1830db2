import DrillCore
import DrillReport
import DrillRunner
import Glibc

/// What a person sees while a drill runs: one living line on a terminal, plain lines elsewhere.
package final class Display {
    private let isTerminal: Bool
    private let quiet: Bool
    private var lastPhase = ""
    private var lastLine = RunInstant(nanoseconds: 0)
    private var began = RunInstant.now
    private var hasLine = false
    private let name: String
    private let write: (String) -> Void

    /// - Parameters:
    ///   - isTerminal: nil: what standard error is.
    ///   - write: where all of it goes.
    package init(
        name: String, quiet: Bool, isTerminal: Bool? = nil,
        write: @escaping (String) -> Void = writeError
    ) {
        self.name = name
        self.quiet = quiet
        self.write = write
        self.isTerminal =
            isTerminal
            ?? (isatty(STDERR_FILENO) == 1
                && getenv("TERM").map { String(cString: $0) } != "dumb")
    }

    func show(_ directive: RunDirective) {
        switch directive {
        case .status(let status): show(status)
        case .note(let text): line("  \(text)")
        case .openLab, .send, .openTrial, .record, .closeTrial, .finish: break
        }
    }

    /// A line that stays.
    func line(_ text: String) {
        guard !quiet, isHeard else { return }
        clear()
        write(PlainText.lines(text) + "\n")
    }

    /// A reader that has stopped reading must not stop the drill: what does not fit into its pipe is left out.
    private var isHeard: Bool {
        var error = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        return poll(&error, 1, 0) > 0
    }

    package func clear() {
        guard hasLine else { return }
        write("\r\u{1B}[K")
        hasLine = false
    }

    /// What is done after the last trial, in the same living line.
    func show(phase: String, detail: String) {
        show(key: phase) { now in
            [elapsed(now), name, detail.isEmpty ? phase : "\(phase): \(detail)"]
                .joined(separator: "  ")
        }
    }

    private func show(_ status: RunStatus) {
        show(key: "\(status.trial).\(status.attempt) \(status.phase)") { text(status, $0) }
    }

    private func show(key: String, _ text: (RunInstant) -> String) {
        guard !quiet else { return }
        let now = RunInstant.now
        let isNew = key != lastPhase
        // A terminal is redrawn at most ten times a second; a log gets a line a phase and one every 5 s.
        let every: Duration = isTerminal ? .milliseconds(100) : .seconds(5)
        guard isNew || now - lastLine >= every, isHeard else { return }
        lastPhase = key
        lastLine = now
        if isTerminal {
            write("\r\u{1B}[K\(text(now))")
            hasLine = true
        } else {
            write(text(now) + "\n")
        }
    }

    private func elapsed(_ now: RunInstant) -> String {
        let tenths = (now - began).nanoseconds / 100_000_000
        return "\(tenths / 10).\(tenths % 10)s"
    }

    private func text(_ status: RunStatus, _ now: RunInstant) -> String {
        var parts = [elapsed(now), name, "trial \(status.trial)/\(status.trials)"]
        if status.attempt > 1 { parts[2] += " (attempt \(status.attempt))" }
        parts.append(status.phase)
        if let rate = status.successRate {
            parts.append("success \((rate * 1000).rounded() / 10) %")
        }
        if let primary = status.primary { parts.append("primary \(primary)") }
        return parts.joined(separator: "  ")
    }
}
