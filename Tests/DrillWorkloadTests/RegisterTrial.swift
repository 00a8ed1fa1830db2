import DrillAnalysis
import DrillCore
import DrillWorkload
import Testing

/// The four streams of a register workload in both lanes, and what they left.
struct RegisterTrial {
    struct Operation {
        var text: RegisterText
        var operation: ClientOperation
    }

    var trial: LoadTrial
    private let plan: [LoadStream]

    init(
        client: String, _ parameters: [String: String], prefix: String = "fd:t:1.1:w:",
        rate: Double = 200, timeout: Duration = .seconds(5), for length: Duration,
        meanwhile: @escaping @Sendable (RunInstant) -> Void = { _ in }
    ) async throws {
        plan = Lane.allCases.flatMap { lane in
            WorkloadOperation.register.kinds.map { kind in
                LoadStream(
                    name: StreamName(workload: "w", lane: lane, kind: kind), client: client,
                    parameters: parameters, lane: lane, kind: kind, rate: rate,
                    arrival: .constant, timeout: timeout, slow: timeout,
                    connections: Workload.defaultConnections(rate: rate, timeout: timeout),
                    stable: .seconds(1), k: 1, leastSent: 20, operation: .register,
                    prefix: prefix)
            }
        }
        trial = try await LoadTrial.run(plan, for: length, meanwhile: meanwhile)
    }

    /// Those that were sent.
    func operations(_ kind: OperationKind? = nil) -> [Operation] {
        zip(plan, trial.streams).flatMap { stream, operations in
            operations.filter { $0.sent != nil && (kind == nil || stream.kind == kind) }.map {
                let text = RegisterText(
                    kind: stream.kind, text: $0.value, isAnswered: $0.outcome == .ok)
                return Operation(text: text, operation: $0)
            }
        }
    }

    func count(_ outcome: Outcome) -> Int {
        operations().count { $0.operation.outcome == outcome }
    }

    func count(_ answer: RegisterAnswer) -> Int {
        operations().count { $0.text.answer == answer }
    }

    /// What each write, of either kind, gave its register.
    var given: [String] {
        operations(.write).compactMap {
            switch $0.text.action {
            case .write(let value), .compareAndSet(_, let value): value
            case .read: nil
            }
        }
    }

    /// What holds whatever the store does.
    func expectWellFormed(prefix: String = "fd:t:1.1:w:") {
        let all = operations()
        let keys = Set(all.compactMap(\.operation.key))
        #expect(keys == Set((0..<5).map { "\(prefix)\($0)" }))
        #expect(all.allSatisfy { $0.operation.key != nil })
        for entry in all {
            let value = entry.operation.outcome == .ok ? entry.text.text : entry.operation.value
            #expect(value == entry.operation.value)
        }
        // Half of the writes compare, and none gives a value that another one gives.
        #expect(Set(given).count == given.count)
        let comparing = operations(.write).count {
            if case .compareAndSet = $0.text.action { true } else { false }
        }
        #expect(abs(2 * comparing - given.count) <= 2)
    }

    var history: RegisterHistory {
        RegisterHistory(
            zip(plan, trial.streams).map { (name: $0.name, operations: $1) })
    }
}
