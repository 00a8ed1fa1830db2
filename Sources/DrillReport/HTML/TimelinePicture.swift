import DrillCore

/// The picture of a trial: one SVG from top to bottom, everything on one time axis.
struct TimelinePicture {
    let timeline: Timeline
    let language: Language
    let width: Double
    let scale: TimeScale
    let narrow: Bool
    var y = 0.0
    var body: Markup = .none
    /// Where the instants' lines are drawn over what is under them.
    var panels: [ClosedRange<Double>] = []

    static let wide = 1080.0
    static let narrow = 360.0

    /// - Parameter range: the part of the trial that is shown, in milliseconds.
    static func draw(
        _ timeline: Timeline, range: ClosedRange<Double>, width: Double, label: String,
        _ language: Language
    ) -> Markup {
        var picture = TimelinePicture(timeline, range, width, language)
        picture.drawAll()
        return picture.svg(label: label)
    }

    private init(
        _ timeline: Timeline, _ range: ClosedRange<Double>, _ width: Double, _ language: Language
    ) {
        self.timeline = timeline
        self.language = language
        self.width = width
        narrow = width < 600
        scale = TimeScale(range: range, left: narrow ? 48 : 64, right: width - (narrow ? 6 : 14))
    }

    private mutating func drawAll() {
        let marks = placedMarks()
        let rows = Double((marks.map(\.label.row).max() ?? -1) + 1)
        let top = rows * 15 + 4
        y = top
        drawBands()
        drawRecoveries()
        drawLanes()
        for stream in timeline.streams { draw(stream) }
        let bottom = y
        drawAxis()
        // Behind everything: the bands' shade and the instants' lines, which need the height of the rest.
        var behind: Markup = .none
        for band in timeline.bands {
            guard let end = band.end, end > scale.range.lowerBound,
                band.start < scale.range.upperBound
            else { continue }
            let x = scale.clamped(band.start)
            behind +=
                "<rect class=\"shade\" x=\"\(x)\" y=\"\(top)\" width=\"\(max(0, scale.clamped(end) - x))\" height=\"\(bottom - top)\"/>"
        }
        for (mark, label) in marks {
            let from = top - 2 - Double(label.row) * 15
            behind +=
                "<g><title>\(name(mark)) \(mark.meaning): \(Shown.fixed(mark.at / 1000, 3)) s</title><path class=\"instant\" d=\"M\(label.x) \(from - 10)V\(bottom)\"/>"
            let anchor: Markup = label.endsAtX ? " text-anchor=\"end\"" : .none
            let x = label.endsAtX ? label.x - 4 : label.x + 4
            let meaning: Markup = narrow ? .none : "<tspan class=\"muted\"> \(mark.meaning)</tspan>"
            let name = name(mark)
            behind +=
                "<text x=\"\(x)\" y=\"\(from - 2)\"\(anchor)><tspan class=\"strong\">\(name)</tspan>\(meaning)</text></g>"
        }
        var over: Markup = .none
        for (_, label) in marks {
            for panel in panels { over += "M\(label.x) \(panel.lowerBound)V\(panel.upperBound)" }
        }
        body = behind + body + "<path class=\"instant\" d=\"\(over)\"/>"
    }

    private func svg(label: String) -> Markup {
        let kind: Markup = narrow ? "narrow" : "wide"
        return
            "<svg class=\"picture \(kind)\" viewBox=\"0 0 \(width) \(y)\" role=\"img\" aria-label=\"\(label)\"><desc>\(description)</desc>\(body)</svg>\n"
    }

    /// The picture in words, for those who do not see it.
    private var description: String {
        var sentences = timeline.bands.map { band in
            let until = band.end.map { language(" until ", "，至 ") + Shown.duration($0) } ?? ""
            return language("\(band.title) at ", "\(band.title)，始于 ") + Shown.duration(band.start)
                + until
        }
        for (stream, outage) in timeline.outages {
            let end = outage.t5.map(Shown.duration) ?? "…"
            sentences.append(
                language(
                    "\(stream) out of service from \(Shown.duration(outage.t1)) to \(end)",
                    "\(stream) 从 \(Shown.duration(outage.t1)) 到 \(end) 不可用"))
        }
        for lane in timeline.lanes {
            for claim in lane.claims {
                sentences.append(
                    language(
                        "\(lane.host.rawValue) primary from \(Shown.duration(claim.start)) to \(Shown.duration(claim.end))",
                        "\(lane.host.rawValue) 从 \(Shown.duration(claim.start)) 到 \(Shown.duration(claim.end)) 为主"
                    ))
            }
        }
        return sentences.joined(separator: "; ")
    }

