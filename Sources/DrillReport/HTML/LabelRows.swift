/// Places labels above their instants so that no label covers another and no instant's line crosses a label.
package enum LabelRows {
    package struct Label {
        package var x: Double
        package var width: Double
        /// The text ends at `x` instead of beginning there: it would leave the picture.
        package var endsAtX = false
        /// Counted from the lowest.
        package var row = 0

        package var left: Double { endsAtX ? x - width : x }
        package var right: Double { endsAtX ? x : x + width }

        package init(x: Double, width: Double) {
            self.x = x
            self.width = width
        }
    }

    /// `labels` are ordered by x.
    package static func place(_ labels: [Label], right edge: Double) -> [Label] {
        var placed = labels
        // From the right: one that would leave the picture ends at its line, and so does one that would then
        // reach over such a line, unless it would leave the picture on the left.
        var limit = edge
        for index in placed.indices.reversed() where placed[index].x + placed[index].width > limit {
            guard placed[index].x - placed[index].width >= 0 else { continue }
            placed[index].endsAtX = true
            limit = placed[index].x
        }
        // A label that begins at its line must be higher than every line it reaches over.
        for index in placed.indices.reversed() where !placed[index].endsAtX {
            var row = 0
            for other in placed.indices where other > index && !placed[other].endsAtX {
                if placed[other].x < placed[index].right { row = max(row, placed[other].row + 1) }
            }
            placed[index].row = row
        }
        // One that ends at its line reaches back over lines and labels: above all of them.
        for index in placed.indices where placed[index].endsAtX {
            var row = 0
            for other in placed.indices where other != index {
                if placed[other].endsAtX, other > index { continue }
                if placed[other].right > placed[index].left,
                    placed[other].left < placed[index].right
                {
                    row = max(row, placed[other].row + 1)
                }
            }
            placed[index].row = row
        }
        return placed
    }

    /// The first row in which each span is free, from the top.
    static func pack(_ spans: [(left: Double, right: Double)]) -> [Int] {
        var ends: [[(left: Double, right: Double)]] = []
        return spans.map { span in
            let free = ends.firstIndex { row in
                row.allSatisfy { $0.right + 4 <= span.left || span.right + 4 <= $0.left }
            }
            let row = free ?? ends.count
            if free == nil { ends.append([]) }
            ends[row].append(span)
            return row
        }
    }

    /// About: no font is known here. Wide letters count double.
    static func width(of text: String, size: Double) -> Double {
        var units = 0.0
        for scalar in text.unicodeScalars { units += scalar.value >= 0x2E80 ? 1 : 0.56 }
        return units * size
    }

    /// Cut to what fits, with an ellipsis.
    static func fit(_ text: String, in width: Double, size: Double) -> String {
        if Self.width(of: text, size: size) <= width { return text }
        var cut = text
        while !cut.isEmpty, Self.width(of: cut + "…", size: size) > width { cut.removeLast() }
        return cut.isEmpty ? "" : cut + "…"
    }
}
