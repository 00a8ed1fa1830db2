package import DrillCore

/// What is asked of the emulator's process: JSON lines on its standard input. Its end is the end of all lanes.
package struct EmulatorRequest: Hashable, Sendable, Codable {
    /// Echoed in the reply.
    package var id: Int
    package var command: EmulatorCommand

    package init(id: Int, command: EmulatorCommand) {
        self.id = id
        self.command = command
    }
}

package enum EmulatorCommand: Hashable, Sendable, Codable {
    /// Makes a TAP device of this name in the emulator's own network namespace. What is redirected to it leaves at the
    /// interface `output`, past its qdisc and filters. Whoever asks sets its alias and sets it up.
    case open(String, output: String, seed: UInt64)
    /// What the lane does from now on; what it holds keeps its time.
    case set(String, Impairment)
    /// The device goes, with what it holds.
    case close(String)
    /// Nothing is steered to the device any more. What it holds leaves at its time, then the device goes; at the latest
    /// after `limit`, with the rest. Answered at once; where nothing is held, the device has gone by then.
    case drain(String, limit: Duration)
    case counters(String)
    /// Answered as soon as the loop comes round.
    case ping
}

package struct EmulatorReply: Hashable, Sendable, Codable {
    package var id: Int
    /// What failed, with the remedy where there is one.
    package var failure: LabFailure?
    package var counters: EmulatorCounters?

    package init(id: Int, failure: LabFailure? = nil, counters: EmulatorCounters? = nil) {
        self.id = id
        self.failure = failure
        self.counters = counters
    }
}

/// Packets of one lane since it was opened.
package struct EmulatorCounters: Hashable, Sendable, Codable {
    package var received = 0
    package var sent = 0
    package var lost = 0
    package var duplicated = 0
    package var corrupted = 0
    package var reordered = 0
    /// No room in the queue.
    package var overflowed = 0
    /// The kernel refused to send them.
    package var refused = 0
    /// Dropped by the device before they were read: its queue was full.
    package var unread = 0

    package init() {}
}
