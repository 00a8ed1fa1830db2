import DrillCore

/// Operations as bars, a row for those that do not overlap, time from left to right.
///
/// Instants keep their order and not their distances, so that every bar has room for its name; what lies between is told
/// by the table below the picture.
enum WindowDrawing {
    private static let rowHeight = 26.0
    private static let gap = 14.0

    static func draw(_ window: ConsistencyWindow, label: String) -> Markup {
        let instants = Set(
            window.operations.flatMap { [$0.invoked, $0.completed].compactMap { $0 } }
        ).sorted()
        let rank = Dictionary(uniqueKeysWithValues: zip(instants, 0...))
        func column(_ instant: Double) -> Int { rank[instant] ?? 0 }
        // A column is as wide as its widest name needs; the last one is after everything.
        let last = instants.count
        var places = Array(repeating: gap, count: last + 1)
        for index in 1...max(1, last) where index <= last {
            places[index] = places[index - 1] + gap
            for operation in window.operations {
                let end = operation.completed.map(column) ?? last
                guard end == index else { continue }
                let width = LabelRows.width(of: operation.action, size: 11.5) + 14
                places[index] = max(places[index], places[column(operation.invoked)] + width)
            }
        }
        let width = (places.last ?? 0) + gap
        let rows = (window.operations.map(\.row).max() ?? 0) + 1
        var body: Markup = .none
        for operation in window.operations {
            let left = places[column(operation.invoked)]
            let right = operation.completed.map { places[column($0)] } ?? width
            let y = Double(operation.row) * rowHeight + 4
            let isRead = operation.action.hasPrefix("read")
            let style: Markup = isRead ? "claim" : "band"
            let end = operation.completed.map { "–\(Shown.fixed($0, 3))" } ?? "–?"
            let host = operation.host.map { ", \($0)" } ?? ""
            let title =
                "\(operation.action): \(Shown.fixed(operation.invoked, 3))\(end) ms\(host)"
            body +=
                "<g><title>\(title)</title><rect class=\"\(style)\" rx=\"3\" x=\"\(left)\" y=\"\(y)\" width=\"\(right - left)\" height=\"18\"/><text class=\"on-\(style)\" text-anchor=\"middle\" x=\"\((left + right) / 2)\" y=\"\(y + 13)\">\(operation.action)</text></g>"
        }
        let height = Double(rows) * rowHeight + 4
        return
            "<svg class=\"natural\" width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-label=\"\(label)\">\(body)</svg>"
    }
}
