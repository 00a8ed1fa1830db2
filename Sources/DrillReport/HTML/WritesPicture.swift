import DrillCore

/// Acknowledged writes over time, those that are gone among them, and the faults.
struct WritesPicture {
    private let scale: TimeScale
    private let language: Language
    private let narrow: Bool
    private var y = 0.0
    private var body: Markup = .none

    /// Nil where nothing was acknowledged.
    static func draw(
        _ trial: TrialReport, _ marks: LedgerMarks, _ history: History, width: Double,
        label: String, _ language: Language
    ) -> Markup? {
        let intended = history.streams.compactMap { $0.operations.first?.intended }.min()
        guard let origin = intended else { return nil }
        let all = [marks.kept, marks.lost, marks.divergent, marks.unread]
            .map { instants in instants.map { ($0 - origin).milliseconds } }
        guard let last = all.joined().max() else { return nil }
        let faults = trial.steps.compactMap { step in
            step.instants.t0Low.map { (name: step.step, at: $0) }
        }
        // The same axis as the picture of the whole trial has.
        let seen = history.events.map(\.interval.high).max().map { ($0 - origin).milliseconds }
        let end = max(1, last, faults.map(\.at).max() ?? 0, seen ?? 0)
        var picture = WritesPicture(end: end, width: width, language)
        let resurrected = marks.resurrected.map { ($0 - origin).milliseconds }
        picture.drawAll(all, resurrected, faults, several: trial.steps.count > 1)
        return picture.svg(label: label, width: width, marks)
    }

    private init(end: Double, width: Double, _ language: Language) {
        self.language = language
        narrow = width < 600
        scale = TimeScale(range: 0...end, left: narrow ? 40 : 64, right: width - (narrow ? 6 : 14))
    }

    private mutating func drawAll(
        _ all: [[Double]], _ resurrected: [Double], _ faults: [(name: String, at: Double)],
        several: Bool
    ) {
        let labels = LabelRows.place(
            faults.map { fault in
                let text = several ? "\(fault.name) t0" : "t0"
                return .init(
                    x: scale.clamped(fault.at), width: LabelRows.width(of: text, size: 11.5) + 8)
            }, right: scale.right)
        y = Double((labels.map(\.row).max() ?? -1) + 1) * 15 + 6
        let top = y
        drawBars(all)
        drawLane(language("lost", "丢失"), all[1], "bad", "bad-lines")
        drawLane(language("divergent", "分叉"), all[2], "overlap", nil)
        drawLane(language("resurrected", "复活"), resurrected, "rto", nil)
        drawLane(language("not read", "未读"), all[3], "unsent", nil)
        for (fault, label) in zip(faults, labels) {
            let text = several ? "\(fault.name) t0" : "t0"
            let row = top - 4 - Double(label.row) * 15
            let anchor: Markup = label.endsAtX ? " text-anchor=\"end\"" : .none
            body +=
                "<g><title>\(text): \(Shown.fixed(fault.at / 1000, 3)) s</title><path class=\"instant\" d=\"M\(label.x) \(row - 10)V\(y)\"/><text class=\"strong\" x=\"\(label.endsAtX ? label.x - 4 : label.x + 4)\" y=\"\(row)\"\(anchor)>\(text)</text></g>"
        }
        drawAxis()
    }

