/// One cell of a scenario file with every variable resolved.
package struct Scenario: Hashable, Sendable {
    package var name: String
    package var title: String
    /// The harm that is expected of this configuration; set: exit 0 means that it was seen.
    package var knownUnsafe: String?
    /// The values of this cell of the matrix, empty without a matrix.
    package var cell: [String: String]
    package var trials: Int
    package var retries: Int
    package var environment: [FaultUse]
    package var workloads: [Workload]
    package var steadyState: SteadyState
    /// How long a stretch must be clean to end an outage.
    package var stable: Duration
    package var timeline: [Step]
    /// At most this long after the last step.
    package var observe: Duration
    /// As written, and then those that are implied.
    package var expectations: [Expectation]
    package var aborts: [AbortCondition]

    package init(
        name: String, title: String = "", knownUnsafe: String? = nil, cell: [String: String] = [:],
        trials: Int = 1, retries: Int = 0, environment: [FaultUse] = [], workloads: [Workload],
        steadyState: SteadyState = SteadyState(), stable: Duration = .seconds(1),
        timeline: [Step], observe: Duration = .seconds(30), expectations: [Expectation] = [],
        aborts: [AbortCondition] = []
    ) {
        self.name = name
        self.title = title
        self.knownUnsafe = knownUnsafe
        self.cell = cell
        self.trials = trials
        self.retries = retries
        self.environment = environment
        self.workloads = workloads
        self.steadyState = steadyState
        self.stable = stable
        self.timeline = timeline
        self.observe = observe
        self.expectations = expectations
        self.aborts = aborts
    }
}

/// What is normal before anything is broken, and for how long it must be seen.
package struct SteadyState: Hashable, Sendable {
    /// 0...1; the noise count k follows from it.
    package var successRate: Double
    package var duration: Duration

    package init(successRate: Double = 1, duration: Duration = .seconds(2)) {
        self.successRate = successRate
        self.duration = duration
    }
}

package enum Arrival: String, Hashable, Sendable, Codable, CaseIterable { case constant, poisson }

package enum WorkloadOperation: String, Hashable, Sendable, Codable, CaseIterable {
    case get, ledger, register

    package var kinds: [OperationKind] {
        switch self {
        case .get: [.read]
        case .ledger: [.write]
        case .register: [.read, .write]
        }
    }
}

package struct Workload: Hashable, Sendable {
    package var name: WorkloadName
    /// A name in the client catalog: `http`, `tcp`.
    package var client: String
    package var from: HostSelector
    /// The client's own keys (url, close, address, send, expect), with variables replaced, names checked.
    package var parameters: [String: String]
    /// Operations a second, for each lane.
    package var rate: Double
    package var arrival: Arrival
    package var lanes: [Lane]
    package var operation: WorkloadOperation
    /// Counts from the intended instant.
    package var timeout: Duration
    /// How late a good answer may be; the time-out unless given.
    package var slow: Duration
    /// For each lane.
    package var connections: Int

    package init(
        name: WorkloadName, client: String, from: HostSelector = .host("client"),
        parameters: [String: String] = [:], rate: Double, arrival: Arrival = .constant,
        lanes: [Lane] = [.fresh], operation: WorkloadOperation = .get,
        timeout: Duration = .seconds(1), slow: Duration? = nil, connections: Int? = nil
    ) {
        self.name = name
        self.client = client
        self.from = from
        self.parameters = parameters
        self.rate = rate
        self.arrival = arrival
        self.lanes = lanes
        self.operation = operation
        self.timeout = timeout
        self.slow = slow ?? timeout
        self.connections =
            connections ?? Workload.defaultConnections(rate: rate, timeout: timeout)
    }

    /// The time between two intended instants of a lane (on average, for Poisson arrivals).
    package var period: Duration { .nanoseconds(Int64((1e9 / rate).rounded())) }

    /// rate × timeout connections carry an outage; fewer would hide it.
    package static func leastConnections(rate: Double, timeout: Duration) -> Int {
        max(1, Int((rate * Double(timeout.nanoseconds) / 1e9).rounded(.up)))
    }

    package static func defaultConnections(rate: Double, timeout: Duration) -> Int {
        Int((Double(leastConnections(rate: rate, timeout: timeout)) * 1.1).rounded(.up))
    }

    package var streams: [StreamName] {
        lanes.flatMap { lane in
            operation.kinds.map { StreamName(workload: name, lane: lane, kind: $0) }
        }
    }
}

