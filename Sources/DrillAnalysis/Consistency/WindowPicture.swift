/// Draws operations as a person would on paper: a row for each process, time from left to right.
///
/// ```
/// 0  ├─write 1─┤
/// 1       ├─read 2─┤
/// ```
///
/// Instants keep their order and not their distances: a column for each that differs.
package enum WindowPicture {
    /// - Parameter name: how an action is spelled.
    package static func lines(
        _ operations: [RegisterOperation], name: (RegisterOperation.Action) -> String
    ) -> [String] {
        let instants = Set(operations.flatMap { [$0.invoked, $0.completed].compactMap { $0 } })
            .sorted()
        let rank = Dictionary(uniqueKeysWithValues: zip(instants, 0...))
        // A column is as wide as its widest name needs.
        var starts = Array(repeating: 0, count: instants.count + 1)
        for index in instants.indices {
            starts[index + 1] = max(starts[index + 1], starts[index] + 2)
            for operation in operations {
                let from = rank[operation.invoked] ?? 0
                let end = operation.completed.flatMap { rank[$0] } ?? instants.count
                guard end == index + 1 else { continue }
                starts[index + 1] = max(
                    starts[index + 1], starts[from] + name(operation.action).count + 3)
            }
        }
        let processes = Array(Set(operations.map(\.process))).sorted()
        let margin = processes.map { String($0).count }.max() ?? 1
        return processes.map { process in
            var row: [Character] = []
            for operation in operations where operation.process == process {
                let from = starts[rank[operation.invoked] ?? 0]
                let end = starts[operation.completed.flatMap { rank[$0] } ?? instants.count]
                row += Array(repeating: " ", count: max(0, from - row.count))
                let label = Array(name(operation.action))
                let fill = max(1, end - from - label.count - 1)
                row.append("├")
                row += Array(repeating: "─", count: max(1, fill / 2))
                row += label
                row += Array(repeating: "─", count: max(1, fill - fill / 2))
                row.append(operation.completed == nil ? "…" : "┤")
            }
            let number = String(process)
            return String(repeating: " ", count: margin - number.count) + number + "  "
                + String(row)
        }
    }
}

extension RegisterHistory {
    /// `write 1`, `read nil`, `cas 1 2`.
    package func spelled(_ action: RegisterOperation.Action) -> String {
        switch action {
        case .read(let value): "read \(text(of: value))"
        case .write(let value): "write \(text(of: value))"
        case .compareAndSet(let old, let new): "cas \(text(of: old)) \(text(of: new))"
        }
    }
}
