import DrillCore
import Glibc

/// What clients saw: outcomes and latency of each stream.
extension TimelinePicture {
    mutating func draw(_ stream: Timeline.Stream) {
        let first = Int64(scale.range.lowerBound * 1e6)
        let last = Int64((scale.range.upperBound * 1e6).rounded(.up))
        let whole = stream.operations.last.map { ($0.intended - timeline.origin).nanoseconds } ?? 0
        let length = Bucket.length(
            span: last - first, width: scale.right - scale.left,
            operations: stream.operations.count, over: whole)
        // Buckets begin at round times, so that the same instant is in the same bucket in each picture.
        let start = first / length * length
        let count = Int((last - start) / length) + 1
        let buckets = Bucket.fill(
            stream.operations, slow: stream.slow,
            from: timeline.origin + .nanoseconds(start), length: length, count: count)
        let x = { [scale] (index: Int) -> Double in
            scale.clamped(Double(start + Int64(index) * length) / 1e6)
        }
        let bar = Duration.nanoseconds(length).milliseconds
        let each = language(
            "operations per \(Shown.duration(bar))", "每 \(Shown.duration(bar)) 的操作数")
        heading("\(stream.name) · \(each)")
        drawOutcomes(buckets, x)
        heading(
            language("latency: median and slowest", "延迟：中位与最慢")
                + (narrow ? "" : " · \(stream.name)"))
        drawLatencies(buckets, x)
        for (name, outage) in timeline.outages where name == stream.name {
            let end = outage.t5 ?? timeline.end
            guard end >= scale.range.lowerBound, outage.t1 <= scale.range.upperBound else {
                continue
            }
            let from = scale.clamped(outage.t1)
            let text = language(
                "outage \(Shown.duration(outage.t1)) – \(Shown.duration(end)): \(outage.bad) bad of \(outage.sent) sent",
                "中断 \(Shown.duration(outage.t1)) – \(Shown.duration(end))：发出 \(outage.sent)，失败 \(outage.bad)"
            )
            body +=
                "<rect class=\"hover\" x=\"\(from)\" y=\"\(y - 169)\" width=\"\(max(1, scale.clamped(end) - from))\" height=\"68\"><title>\(text)</title></rect>"
        }
    }

    private mutating func drawOutcomes(_ buckets: [Bucket], _ x: (Int) -> Double) {
        let height = 68.0
        let most = Double(buckets.map(\.intended).max() ?? 0)
        frame(height)
        body += tick(most > 0 ? Shown.count(Int(most)) : "", y + 9)
        body += tick("0", y + height)
        guard most > 0 else {
            y += height + 4
            return
        }
        var good = Blocks()
        var bad = Blocks()
        var unsent = Blocks()
        for (index, bucket) in buckets.enumerated() where bucket.intended > 0 {
            var base = y + height
            func piece(_ count: Int, _ blocks: inout Blocks) {
                guard count > 0 else { return }
                let tall = Double(count) / most * height
                base -= tall
                blocks.add(x(index), x(index + 1), top: base, height: tall)
            }
            piece(bucket.good, &good)
            piece(bucket.bad, &bad)
            piece(bucket.unsent, &unsent)
        }
        body +=
            "<path class=\"good\" d=\"\(good.path)\"><title>\(language("good", "成功"))</title></path>"
        body +=
            "<path class=\"bad\" d=\"\(bad.path)\"/><path class=\"bad-lines\" d=\"\(bad.path)\"><title>\(language("bad", "失败"))</title></path>"
        body +=
            "<path class=\"unsent\" d=\"\(unsent.path)\"><title>\(language("not sent", "未发出"))</title></path>"
        y += height + 4
    }

    private mutating func drawLatencies(_ buckets: [Bucket], _ x: (Int) -> Double) {
        let height = 76.0
        frame(height)
        let least = buckets.compactMap(\.median).min() ?? 0.1
        let most = buckets.compactMap(\.slowest).max() ?? 1
        let low = max(-4, log10(max(least, 1e-4)).rounded(.down))
        let high = max(low + 1, log10(max(most, 1e-4)).rounded(.up))
        func level(_ milliseconds: Double) -> Double {
            y + height - (log10(max(milliseconds, 1e-4)) - low) / (high - low) * height
        }
        var decade = low
        while decade <= high {
            let value = pow(10, decade)
            let text =
                value >= 1000
                ? "\(Int(value / 1000)) s"
                : value >= 1 ? "\(Int(value)) ms" : "\(Int((value * 1000).rounded())) µs"
            let at = level(value)
            if decade > low, decade < high {
                body += "<path class=\"grid\" d=\"M\(scale.left) \(at)H\(scale.right)\"/>"
            }
            body += tick(text, decade == low ? at : min(at + 4, at == y ? at + 9 : at + 4))
            decade += 1
        }
        var spread = Blocks()
        var median = Blocks()
        for (index, bucket) in buckets.enumerated() {
            guard let p50 = bucket.median, let slowest = bucket.slowest else { continue }
            let (top, middle) = (level(slowest), level(p50))
            spread.add(x(index), x(index + 1), top: top, height: max(0.8, middle - top))
            median.add(x(index), x(index + 1), top: middle - 0.9, height: 1.8)
        }
        body +=
            "<path class=\"spread\" d=\"\(spread.path)\"><title>\(language("from the median to the slowest answer", "中位到最慢"))</title></path>"
        body +=
            "<path class=\"median\" d=\"\(median.path)\"><title>\(language("median", "中位"))</title></path>"
        y += height + 4
    }

    private mutating func frame(_ height: Double) {
        panels.append(y...y + height)
        body += "<path class=\"axis\" d=\"M\(scale.left) \(y + height)H\(scale.right)\"/>"
    }

    private func tick(_ text: String, _ y: Double) -> Markup {
        "<text class=\"muted tick\" text-anchor=\"end\" x=\"\(scale.left - 5)\" y=\"\(y)\">\(text)</text>"
    }
}
