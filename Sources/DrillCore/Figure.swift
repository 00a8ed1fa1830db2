/// Numbers in sentences for a person.
enum Figure {
    /// Of nanoseconds.
    static func milliseconds(_ nanoseconds: Double) -> String {
        let size = abs(nanoseconds)
        let digits = size < 10e6 ? 2 : size < 100e6 ? 1 : 0
        return "\(decimal(nanoseconds / 1e6, digits)) ms"
    }

    static func percent(_ ratio: Double) -> String {
        let value = ratio * 100
        let digits = value == 0 || value >= 1 ? 1 : value >= 0.1 ? 2 : 3
        let text = decimal(value, digits)
        return "\(text.hasSuffix(".0") ? String(text.dropLast(2)) : text) %"
    }

    static func bitRate(_ bits: Double) -> String {
        bits >= 1e6 ? "\(decimal(bits / 1e6, 2)) Mbit/s" : "\(decimal(bits / 1e3, 1)) kbit/s"
    }

    /// With a few digits: `6.9 s`, `50.0 ms`.
    static func duration(_ duration: Duration) -> String {
        duration >= .seconds(1)
            ? "\(decimal(Double(duration.nanoseconds) / 1e9, 1)) s"
            : milliseconds(Double(duration.nanoseconds))
    }

    /// Foundation's formatting would bring all of it.
    static func decimal(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let whole = Int64((abs(value) * scale).rounded())
        let sign = value < 0 && whole > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(whole)" }
        let fraction = String(whole % Int64(scale))
        let padding = String(repeating: "0", count: digits - fraction.count)
        return "\(sign)\(whole / Int64(scale)).\(padding)\(fraction)"
    }
}
