package import DrillCore

/// Register workloads: whether one register for each key could have shown what the clients saw.
package enum ConsistencyAnalysis {
    /// - Returns: nil without a register workload.
    package static func analyze(
        _ context: TrialContext,
        limits: LinearizabilityChecker.Limits = LinearizabilityChecker.Limits()
    ) -> ConsistencyReport? {
        guard context.scenario.workloads.contains(where: \.isRegister) else { return nil }
        let traces = context.traces.filter { $0.workload.isRegister }
        let history = RegisterHistory(traces.map { ($0.name, $0.operations) })
        if let gap = gap(in: context) {
            // A read of a write that is not in the record would look like a violation.
            return ConsistencyReport(
                operations: history.operations.count, keys: history.keys.count, reason: gap)
        }
        guard !history.operations.isEmpty else {
            return ConsistencyReport(
                operations: 0, keys: 0, reason: "no operation on a register was answered")
        }
        let finding = ConsistencyFinding.find(history, limits: limits)
        return ConsistencyReport(
            operations: finding.operations, keys: finding.keys, linearizable: finding.linearizable,
            reason: finding.reason, staleReads: finding.staleReads,
            lostUpdates: finding.lostUpdates,
            window: finding.window.flatMap { window($0, of: history, context) })
    }

    /// Why the record may lack an operation that took effect.
    private static func gap(in context: TrialContext) -> String? {
        if let gap = context.gaps.first { return gap }
        let registers = context.scenario.workloads.filter(\.isRegister).flatMap(\.streams)
        let lacking = Set(context.absent)
        if let stream = registers.first(where: lacking.contains) {
            return "there is no operation of \(stream)"
        }
        return nil
    }

    private static func window(
        _ window: OffendingWindow, of history: RegisterHistory, _ context: TrialContext
    ) -> ConsistencyWindow? {
        guard let first = window.operations.first else { return nil }
        let listed = window.listed(ConsistencyWindow.mostOperations)
        let milliseconds = { (nanoseconds: Int64) in
            context.milliseconds(RunInstant(nanoseconds: nanoseconds))
        }
        // The end of the latest operation in each row.
        var ends: [Int64] = []
        return ConsistencyWindow(
            key: history.keys[Int(first.key)],
            operations: listed.map { operation in
                let end = operation.completed ?? .max
                let free = ends.firstIndex { $0 < operation.invoked }
                if let free { ends[free] = end } else { ends.append(end) }
                return ConsistencyWindow.Operation(
                    row: free ?? ends.count - 1, action: history.spelled(operation.action),
                    invoked: milliseconds(operation.invoked),
                    completed: operation.completed.map(milliseconds), host: operation.host)
            },
            omitted: window.operations.count - listed.count,
            start: window.isForAnyStart ? nil : history.text(of: history.initial))
    }
}

extension RegisterHistory {
    /// What of the streams of register workloads took effect, or may have: answered reads, and writes that were not
    /// definitely refused. A compare-and-set that found another value changed nothing.
    package init(_ streams: [(name: StreamName, operations: [ClientOperation])]) {
        self.init()
        var process = 0
        for stream in streams {
            let kind: OperationKind = stream.name.rawValue.hasSuffix("/read") ? .read : .write
            for operation in stream.operations {
                guard let name = operation.key, let sent = operation.sent else { continue }
                let isAnswered = operation.outcome == .ok
                guard isAnswered || kind == .write && operation.outcome == .indeterminate else {
                    continue
                }
                let text = RegisterText(kind: kind, text: operation.value, isAnswered: isAnswered)
                guard text.answer != .compared(didSet: false) else { continue }
                let action: RegisterOperation.Action =
                    switch text.action {
                    case .read: .read(value(operation.value))
                    case .write(let new): .write(value(new))
                    case .compareAndSet(let old, let new): .compareAndSet(value(old), value(new))
                    }
                // The engine does one thing on a connection at a time; the picture numbers its rows itself.
                append(
                    RegisterOperation(
                        process: process, key: key(name), action: action,
                        invoked: sent.nanoseconds,
                        completed: isAnswered ? operation.completed?.nanoseconds : nil,
                        host: operation.host?.rawValue))
                process += 1
            }
        }
    }
}

extension Workload {
    package var isRegister: Bool { operation == .register }
}