/// A host by name or by the role it plays when it is needed; `*` is every other host.
package enum HostSelector: Hashable, Sendable, Codable, CustomStringConvertible {
    case host(HostName)
    case role(Role)
    case every

    package var description: String {
        switch self {
        case .host(let name): name.rawValue
        case .role(let role): role.rawValue
        case .every: "*"
        }
    }
}

/// `a->b`, `a<->b`.
package struct LinkSelector: Hashable, Sendable, Codable, CustomStringConvertible {
    package var from: HostSelector
    package var to: HostSelector
    package var bothWays: Bool

    package init(from: HostSelector, to: HostSelector, bothWays: Bool) {
        self.from = from
        self.to = to
        self.bothWays = bothWays
    }

    package var description: String { "\(from)\(bothWays ? "<->" : "->")\(to)" }
}

/// What a fault is done to.
package enum FaultTarget: Hashable, Sendable, Codable, CustomStringConvertible {
    case host(HostSelector)
    case link(LinkSelector)

    package var description: String {
        switch self {
        case .host(let selector): selector.description
        case .link(let selector): selector.description
        }
    }
}

/// A fault as a scenario uses it: its name in the catalog, its target and its own parameters.
package struct FaultUse: Hashable, Sendable, Codable {
    package var fault: String
    package var target: FaultTarget
    package var network: NetworkName?
    /// Only this traffic: `tcp/5432`, `udp/53`, `vrrp`.
    package var traffic: String?
    /// The fault's own keys, with variables replaced; `FaultCatalog` knows their kinds.
    package var parameters: [String: String]

    package init(
        fault: String, target: FaultTarget, network: NetworkName? = nil, traffic: String? = nil,
        parameters: [String: String] = [:]
    ) {
        self.fault = fault
        self.target = target
        self.network = network
        self.traffic = traffic
        self.parameters = parameters
    }
}

package struct Step: Hashable, Sendable {
    package var id: StepID
    package var start: Start
    /// Added to `start`, seeded uniform in [0, jitter].
    package var jitter: Duration
    package var action: Action
    package var end: End
    /// False: a preparation without an RTO of its own.
    package var measured: Bool

    package init(
        id: StepID, start: Start = .at(.zero), jitter: Duration = .zero, action: Action,
        end: End = .none, measured: Bool = true
    ) {
        self.id = id
        self.start = start
        self.jitter = jitter
        self.action = action
        self.end = end
        self.measured = measured
    }

    package enum Start: Hashable, Sendable {
        /// From the end of the steady state.
        case at(Duration)
        case after(EventReference, plus: Duration, atMost: Duration)
    }

    package enum Action: Hashable, Sendable {
        case fault(FaultUse)
        case switchover
    }

    package enum End: Hashable, Sendable {
        /// The step heals nothing.
        case none
        case duration(Duration)
        case event(EventReference, plus: Duration, atMost: Duration)
        /// The end of the observation.
        case observation
    }

    /// The fault's name, or `switchover`.
    package var actionName: String {
        switch action {
        case .fault(let use): use.fault
        case .switchover: "switchover"
        }
    }
}

package struct EventReference: Hashable, Sendable {
    package var step: StepID
    package var event: StepEvent

    package init(step: StepID, event: StepEvent) {
        self.step = step
        self.event = event
    }
}

/// What a step can wait for.
package enum StepEvent: String, Hashable, Sendable, Codable, CaseIterable {
    case injected, failover, stable, healed, redundant
}

/// `success_rate < 1% for 20s`, over the sliding duration, per stream, from the first t0 on.
package struct AbortCondition: Hashable, Sendable, Codable {
    package var comparison: Comparison
    package var successRate: Double
    package var duration: Duration
    package var text: String

    package init(comparison: Comparison, successRate: Double, duration: Duration, text: String) {
        self.comparison = comparison
        self.successRate = successRate
        self.duration = duration
        self.text = text
    }
}
