/// What the controller asks of the lab's supervisor: JSON lines on its standard input.
package struct LabRequest: Hashable, Sendable, Codable {
    /// Echoed in the reply; counts up from 1. What nobody waits for has −1.
    package var id: Int
    package var command: LabCommand

    package init(id: Int, command: LabCommand) {
        self.id = id
        self.command = command
    }
}

package enum LabCommand: Hashable, Sendable, Codable {
    /// First message; replied with `versions` and `LabCapabilities` in detail.
    case hello(version: String)
    /// Makes switch, hosts and addresses. Replied when hosts can reach one another.
    case build(LabSpec)
    /// Writes the files, runs `prepare`, starts `run`. Replied when it was executed. Remembered for `boot`.
    case start(HostName, ServiceName, ServiceInstance)
    /// Replied when ready, or as a failure when `timeout` is over.
    case awaitReady(HostName, ServiceName, ReadyCheck, timeout: Duration)
    case perform(FaultOperation)
    /// ARP requests and TCP connects from one host to an address for `duration`; `detail` has asked and answered.
    case reach(from: HostName, address: String, duration: Duration)
    /// Runs a program inside a host to its end; `output` and `status` in the reply.
    case execute(HostName, [String], timeout: Duration)
    /// Asks again and again until `unpoll` or the host's end; each answer is a `LabEvent.poll`.
    case poll(String, HostName, [String], equals: String, every: Duration)
    case unpoll(String)
    /// Reports the first line of the service's output that contains the text, per host; armed again by each call.
    case notice(ServiceName, text: String)
    /// Starts firedrill-load in the host's network namespace with its first command; its events come as `LabEvent.load`.
    case startLoad(String, HostName, LoadCommand)
    case load(String, LoadCommand)
    /// Sends packets over links until `stopPaths`; what became of them comes as `LabEvent.path`.
    case startPaths([ProbePath])
    /// By their `id`; what is still open is decided and told first.
    case stopPaths([String])
    /// Looks whether a change of a host is in effect: `proven` in detail, a sentence in `output`.
    case inspect(FaultOperation)
    /// The controller lives: every change that it asked for may stay for another `LabSpec.lease`.
    case renew
    /// Stay when the controller goes, and listen on lab.sock.
    case keep
    /// End everything and answer when nothing is left.
    case teardown
}

package struct LabSpec: Hashable, Sendable, Codable {
    package var run: RunID
    /// The system's name, by which `firedrill heal SYSTEM` finds what it left.
    package var system: String?
    /// Where services' logs are written, `<host>.<service>.log`; exists.
    package var logs: String
    package var networks: [Network]
    package var hosts: [LabHost]
    /// Without a `renew` for so long (CLOCK_BOOTTIME), everything is healed.
    package var lease: Duration
    /// Nil: netem where the kernel has it, else the emulator.
    package var backend: LinkBackend?

    package init(
        run: RunID, system: String? = nil, logs: String, networks: [Network], hosts: [LabHost],
        lease: Duration = .seconds(10), backend: LinkBackend? = nil
    ) {
        self.run = run
        self.system = system
        self.logs = logs
        self.networks = networks
        self.hosts = hosts
        self.lease = lease
        self.backend = backend
    }
}

/// What delays and loses the packets of an impaired link.
package enum LinkBackend: String, Hashable, Sendable, Codable, CaseIterable {
    /// The kernel's sch_netem.
    case netem
    /// Our own, in user space, for kernels without it.
    case emulator
}

package struct LabHost: Hashable, Sendable, Codable {
    package var name: HostName
    /// One for each network that the host is on: eth0, eth1, …, as `10.77.0.11/24`.
    package var ports: [LabPort]
    /// Runs load: a wide local port range and tcp_tw_reuse.
    package var isClient: Bool

    package init(name: HostName, ports: [LabPort], isClient: Bool) {
        self.name = name
        self.ports = ports
        self.isClient = isClient
    }
}

package struct LabPort: Hashable, Sendable, Codable {
    package var network: NetworkName
    package var address: String
    package var prefixLength: Int

    package init(network: NetworkName, address: String, prefixLength: Int) {
        self.network = network
        self.address = address
        self.prefixLength = prefixLength
    }
}