    /// Bars of what was acknowledged, what is gone on top: at least two units high, so that one of thousands is seen.
    private mutating func drawBars(_ all: [[Double]]) {
        let height = 64.0
        let span = scale.range.upperBound
        let length = Self.round(span / max(1, (scale.right - scale.left) / 4))
        let count = Int(span / length) + 1
        var counts = all.map { _ in [Int](repeating: 0, count: count) }
        for (kind, instants) in all.enumerated() {
            for instant in instants where instant >= 0 {
                counts[kind][min(count - 1, Int(instant / length))] += 1
            }
        }
        let most = Double(
            (0..<count).map { index in counts.reduce(0) { $0 + $1[index] } }.max() ?? 0)
        let caption = language(
            "acknowledged per \(Shown.duration(length))", "每 \(Shown.duration(length)) 确认数")
        body += "<text class=\"muted\" x=\"\(scale.left)\" y=\"\(y + 8)\">\(caption)</text>"
        y += 14
        body +=
            "<rect class=\"lane\" x=\"\(scale.left)\" y=\"\(y)\" width=\"\(scale.right - scale.left)\" height=\"\(height)\"/>"
        body +=
            "<text class=\"muted tick\" text-anchor=\"end\" x=\"\(scale.left - 6)\" y=\"\(y + 9)\">\(Shown.count(Int(most)))</text>"
        body +=
            "<text class=\"muted tick\" text-anchor=\"end\" x=\"\(scale.left - 6)\" y=\"\(y + height)\">0</text>"
        guard most > 0 else { return }
        let styles: [Markup] = ["good", "bad", "overlap", "unsent"]
        var blocks = all.map { _ in Blocks() }
        for index in 0..<count {
            var base = y + height
            let left = scale.clamped(Double(index) * length)
            let right = scale.clamped(Double(index + 1) * length)
            for kind in all.indices where counts[kind][index] > 0 {
                let exact = Double(counts[kind][index]) / most * height
                let size = min(base - y, kind == 0 ? exact : max(2, exact))
                blocks[kind].add(left, right, top: base - size, height: size)
                base -= size
            }
        }
        for (style, block) in zip(styles, blocks) {
            body += "<path class=\"\(style)\" d=\"\(block.path)\"/>"
        }
        body += "<path class=\"bad-lines\" d=\"\(blocks[1].path)\"/>"
        y += height + 4
    }

    /// Each such write as a mark of its own, however few they are.
    private mutating func drawLane(
        _ name: String, _ instants: [Double], _ style: Markup, _ over: Markup?
    ) {
        guard let first = instants.min(), let last = instants.max() else { return }
        var blocks = Blocks()
        var end = -1.0
        for instant in instants.sorted() {
            let x = scale.clamped(instant)
            guard x + 1 > end else { continue }
            let left = max(x - 1, end)
            blocks.add(left, x + 1, top: y + 3, height: 10)
            end = x + 1
        }
        let title =
            "\(name): \(Shown.count(instants.count)), \(Shown.fixed(first / 1000, 3))–\(Shown.fixed(last / 1000, 3)) s"
        let label = LabelRows.fit(name, in: scale.left - 6, size: 11)
        body +=
            "<g><title>\(title)</title><rect class=\"lane\" x=\"\(scale.left)\" y=\"\(y + 2)\" width=\"\(scale.right - scale.left)\" height=\"12\"/><text class=\"muted tick\" text-anchor=\"end\" x=\"\(scale.left - 4)\" y=\"\(y + 12)\">\(label)</text><path class=\"\(style)\" d=\"\(blocks.path)\"/>"
        if let over { body += "<path class=\"\(over)\" d=\"\(blocks.path)\"/>" }
        body += "</g>"
        y += 17
    }

    private mutating func drawAxis() {
        body += "<path class=\"axis\" d=\"M\(scale.left) \(y)H\(scale.right)\"/>"
        for (at, label) in scale.ticks(gap: narrow ? 44 : 70) {
            let x = scale.x(at)
            body +=
                "<path class=\"axis\" d=\"M\(x) \(y)v4\"/><text class=\"muted tick\" text-anchor=\"middle\" x=\"\(x)\" y=\"\(y + 16)\">\(label)</text>"
        }
        y += 22
    }

    private func svg(label: String, width: Double, _ marks: LedgerMarks) -> Markup {
        let spoken = language(
            "\(marks.kept.count) kept, \(marks.lost.count) lost, \(marks.divergent.count) divergent, \(marks.unread.count) not read back",
            "保留 \(marks.kept.count)，丢失 \(marks.lost.count)，分叉 \(marks.divergent.count)，未回读 \(marks.unread.count)"
        )
        let kind: Markup = narrow ? "narrow" : "wide"
        return
            "<svg class=\"picture \(kind)\" viewBox=\"0 0 \(width) \(y)\" role=\"img\" aria-label=\"\(label)\"><desc>\(spoken)</desc>\(body)</svg>\n"
    }

    /// The next of 1, 2, 5, 10, … milliseconds.
    private static func round(_ least: Double) -> Double {
        var step = 1.0
        while true {
            for factor in [1.0, 2, 5] where step * factor >= least { return step * factor }
            step *= 10
        }
    }
}
