package import DrillCore
internal import Glibc

/// A lab's supervisor at the other end of two pipes.
package protocol LabConnection: AnyObject {
    /// Readable when messages wait or the supervisor is gone.
    var descriptor: Int32 { get }
    func send(_ request: LabRequest) throws
    /// What has arrived; nil at the end of file.
    func receive() throws -> [LabMessage]?
    /// Ends the connection, waits for the supervisor's end, and says how it ended.
    func close() -> String
    /// Ends the connection to a supervisor that was told to stay, and waits for nothing.
    func leave()
}

/// Where a run's evidence is written as it happens.
package protocol TrialRecorder: AnyObject {
    func open(_ trial: TrialName) throws
    func record(_ event: HistoryEvent) throws
    /// The trial's verdict by the analysis of what was written.
    func close(_ trial: TrialName) throws -> Verdict
}

/// Carries out what `RunMachine` decides; the only place of a run that waits.
package final class RunShell {
    private var machine: RunMachine
    private let openLab: () throws -> any LabConnection
    private let recorder: any TrialRecorder
    private let interrupts: Int32
    private let sweep: () -> String?
    private let mask: (String) -> String
    private let show: (RunDirective) -> Void
    private var lab: (any LabConnection)?
    private var outcome: RunOutcome?

    /// - Parameters:
    ///   - interrupts: a descriptor on which each caught signal arrives as one byte, its number.
    ///   - sweep: removes what a supervisor that is gone left, and answers what it could not.
    ///   - mask: hides the secrets in a text.
    ///   - show: gets every `status` and `note`.
    package init(
        machine: RunMachine, recorder: any TrialRecorder, interrupts: Int32,
        openLab: @escaping () throws -> any LabConnection, sweep: @escaping () -> String?,
        mask: @escaping (String) -> String = { $0 }, show: @escaping (RunDirective) -> Void
    ) {
        self.machine = machine
        self.recorder = recorder
        self.interrupts = interrupts
        self.openLab = openLab
        self.sweep = sweep
        self.mask = mask
        self.show = show
    }

    package func run() throws -> RunOutcome {
        defer {
            if outcome?.isKept == true { lab?.leave() } else { _ = lab?.close() }
        }
        try handle(.begin)
        while outcome == nil { try waitOnce() }
        return outcome ?? RunOutcome(end: .failed("the run did not end"), leftBehind: [])
    }

    private func waitOnce() throws {
        var descriptors = [pollfd(fd: interrupts, events: Int16(POLLIN), revents: 0)]
        if let lab {
            descriptors.append(pollfd(fd: lab.descriptor, events: Int16(POLLIN), revents: 0))
        }
        var timeout: Int32 = 1000
        if let deadline = machine.nextDeadline {
            let left = (deadline - .now).nanoseconds
            timeout = left <= 0 ? 0 : Int32(min(1000, (left + 999_999) / 1_000_000))
        }
        let ready = poll(&descriptors, nfds_t(descriptors.count), timeout)
        guard ready > 0 else {
            try handle(.tick)
            return
        }
        if descriptors[0].revents != 0 {
            var signal: UInt8 = 0
            if read(interrupts, &signal, 1) == 1 { try handle(.interrupt(Int32(signal))) }
        }
        if descriptors.count > 1, descriptors[1].revents != 0, let lab {
            if let messages = try lab.receive() {
                for message in messages {
                    try handle(.message(message.mappingTexts(mask)))
                }
            } else {
                self.lab = nil
                let how = lab.close()
                if machine.expectsLab { try handle(.labGone(how, left: sweep())) }
            }
        }
        try handle(.tick)
    }

    private func handle(_ event: RunEvent) throws {
        var directives: [RunDirective] = []
        machine.handle(event, now: .now, into: &directives)
        for directive in directives { try perform(directive) }
    }

    private func perform(_ directive: RunDirective) throws {
        switch directive {
        case .openLab:
            _ = lab?.close()
            lab = nil
            lab = try openLab()
        case .send(let request):
            // A supervisor that is gone is noticed by its end of file, which comes with the next poll.
            try? lab?.send(request)
        case .openTrial(let trial): try recorder.open(trial)
        case .record(let event): try recorder.record(event)
        case .closeTrial(let trial):
            let verdict = try LeaseRenewal.during(lab, every: RunMachine.renewal) {
                try recorder.close(trial)
            }
            try handle(.judged(verdict))
        case .status, .note: show(directive)
        case .finish(let outcome): self.outcome = outcome
        }
    }
}
