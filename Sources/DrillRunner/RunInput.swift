package import DrillCore

/// All that decides a run.
package struct RunInput: Sendable {
    package var scenario: Scenario
    package var system: System
    package var seed: UInt64
    package var id: RunID
    /// The run folder; services' logs go to `logs` in it.
    package var folder: String
    /// Leave the lab standing at the end.
    package var keepLab: Bool
    package var version: String

    package init(
        scenario: Scenario, system: System, seed: UInt64, id: RunID, folder: String,
        keepLab: Bool = false, version: String
    ) {
        self.scenario = scenario
        self.system = system
        self.seed = seed
        self.id = id
        self.folder = folder
        self.keepLab = keepLab
        self.version = version
    }
}

package enum RunEvent: Sendable {
    case begin
    case message(LabMessage)
    /// A deadline that `nextDeadline` named may have come.
    case tick
    /// SIGINT, SIGTERM or SIGHUP by number.
    case interrupt(Int32)
    /// The lab's supervisor ended unasked. Its watchdog, or we after it, removed what it held; `left` says what could not be.
    case labGone(String, left: String?)
    /// What the analysis says of the trial that `closeTrial` named.
    case judged(Verdict)
}

package enum RunDirective: Hashable, Sendable {
    /// Start the lab's supervisor.
    case openLab
    case send(LabRequest)
    /// Events recorded from now on belong to this attempt of this trial.
    case openTrial(TrialName)
    case record(HistoryEvent)
    /// All files of the trial are complete; answer with `judged`.
    case closeTrial(TrialName)
    case status(RunStatus)
    /// A line that a person should see.
    case note(String)
    case finish(RunOutcome)
}

/// What a terminal shows while a run is under way.
package struct RunStatus: Hashable, Sendable {
    package var phase: String
    package var trial: Int
    package var trials: Int
    package var attempt: Int
    /// Of the operations decided in about the last second, all streams; nil before load runs.
    package var successRate: Double?
    package var primary: HostName?

    package init(
        phase: String, trial: Int, trials: Int, attempt: Int, successRate: Double?,
        primary: HostName?
    ) {
        self.phase = phase
        self.trial = trial
        self.trials = trials
        self.attempt = attempt
        self.successRate = successRate
        self.primary = primary
    }
}

/// How the run itself ended; what its trials show is the analysis's to say.
package struct RunOutcome: Hashable, Sendable {
    package enum End: Hashable, Sendable {
        case complete
        case interrupted(Int32)
        /// The machine cannot do it; nothing was changed that is not undone.
        case capability(String)
        case failed(String)
    }
    package var end: End
    /// What teardown could not remove.
    package var leftBehind: [String]
    /// The lab was told to stay, and does.
    package var isKept: Bool

    package init(end: End, leftBehind: [String], isKept: Bool = false) {
        self.end = end
        self.leftBehind = leftBehind
        self.isKept = isKept
    }
}
