import DrillCore
import Glibc

/// How numbers are shown to people: never more digits than the interval supports.
enum Shown {
    /// `decimals` digits after the point, rounded to nearest.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite else { return "?" }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = (value * scale).rounded()
        guard abs(scaled) < 9e15 else { return "\(value)" }
        let digits = String(Int64(abs(scaled)))
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        let sign = scaled < 0 ? "−" : ""
        return decimals == 0
            ? sign + padded : sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
    }

    /// A unit and the digits after its point, chosen once for a value and its bounds.
    struct Scale: Equatable {
        var seconds: Bool
        var decimals: Int

        /// Milliseconds below one second. An interval of 250 ms supports tenths of a second, one of 3 ms
        /// hundredths; more than that no reader can use.
        init(milliseconds value: Double, width: Double?) {
            seconds = abs(value) >= 1000
            let most = seconds ? 2 : (value != 0 && abs(value) < 10 ? 1 : 0)
            guard let width, width > 0 else {
                decimals = most
                return
            }
            let supported = Int((-log10(seconds ? width / 1000 : width)).rounded(.up))
            decimals = min(most, max(0, supported))
        }

        var unit: String { seconds ? "s" : "ms" }

        func number(_ milliseconds: Double) -> String {
            fixed(seconds ? milliseconds / 1000 : milliseconds, decimals)
        }
        func text(_ milliseconds: Double) -> String { number(milliseconds) + " " + unit }
    }

    static func duration(_ milliseconds: Double) -> String {
        Scale(milliseconds: milliseconds, width: nil).text(milliseconds)
    }

    /// Three significant digits: `0.35 ms`, `12.4 ms`, `940 ms`, `1.25 s`.
    static func latency(_ milliseconds: Double) -> String {
        let value = abs(milliseconds)
        if value >= 1000 { return fixed(milliseconds / 1000, 2) + " s" }
        return fixed(milliseconds, value >= 100 ? 0 : value >= 10 ? 1 : 2) + " ms"
    }

    static func scale(_ measure: Measure) -> Scale? {
        guard let value = measure.value ?? measure.high ?? measure.low else { return nil }
        var width: Double?
        if let low = measure.low, let high = measure.high { width = high - low }
        return Scale(milliseconds: value, width: width)
    }

    /// `3.35 s`, `> 8.00 s`, `unknown: reason`, `–`.
    static func measure(_ measure: Measure, _ language: Language = .en) -> String {
        switch measure.status {
        case .measured:
            guard let value = measure.value, let scale = scale(measure) else { return "–" }
            return scale.text(value)
        case .censored:
            guard let bound = measure.value ?? measure.low else {
                return language("censored", "删失")
            }
            return "> " + Scale(milliseconds: bound, width: nil).text(bound)
        case .unknown:
            let word = language("unknown", "未知")
            return measure.reason.map { "\(word): \($0)" } ?? word
        case .notApplicable: return "–"
        }
    }

    /// `[3.34, 3.35]` in the unit of `measure`, or nil where there is no interval.
    static func interval(_ measure: Measure) -> String? {
        guard measure.status == .measured, let low = measure.low, let high = measure.high,
            let scale = scale(measure)
        else { return nil }
        return "[\(scale.number(low)), \(scale.number(high))]"
    }

    /// `98.71 %`; rounded down, so that 99.999 % is never shown as 100 %.
    static func percent(_ ratio: Double, decimals: Int = 2) -> String {
        guard ratio.isFinite else { return "?" }
        if ratio == 1 { return "100 %" }
        var scale = 100.0
        for _ in 0..<decimals { scale *= 10 }
        // The product of a decimal fraction can fall one unit in the last place below its number.
        let floored = (ratio * scale + 1e-7).rounded(.down)
        return fixed(floored / scale * 100, decimals) + " %"
    }

    /// `2.61–3.61`, and its unit.
    static func range(_ low: Double, _ high: Double) -> (numbers: String, unit: String) {
        let scale = Scale(milliseconds: high, width: nil)
        return ("\(scale.number(low))–\(scale.number(high))", scale.unit)
    }

    /// With thin separators: `12 345`.
    static func count(_ number: Int) -> String {
        let digits = String(abs(number))
        var out = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { out += "\u{202F}" }
            out.append(digit)
        }
        return (number < 0 ? "−" : "") + out
    }

    /// An expectation's observed value in its metric's unit.
    static func observed(_ expectation: ExpectationReport, _ language: Language = .en) -> String {
        switch expectation.observed {
        case .none: return "–"
        case .word(let word): return word
        case .number(let number):
            switch unit(of: expectation.metric) {
            case .duration:
                return expectation.metric.hasPrefix("latency") ? latency(number) : duration(number)
            case .ratio: return percent(number)
            case .count: return number == number.rounded() ? fixed(number, 0) : fixed(number, 2)
            case .occurrence: return fixed(number, 0)
            }
        }
    }

    static func unit(of metric: String) -> MetricUnit {
        let name = metric.split(separator: ".").first.map(String.init) ?? metric
        return MetricCatalog.named(name)?.unit ?? .count
    }
}
