import DrillCore

/// Numbers with their units, as people write them.
enum Quantity {
    enum Failure: Error, Hashable {
        case noUnit
        case malformed
        case tooLarge
    }

    static let durationUnits: [(name: String, exponent: Int, factor: Double)] = [
        ("ns", 0, 1), ("us", 3, 1), ("µs", 3, 1), ("ms", 6, 1), ("s", 9, 1), ("m", 9, 60),
        ("h", 9, 3600),
    ]
    static let rateUnits = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]
    static let sizeUnits = ["B", "kB", "MB", "GB", "KiB", "MiB", "GiB"]

    static func duration(_ text: String) -> Result<Duration, Failure> {
        guard let (number, unit) = split(text) else { return .failure(.malformed) }
        guard !unit.isEmpty else { return .failure(.noUnit) }
        guard let known = durationUnits.first(where: { $0.name == unit }),
            let value = Double("\(number)e\(known.exponent)")
        else { return .failure(.malformed) }
        let nanoseconds = (value * known.factor).rounded()
        // A hundred days: no drill is near it, and sums of a few stay far from overflow.
        guard nanoseconds <= 8.64e15 else { return .failure(.tooLarge) }
        return .success(.nanoseconds(Int64(nanoseconds)))
    }

    /// `99.9%` as 0.999.
    static func ratio(_ text: String) -> Result<Double, Failure> {
        guard let (number, unit) = split(text) else { return .failure(.malformed) }
        guard !unit.isEmpty else { return .failure(.noUnit) }
        guard unit == "%", let value = Double("\(number)e-2") else { return .failure(.malformed) }
        return value <= 1 ? .success(value) : .failure(.tooLarge)
    }

    /// `500/s`
    static func perSecond(_ text: String) -> Result<Double, Failure> {
        guard let (number, unit) = split(text) else { return .failure(.malformed) }
        guard !unit.isEmpty else { return .failure(.noUnit) }
        guard unit == "/s", let value = Double(number), value > 0 else {
            return .failure(.malformed)
        }
        return value <= 1_000_000 ? .success(value) : .failure(.tooLarge)
    }

    static func withUnit(_ text: String, of units: [String]) -> Result<Void, Failure> {
        guard let (_, unit) = split(text) else { return .failure(.malformed) }
        guard !unit.isEmpty else { return .failure(.noUnit) }
        return units.contains(unit) ? .success(()) : .failure(.malformed)
    }

    static func count(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 9,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int(text)
    }

    /// `0.1` for 100 ms: decimal seconds without trailing zeros.
    static func seconds(_ duration: Duration) -> String {
        let nanoseconds = duration.nanoseconds
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        guard rest != 0 else { return "\(whole)" }
        var digits = String(rest)
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)"
    }

    /// The digits (with at most one point) and what follows; nil without digits.
    private static func split(_ text: String) -> (number: String, unit: String)? {
        let number = text.prefix { ("0"..."9").contains($0) || $0 == "." }
        guard let first = number.first, first != ".", number.last != ".",
            number.count(where: { $0 == "." }) <= 1, number.count <= 18
        else { return nil }
        return (String(number), String(text.dropFirst(number.count)))
    }
}
