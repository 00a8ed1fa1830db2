package import DrillCore

/// `trial-N.ops.csv`: the operations of a trial for people and other programs, both ways.
package enum OperationsCSV {
    static let columns = [
        "stream", "kind", "key", "value", "host", "intended_ns", "dispatched_ns", "sent_ns",
        "completed_ns", "outcome",
    ]

    package static func encode(_ streams: [OperationStream]) -> [UInt8] {
        var out = [UInt8](CSVTable.line(columns).utf8)
        for stream in streams {
            let kind = stream.name.rawValue.split(separator: "/").last.map(String.init) ?? ""
            for operation in stream.operations {
                out +=
                    CSVTable.line([
                        stream.name.rawValue, kind, operation.key, operation.value,
                        operation.host?.rawValue, String(operation.intended.nanoseconds),
                        String(operation.dispatched.nanoseconds),
                        operation.sent.map { String($0.nanoseconds) },
                        operation.completed.map { String($0.nanoseconds) },
                        operation.outcome.rawValue,
                    ]).utf8
            }
        }
        return out
    }

    /// Columns may stand in any order, further ones are ignored, and lines may end in CRLF. A missing
    /// `dispatched_ns` is the intended instant: whoever made the file saw no lag.
    ///
    /// - Returns: streams in the order of their first line, their operations ordered by intended instant.
    /// - Throws: every mistake with its place, the first twenty of them.
    package static func parse(
        _ bytes: [UInt8], file: String
    ) throws(CSVProblems) -> [OperationStream] {
        var problems = CSVProblems(file: file)
        let table = CSVTable(bytes, problems: &problems)
        var place: [String: Int] = [:]
        for (index, field) in table.header.enumerated() {
            guard let name = field.text, columns.contains(name) else { continue }
            if place.updateValue(index, forKey: name) != nil {
                problems.add(field.line, field.column, "column '\(name)' stands here twice")
            }
        }
        for name in ["stream", "intended_ns", "outcome"] where place[name] == nil {
            problems.add(
                1, 1,
                "column '\(name)' is missing; the columns are \(columns.joined(separator: ","))")
        }
        guard problems.messages.isEmpty else { throw problems }

        var order: [StreamName] = []
        var operations: [StreamName: [ClientOperation]] = [:]
        for row in table.rows {
            if row.count == 1, row[0].text == nil { continue }
            if row.count != table.header.count {
                problems.add(
                    row[0].line, row[0].column,
                    "\(row.count) fields, the header has \(table.header.count)")
                continue
            }
            var reader = RowReader(row: row, place: place, problems: problems)
            let read = reader.operation()
            problems = reader.problems
            guard let (stream, operation) = read else { continue }
            if operations[stream] == nil { order.append(stream) }
            operations[stream, default: []].append(operation)
            if problems.isFull { break }
        }
        guard problems.messages.isEmpty else { throw problems }
        return order.map { name in
            // Stable, so that operations intended at the same instant keep the file's order.
            let sorted = (operations[name] ?? []).enumerated()
                .sorted { ($0.element.intended, $0.offset) < ($1.element.intended, $1.offset) }
            return OperationStream(name: name, operations: sorted.map(\.element))
        }
    }

    private struct RowReader {
        let row: [CSVTable.Field]
        let place: [String: Int]
        var problems: CSVProblems

        private func field(_ name: String) -> CSVTable.Field? { place[name].map { row[$0] } }

        private mutating func add(_ name: String, _ text: String) {
            let field = field(name) ?? row[0]
            problems.add(field.line, field.column, text)
        }

        private mutating func instant(_ name: String) -> RunInstant? {
            guard let field = field(name), let text = field.text else { return nil }
            guard let nanoseconds = Int64(text) else {
                add(name, "'\(text)' is no whole number of nanoseconds")
                return nil
            }
            return RunInstant(nanoseconds: nanoseconds)
        }

        private mutating func stream() -> StreamName? {
            guard let text = field("stream")?.text else {
                add("stream", "the stream is missing")
                return nil
            }
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 3, !parts[0].isEmpty, Lane(rawValue: String(parts[1])) != nil,
                let kind = OperationKind(rawValue: String(parts[2]))
            else {
                add("stream", "'\(text)' is not workload/(fresh|kept)/(read|write)")
                return nil
            }
            if let said = field("kind")?.text, said != kind.rawValue {
                add("kind", "'\(said)' is not the stream's '\(kind.rawValue)'")
                return nil
            }
            return StreamName(text)
        }

        private mutating func outcome() -> Outcome? {
            let text = field("outcome")?.text ?? ""
            guard let outcome = Outcome(rawValue: text) else {
                let words = Outcome.allCases.map(\.rawValue).joined(separator: ", ")
                add("outcome", "'\(text)' is none of \(words)")
                return nil
            }
            return outcome
        }

        mutating func operation() -> (StreamName, ClientOperation)? {
            let before = problems.messages.count
            let stream = stream()
            let outcome = outcome()
            let intended = instant("intended_ns")
            let dispatched = instant("dispatched_ns")
            let sent = instant("sent_ns")
            let completed = instant("completed_ns")
            guard problems.messages.count == before, let stream, let outcome else { return nil }
            guard let intended else {
                add("intended_ns", "the intended instant is missing")
                return nil
            }
            if outcome.isUnsent, sent != nil {
                add("sent_ns", "an operation that is \(outcome.rawValue) has no sent instant")
            }
            if outcome == .ok, completed == nil {
                add("completed_ns", "an operation that is ok has a completed instant")
            }
            if let sent, let completed, completed < sent {
                add("completed_ns", "completed before it was sent")
            }
            return (
                stream,
                ClientOperation(
                    intended: intended, dispatched: dispatched ?? intended, sent: sent,
                    completed: completed, outcome: outcome, key: field("key")?.text,
                    value: field("value")?.text,
                    host: (field("host")?.text).map(HostName.init(rawValue:)))
            )
        }
    }
}
