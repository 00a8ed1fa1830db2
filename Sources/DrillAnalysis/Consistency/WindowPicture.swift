/// Draws operations as a person would on paper: a row for each process, time from left to right.
///
/// ```
/// 0  ├─write 1─┤
/// 1       ├─read 2─┤
/// ```
///
/// Instants keep their order and not their distances: a column for each that differs.
package enum WindowPicture {
    package static func lines(
        _ operations: [RegisterOperation], of history: RegisterHistory
    ) -> [String] {
        let instants = Set(operations.flatMap { [$0.invoked, $0.completed].compactMap { $0 } })
            .sorted()
        let rank = Dictionary(uniqueKeysWithValues: zip(instants, 0...))
        let bars = operations.map { operation in
            Bar(
                process: operation.process, label: Array(history.spelled(operation.action)),
                from: rank[operation.invoked] ?? 0,
                end: operation.completed.flatMap { rank[$0] })
        }
        // A column is as wide as its widest name needs.
        let ending = Dictionary(grouping: bars) { $0.end ?? instants.count }
        var starts = Array(repeating: 0, count: instants.count + 1)
        for index in starts.indices.dropFirst() {
            starts[index] = starts[index - 1] + 2
            for bar in ending[index] ?? [] {
                starts[index] = max(starts[index], starts[bar.from] + bar.label.count + 3)
            }
        }
        let rows = rows(bars)
        let names = rows.map { history.name(ofProcess: $0.process) }
        let margin = names.map(\.count).max() ?? 1
        return zip(rows, names).map { row, name in
            var line: [Character] = []
            for bar in row.bars {
                let from = starts[bar.from]
                let end = starts[bar.end ?? instants.count]
                line += Array(repeating: " ", count: max(0, from - line.count))
                let fill = max(1, end - from - bar.label.count - 1)
                line.append("├")
                line += Array(repeating: "─", count: max(1, fill / 2))
                line += bar.label
                line += Array(repeating: "─", count: max(1, fill - fill / 2))
                line.append(bar.end == nil ? "…" : "┤")
            }
            return String(repeating: " ", count: margin - name.count) + name + "  " + String(line)
        }
    }

    /// An operation, its instants as columns.
    private struct Bar {
        var process: Int
        var label: [Character]
        var from: Int
        /// Nil: to the right edge.
        var end: Int?
    }

    /// A process that went on while nobody knows the end of what it did has a row more: no bar is drawn over another.
    private static func rows(_ bars: [Bar]) -> [(process: Int, bars: [Bar])] {
        let processes = Dictionary(grouping: bars, by: \.process)
        // Names are below zero, in the order in which they came.
        return processes.sorted {
            ($0.key < 0 ? 1 : 0, $0.key.magnitude) < ($1.key < 0 ? 1 : 0, $1.key.magnitude)
        }
        .flatMap { process, bars in
            var rows: [[Bar]] = []
            for bar in bars.sorted(by: { $0.from < $1.from }) {
                let free = rows.firstIndex { $0.last?.end.map { $0 <= bar.from } ?? false }
                if let free { rows[free].append(bar) } else { rows.append([bar]) }
            }
            return rows.map { (process: process, bars: $0) }
        }
    }

    /// What the picture shows, as the line above it.
    package static func caption(_ window: OffendingWindow, of history: RegisterHistory) -> String {
        let key = window.operations.first.map { history.keys[Int($0.key)] } ?? ""
        let place = key.isEmpty ? "" : " (key \(key))"
        if window.isForAnyStart {
            return "No register could show this\(place), whatever it held before:"
        }
        let initial = history.text(of: history.initial)
        return "No register that starts with \(initial) could show this\(place);"
            + " if it started with another value, say --initial VALUE:"
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
