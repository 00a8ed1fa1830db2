/// Milliseconds to pixels, and round numbers to label.
struct TimeScale {
    var range: ClosedRange<Double>
    var left: Double
    var right: Double

    func x(_ milliseconds: Double) -> Double {
        let span = max(range.upperBound - range.lowerBound, 1e-6)
        return left + (milliseconds - range.lowerBound) / span * (right - left)
    }

    /// Never outside of the picture, which a number out of range could otherwise leave.
    func clamped(_ milliseconds: Double) -> Double { min(right, max(left, x(milliseconds))) }

    func contains(_ milliseconds: Double) -> Bool { range.contains(milliseconds) }

    /// Ticks with their labels in seconds, at least `gap` pixels apart.
    func ticks(gap: Double) -> [(at: Double, label: String)] {
        let span = range.upperBound - range.lowerBound
        let least = span * gap / max(right - left, 1)
        var step = 1.0
        search: while true {
            for factor in [1.0, 2, 5] where step * factor >= least {
                step *= factor
                break search
            }
            step *= 10
        }
        let decimals = step >= 1000 ? 0 : step >= 100 ? 1 : step >= 10 ? 2 : 3
        var ticks: [(at: Double, label: String)] = []
        var index = (range.lowerBound / step).rounded(.up)
        while index * step <= range.upperBound, ticks.count < 200 {
            ticks.append((index * step, Shown.fixed(index * step / 1000, decimals)))
            index += 1
        }
        return ticks
    }
}