/// A line on the supervisor's standard output: the answer to a request, or something that happened.
package enum LabMessage: Hashable, Sendable, Codable {
    case reply(LabReply)
    case event(LabEvent)
}

extension LabMessage {
    /// With every text that a person may get to read changed: it may quote a program's arguments or output.
    package func mappingTexts(_ change: (String) -> String) -> LabMessage {
        switch self {
        case .reply(var reply):
            if let message = reply.failure?.message { reply.failure?.message = change(message) }
            // A single word is a value, which nobody reads and which must stay what it is.
            let sentence = { (text: String) in text.contains(" ") ? change(text) : text }
            reply.output = reply.output.map(sentence)
            reply.detail = reply.detail.mapValues(sentence)
            return .reply(reply)
        case .event(.healed(let by, let why, let outcomes, let interval)):
            let masked = outcomes.map { outcome in
                var outcome = outcome
                outcome.message = outcome.message.map(change)
                return outcome
            }
            return .event(.healed(by: by, why: change(why), masked, interval))
        case .event(.load(let name, .failed(let why))):
            return .event(.load(name, .failed(change(why))))
        case .event(.load(let name, .verified(let batches, var facts))):
            if let failure = facts?.failure { facts?.failure = change(failure) }
            return .event(.load(name, .verified(batches, facts)))
        case .event(.log(let text)): return .event(.log(change(text)))
        case .event: return self
        }
    }
}

package struct LabReply: Hashable, Sendable, Codable {
    package var id: Int
    package var failure: LabFailure?
    /// From just before the request was acted on to its acknowledgement by the kernel.
    package var interval: InstantInterval
    package var output: String?
    package var status: Int32?
    /// Of an undoing: what was found, and so done. Nil for everything else.
    package var verdict: HealVerdict?
    package var detail: [String: String]

    package init(
        id: Int, failure: LabFailure? = nil, interval: InstantInterval, output: String? = nil,
        status: Int32? = nil, verdict: HealVerdict? = nil, detail: [String: String] = [:]
    ) {
        self.id = id
        self.failure = failure
        self.interval = interval
        self.output = output
        self.status = status
        self.verdict = verdict
        self.detail = detail
    }
}

package struct LabFailure: Hashable, Sendable, Codable, Error, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable, Codable {
        /// The machine cannot do it: exit 4, with the remedy in the message.
        case capability
        case failed
        case timedOut
    }
    package var kind: Kind
    /// What was tried, what the kernel said (extended ack, errno), what to do.
    package var message: String
    package var errno: Int32?

    package init(kind: Kind, message: String, errno: Int32? = nil) {
        self.kind = kind
        self.message = message
        self.errno = errno
    }
    package var description: String { message }
}

package enum LabEvent: Hashable, Sendable, Codable {
    /// An IPv4 or IPv6 address came or went; the interval is [the listener's previous wake, this wake].
    case address(HostName, address: String, present: Bool, InstantInterval)
    /// The address listener of a host was lost or found its queue overrun (false), or has dumped afresh (true).
    case observing(HostName, Bool, InstantInterval)
    case poll(
        String, HostName, value: Bool, asked: RunInstant, answered: RunInstant, bootID: String)
    case booted(HostName, bootID: String, RunInstant)
    /// A host's first process ended and nobody had asked for it: what is measured from here on is not the system.
    case hostEnded(HostName, RunInstant)
    case serviceExited(HostName, ServiceName, status: Int32, RunInstant)
    case noticed(HostName, line: String, InstantInterval)
    case load(String, LoadEvent)
    case path(ProbeBucket)
    /// Changes were taken back without an order: the lease was over, the watchdog or the emulator ended. Why, in words.
    case healed(by: HealedBy, why: String, [HealOutcome], InstantInterval)
    case log(String)
}

/// What became of one change that was taken back.
package struct HealOutcome: Hashable, Sendable, Codable {
    /// The change, as it was asked for.
    package var operation: FaultOperation
    package var verdict: HealVerdict
    /// Why it could not be restored.
    package var message: String?

    package init(operation: FaultOperation, verdict: HealVerdict, message: String? = nil) {
        self.operation = operation
        self.verdict = verdict
        self.message = message
    }
}
