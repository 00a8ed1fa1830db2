/// Numbers with their units, as people write them.
package enum Quantity {
    package enum Failure: Error, Hashable, Sendable {
        case noUnit
        case malformed
        case tooLarge
    }

    private static let durationUnits: [(name: String, exponent: Int, factor: Double)] = [
        ("ns", 0, 1), ("us", 3, 1), ("µs", 3, 1), ("ms", 6, 1), ("s", 9, 1), ("m", 9, 60),
        ("h", 9, 3600),
    ]
    private static let rateUnits: [(name: String, exponent: Int)] = [
        ("bit/s", 0), ("kbit/s", 3), ("Mbit/s", 6), ("Gbit/s", 9),
    ]
    private static let sizeUnits: [(name: String, factor: Double)] = [
        ("B", 1), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("KiB", 1024), ("MiB", 1_048_576),
        ("GiB", 1_073_741_824),
    ]

    package static func duration(_ text: String) -> Result<Duration, Failure> {
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
    package static func ratio(_ text: String) -> Result<Double, Failure> {
        guard let (number, unit) = split(text) else { return .failure(.malformed) }
        guard !unit.isEmpty else { return .failure(.noUnit) }
        guard unit == "%", let value = Double("\(number)e-2") else { return .failure(.malformed) }
        return value <= 1 ? .success(value) : .failure(.tooLarge)
    }

    /// `500/s`
    package static func perSecond(_ text: String) -> Result<Double, Failure> {
        guard let (number, unit) = split(text) else { return .failure(.malformed) }
        guard !unit.isEmpty else { return .failure(.noUnit) }
        guard unit == "/s", let value = Double(number), value > 0 else {
            return .failure(.malformed)
        }
        return value <= 1_000_000 ? .success(value) : .failure(.tooLarge)
    }

    /// `20Mbit/s` in bits a second; at most 1 Tbit/s.
    package static func rate(_ text: String) -> Result<UInt64, Failure> {
        guard let (number, unit) = split(text) else { return .failure(.malformed) }
        guard !unit.isEmpty else { return .failure(.noUnit) }
        guard let known = rateUnits.first(where: { $0.name == unit }),
            let value = Double("\(number)e\(known.exponent)")
        else { return .failure(.malformed) }
        return value <= 1e12 ? .success(UInt64(value.rounded())) : .failure(.tooLarge)
    }

    /// `64kB` in bytes; at most 1 PB.
    package static func size(_ text: String) -> Result<Int64, Failure> {
        guard let (number, unit) = split(text) else { return .failure(.malformed) }
        guard !unit.isEmpty else { return .failure(.noUnit) }
        guard let known = sizeUnits.first(where: { $0.name == unit }), let value = Double(number)
        else { return .failure(.malformed) }
        let bytes = (value * known.factor).rounded()
        return bytes <= 1e15 ? .success(Int64(bytes)) : .failure(.tooLarge)
    }

    /// A duration that may be negative: `-90s`, `+1h`.
    package static func offset(_ text: String) -> Result<Duration, Failure> {
        let isNegative = text.hasPrefix("-")
        let bare = isNegative || text.hasPrefix("+") ? String(text.dropFirst()) : text
        return duration(bare).map { isNegative ? .zero - $0 : $0 }
    }

    package static func count(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 9,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int(text)
    }

    /// `0.1` for 100 ms: decimal seconds without trailing zeros.
    package static func seconds(_ duration: Duration) -> String {
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
