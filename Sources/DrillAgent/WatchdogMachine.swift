package import DrillCore

/// What the agent tells its watchdog: JSON lines through a pipe.
package enum WatchdogMessage: Hashable, Sendable, Codable {
    /// Alive, and until when the lease holds; nil: nothing is held.
    case beat(until: BootInstant?)
    /// Nothing is left that anybody had to heal.
    case farewell
}

/// Decides what the watchdog does. It acts only when its agent has died, or has been silent and without a lease: it then
/// ends the agent first, waits for its exit, and takes the journal's lock, so that there are never two that heal.
package struct WatchdogMachine: Sendable {
    package enum Event: Hashable, Sendable {
        case message(WatchdogMessage)
        /// Everything that the agent wrote before was handed in as `message`.
        case tick
        case agentDied
        /// The lock is held, the epoch raised, the journal read.
        case locked([UndoRecord])
        case lockRefused(String)
        case undone(HealVerdict, String?)
        /// Everything of the run is removed, or this is what stays.
        case removed([String])
    }

    package enum Directive: Hashable, Sendable {
        /// SIGKILL through the pidfd; `agentDied` follows.
        case killAgent
        case takeLock
        /// Compare and restore, and answer with `undone`.
        case undo(UndoRecord)
        case append(JournalEntry)
        /// What holds no value to restore: processes, control groups, folders; the journal, where all is restored.
        case remove(keepsJournal: Bool)
        case finish(status: Int32)
    }

    enum State: Hashable, Sendable { case watching, killing, locking, undoing, removing, finished }

    /// Two beats and a bit: an agent whose lease is over heals by itself as long as it runs.
    package static let silence = Duration.milliseconds(600)

    private let bootID: String
    private(set) var state = State.watching
    private var until: BootInstant?
    /// Since when nothing was heard, by looks that came in time.
    private var silentSince: BootInstant?
    private var lastLook: BootInstant?
    private var sequence: HealSequence?
    package var outcomes: [UndoOutcome] { sequence?.outcomes ?? [] }

    package init(bootID: String) { self.bootID = bootID }

    package mutating func handle(_ event: Event, now: BootInstant, into out: inout [Directive]) {
        switch (event, state) {
        case (.message(.beat(let until)), .watching):
            self.until = until
            silentSince = now
        case (.message(.farewell), .watching): finish(0, &out)
        case (.tick, .watching): look(now, &out)
        case (.agentDied, .watching), (.agentDied, .killing):
            state = .locking
            out.append(.takeLock)
        case (.locked(let open), .locking):
            state = .undoing
            sequence = HealSequence(open, bootID: bootID, by: .watchdog)
            next(&out)
        case (.lockRefused, .locking):
            // Whoever has it heals.
            finish(0, &out)
        case (.undone(let verdict, let message), .undoing):
            if let entry = sequence?.undone(verdict, message) { out.append(.append(entry)) }
            next(&out)
        case (.removed(let left), .removing):
            finish(left.isEmpty && sequence?.isRestored ?? true ? 0 : 5, &out)
        case (.message, _), (.tick, _), (.agentDied, _), (.locked, _), (.lockRefused, _),
            (.undone, _), (.removed, _):
            break
        }
    }

    private mutating func look(_ now: BootInstant, _ out: inout [Directive]) {
        // This process itself may have been stopped: the agent gets its time anew.
        if let lastLook, now - lastLook > Self.silence { silentSince = now }
        lastLook = now
        let since = silentSince ?? now
        silentSince = since
        guard let until, now > until, now - since > Self.silence else { return }
        state = .killing
        out.append(.killAgent)
    }

    private mutating func next(_ out: inout [Directive]) {
        while let step = sequence?.next() {
            switch step {
            case .undo(let record): return out.append(.undo(record))
            case .write(let entry): out.append(.append(entry))
            }
        }
        state = .removing
        out.append(.remove(keepsJournal: !(sequence?.isRestored ?? true)))
    }

    private mutating func finish(_ status: Int32, _ out: inout [Directive]) {
        state = .finished
        out.append(.finish(status: status))
    }
}
