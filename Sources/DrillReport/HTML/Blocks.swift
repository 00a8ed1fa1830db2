/// Bars as one path; neighbours of one height become one bar, which keeps a report of many trials small.
struct Blocks {
    private struct Block {
        var left: Double
        var right: Double
        var top: Double
        var height: Double
    }

    private var done: Markup = .none
    private var last: Block?

    /// From left to right.
    mutating func add(_ left: Double, _ right: Double, top: Double, height: Double) {
        if let block = last, left - block.right < 0.05, abs(block.top - top) < 0.05,
            abs(block.height - height) < 0.05
        {
            last?.right = right
            return
        }
        if let last { done += Self.path(last) }
        last = Block(left: left, right: right, top: top, height: height)
    }

    var path: Markup { last.map { done + Self.path($0) } ?? done }

    private static func path(_ block: Block) -> Markup {
        // From the same rounded numbers on both sides, so that no seam is left between neighbours.
        "M\(block.left) \(block.top)H\(max(block.right, block.left + 0.4))v\(block.height)H\(block.left)z"
    }
}
