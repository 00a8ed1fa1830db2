package import DrillCore

/// One workload in one lane, with the counts that decide what is an outage in it.
package struct StreamPlan: Hashable, Sendable {
    package var stream: StreamName
    package var workload: WorkloadName
    package var rate: Double
    package var period: Duration
    package var slow: Duration
    /// N: operations intended in `stable.for`.
    package var operations: Int
    /// The smallest count of bad ones that is no noise.
    package var k: Int
    package var leastSent: Int
    package var connections: Int
    /// What is shorter may pass unseen: k periods.
    package var smallestOutage: Duration
    /// An RTO below this cannot be judged: slow + k periods.
    package var smallestRTO: Duration

    package init(_ workload: Workload, _ stream: StreamName, in scenario: Scenario) {
        self.stream = stream
        self.workload = workload.name
        rate = workload.rate
        period = workload.period
        slow = workload.slow
        connections = workload.connections
        operations = Noise.operations(rate: workload.rate, in: scenario.stable)
        k = Noise.threshold(
            operations: operations, successRate: scenario.steadyState.successRate)
        leastSent = Noise.leastSent(operations: operations)
        smallestOutage = workload.period * k
        smallestRTO = workload.slow + workload.period * k
    }

    package static func all(_ scenario: Scenario) -> [StreamPlan] {
        scenario.workloads.flatMap { workload in
            workload.streams.map { StreamPlan(workload, $0, in: scenario) }
        }
    }
}