    // MARK: Instants

    private func placedMarks() -> [(mark: Timeline.Mark, label: LabelRows.Label)] {
        var shown: [Timeline.Mark] = []
        for mark in timeline.marks where scale.contains(mark.at) {
            if let last = shown.last, last.step == mark.step,
                scale.x(mark.at) - scale.x(last.at) < 1.5
            {
                shown[shown.count - 1].name = [last.name, mark.name].filter { !$0.isEmpty }
                    .joined(separator: " ")
                shown[shown.count - 1].meaning = mark.meaning
            } else {
                shown.append(mark)
            }
        }
        let labels = shown.map { mark in
            let text = narrow ? name(mark) : "\(name(mark)) \(mark.meaning)"
            return LabelRows.Label(
                x: scale.x(mark.at), width: LabelRows.width(of: text, size: 11.5) + 10)
        }
        return Array(zip(shown, LabelRows.place(labels, right: width)))
    }

    /// `t0`, `kill t0`; where there is no room for a meaning, the heal is named.
    private func name(_ mark: Timeline.Mark) -> String {
        let name = mark.name.isEmpty && narrow ? language("heal", "复原") : mark.name
        return [mark.step, name].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: " ")
    }

    // MARK: Steps and recovery

    private mutating func drawBands() {
        let bands = timeline.bands.filter {
            ($0.end ?? $0.start) >= scale.range.lowerBound && $0.start <= scale.range.upperBound
        }
        let spans = bands.map { band -> (left: Double, right: Double) in
            let x = scale.clamped(band.start)
            let end = max(x + 3, scale.clamped(band.end ?? band.start))
            let text = LabelRows.width(of: band.title, size: 11.5) + 12
            return (x, text <= end - x ? end : end + text)
        }
        let rows = LabelRows.pack(spans)
        for (band, row) in zip(bands, rows) {
            let x = scale.clamped(band.start)
            let length = max(3, scale.clamped(band.end ?? band.start) - x)
            let top = y + Double(row) * 22
            body +=
                "<g><title>\(band.title)</title><rect class=\"band\" x=\"\(x)\" y=\"\(top)\" width=\"\(length)\" height=\"18\" rx=\"2\"/>"
            body += inside(band.title, x, length, top + 13, "on-band")
            body += "</g>"
        }
        y += Double((rows.max() ?? -1) + 1) * 22
    }

    /// Text in a bar where it fits, right of it where not.
    private func inside(_ text: String, _ x: Double, _ length: Double, _ y: Double, _ style: Markup)
        -> Markup
    {
        let size = 11.5
        if LabelRows.width(of: text, size: size) + 12 <= length {
            return "<text class=\"\(style)\" x=\"\(x + 6)\" y=\"\(y)\">\(text)</text>"
        }
        let room = scale.right - x - length - 6
        if room > 60 {
            return
                "<text class=\"halo\" x=\"\(x + length + 5)\" y=\"\(y)\">\(LabelRows.fit(text, in: room, size: size))</text>"
        }
        return
            "<text class=\"\(style)\" x=\"\(x + 6)\" y=\"\(y)\">\(LabelRows.fit(text, in: max(0, length - 12), size: size))</text>"
    }

    private mutating func drawRecoveries() {
        let shown = timeline.recoveries.filter {
            $0.from <= scale.range.upperBound
                && $0.from + ($0.rto.value ?? $0.rto.low ?? 0) >= scale.range.lowerBound
        }
        let blocks = shown.map(block)
        let rows = LabelRows.pack(blocks.map { ($0.left, $0.right) })
        let height = shown.contains { $0.predicted != nil } ? 36.0 : 20
        for (block, row) in zip(blocks, rows) { draw(block, top: y + Double(row) * height) }
        y += Double((rows.max() ?? -1) + 1) * height + 2
    }

    /// A recovery with the place of its bars and texts.
    private struct Block {
        var recovery: Timeline.Recovery
        var start: Double
        var end: Double
        var text: String
        var predicted: (from: Double, to: Double, text: String, isLeft: Bool)?
        var left: Double
        var right: Double
    }

    private func block(_ recovery: Timeline.Recovery) -> Block {
        let start = scale.clamped(recovery.from)
        let value = recovery.rto.value ?? recovery.rto.low ?? 0
        let end = max(start + 2, scale.clamped(recovery.from + value))
        let interval = narrow ? nil : Shown.interval(recovery.rto)
        let text =
            "RTO \(Shown.measure(recovery.rto, language))" + (interval.map { " " + $0 } ?? "")
        let size = LabelRows.width(of: text, size: 11.5) + 12
        var block = Block(
            recovery: recovery, start: start, end: end, text: text, left: start,
            right: size <= end - start ? end : end + size)
        if let predicted = recovery.predicted {
            let from = scale.clamped(recovery.from + predicted.lowerBound)
            let to = max(from + 2, scale.clamped(recovery.from + predicted.upperBound))
            let (numbers, unit) = Shown.range(predicted.lowerBound, predicted.upperBound)
            let short = language("predicted \(numbers) \(unit)", "预测 \(numbers) \(unit)")
            let long = (recovery.source.map { "\($0): " } ?? "") + short
            let room = max(scale.right - to, from) - 8
            let fits = !narrow && LabelRows.width(of: long, size: 11.5) + 8 <= room
            let text = fits ? long : short
            let size = LabelRows.width(of: text, size: 11.5) + 8
            let isLeft = scale.right - to <= size
            block.predicted = (from, to, text, isLeft)
            block.left = min(block.left, isLeft ? from - size : from)
            block.right = max(block.right, isLeft ? to : to + size)
        }
        return block
    }

    private mutating func draw(_ block: Block, top: Double) {
        let rto = block.recovery.rto
        var length = block.end - block.start
        body += "<g><title>RTO \(Shown.measure(rto, language)) \(Shown.interval(rto) ?? "")</title>"
        switch rto.status {
        case .censored:
            // Without an end: nobody saw one.
            length = max(10, min(scale.right, block.end + 12) - block.start)
            body +=
                "<path class=\"rto\" d=\"M\(block.start) \(top)H\(block.start + length - 9)l9 8l-9 8H\(block.start)z\"/>"
        case .measured, .unknown, .notApplicable:
            body +=
                "<rect class=\"rto\" x=\"\(block.start)\" y=\"\(top)\" width=\"\(length)\" height=\"16\" rx=\"2\"/>"
            let from = scale.clamped(block.recovery.from + (rto.low ?? rto.value ?? 0))
            if block.end - from > 2 {
                body +=
                    "<rect class=\"uncertain\" x=\"\(from)\" y=\"\(top)\" width=\"\(block.end - from)\" height=\"16\"/>"
            }
        }
        body += inside(block.text, block.start, length, top + 12, "on-rto") + "</g>"
        guard let predicted = block.predicted else { return }
        body +=
            "<g><title>\(predicted.text)</title><rect class=\"predicted\" x=\"\(predicted.from)\" y=\"\(top + 19)\" width=\"\(predicted.to - predicted.from)\" height=\"12\" rx=\"2\"/>"
        if predicted.isLeft {
            body +=
                "<text class=\"muted halo\" text-anchor=\"end\" x=\"\(predicted.from - 6)\" y=\"\(top + 29)\">\(predicted.text)</text>"
        } else {
            body +=
                "<text class=\"muted halo\" x=\"\(predicted.to + 6)\" y=\"\(top + 29)\">\(predicted.text)</text>"
        }
        body += "</g>"
    }

    // MARK: Roles

    private mutating func drawLanes() {
        guard !timeline.lanes.isEmpty else { return }
        heading(language("who is primary", "主角色持有者"))
        let top = y
        for lane in timeline.lanes {
            body +=
                "<text x=\"\(scale.left - 6)\" y=\"\(y + 12)\" text-anchor=\"end\"><title>\(lane.host.rawValue)</title>\(LabelRows.fit(lane.host.rawValue, in: scale.left - 8, size: 11.5))</text>"
            body +=
                "<rect class=\"lane\" x=\"\(scale.left)\" y=\"\(y)\" width=\"\(scale.right - scale.left)\" height=\"16\"/>"
            for state in lane.states {
                span(
                    state.span, "state", word(state.kind),
                    title: "\(lane.host.rawValue): \(word(state.kind))"
                        + (state.effect.map { ", \($0)" } ?? ""))
            }
            for blind in lane.unobserved {
                span(
                    blind, "blind", language("not observed", "未观测"),
                    title: "\(lane.host.rawValue): \(language("not observed", "未观测"))")
            }
            for claim in lane.claims {
                let text = language("primary", "主")
                span(
                    claim, "claim", text,
                    title:
                        "\(lane.host.rawValue): \(text) \(Shown.duration(claim.start)) – \(Shown.duration(claim.end))"
                )
            }
            for claim in lane.latent {
                let text = language("holds the role, out of reach", "持有角色但不可达")
                span(claim, "latent", "", title: "\(lane.host.rawValue): \(text)")
            }
            y += 20
        }
        let seen = timeline.splitBrain.seen == true
        var tags: [ClosedRange<Double>] = []
        for overlap in timeline.overlaps
        where overlap.end > scale.range.lowerBound && overlap.start < scale.range.upperBound {
            let x = scale.clamped(overlap.start)
            let length = max(2, scale.clamped(overlap.end) - x)
            let word = seen ? language("split brain", "脑裂") : language("handover", "交接重叠")
            let text = "\(word) \(Shown.duration(overlap.end - overlap.start))"
            let style: Markup = seen ? "overlap" : "handover"
            body +=
                "<g><title>\(text)</title><rect class=\"\(style)\" x=\"\(x)\" y=\"\(top - 2)\" width=\"\(length)\" height=\"\(y - top)\" rx=\"2\"/>"
            if seen {
                let size = LabelRows.width(of: text, size: 11.5) + 12
                let room = scale.right - x - length
                let at =
                    size <= length
                    ? x + length / 2 : (room > size ? x + length + size / 2 : x - size / 2)
                let middle = (top + y) / 2 - 3
                let tag = (at - size / 2)...(at + size / 2)
                // Where two are close together, the first is said, and the others by their titles.
                if !tags.contains(where: tag.overlaps) {
                    tags.append(tag)
                    body +=
                        "<rect class=\"tag\" x=\"\(at - size / 2 + 2)\" y=\"\(middle - 9)\" width=\"\(size - 4)\" height=\"18\" rx=\"9\"/><text class=\"on-tag\" text-anchor=\"middle\" x=\"\(at)\" y=\"\(middle + 4)\">\(text)</text>"
                }
            }
            body += "</g>"
        }
        y += 4
    }

    private mutating func span(
        _ span: RoleLane.Span, _ style: Markup, _ text: String, title: String
    ) {
        guard span.end >= scale.range.lowerBound, span.start <= scale.range.upperBound else {
            return
        }
        let x = scale.clamped(span.start)
        let length = max(1.5, scale.clamped(span.end) - x)
        body +=
            "<g><title>\(title)</title><rect class=\"\(style)\" x=\"\(x)\" y=\"\(y)\" width=\"\(length)\" height=\"16\" rx=\"2\"/>"
        if LabelRows.width(of: text, size: 11.5) + 14 <= length {
            body += "<text class=\"on-\(style)\" x=\"\(x + 6)\" y=\"\(y + 12)\">\(text)</text>"
        }
        body += "</g>"
    }

    private func word(_ state: HistoryEvent.ProvenState) -> String {
        switch state {
        case .silent: language("silent", "静默")
        case .frozen: language("frozen", "冻结")
        case .dead: language("dead", "已断电")
        case .isolated: language("cut off", "被隔离")
        }
    }

    // MARK: Headings and axis

    mutating func heading(_ text: String) {
        y += 12
        let fitted = LabelRows.fit(text, in: scale.right - scale.left, size: 11)
        body += "<text class=\"muted halo\" x=\"\(scale.left)\" y=\"\(y)\">\(fitted)</text>"
        y += 5
    }

    private mutating func drawAxis() {
        y += 2
        let unit = language("s after the first operation", "秒（自首个操作起）")
        body += "<path class=\"axis\" d=\"M\(scale.left) \(y)H\(scale.right)\"/>"
        for (at, label) in scale.ticks(gap: narrow ? 44 : 60) {
            let x = scale.x(at)
            body += "<path class=\"axis\" d=\"M\(x) \(y)v4\"/>"
            body +=
                "<text class=\"muted tick\" text-anchor=\"middle\" x=\"\(x)\" y=\"\(y + 15)\">\(label)</text>"
        }
        y += 30
        body +=
            "<text class=\"muted tick\" text-anchor=\"end\" x=\"\(scale.right)\" y=\"\(y)\">\(unit)</text>"
        y += 6
    }
}
