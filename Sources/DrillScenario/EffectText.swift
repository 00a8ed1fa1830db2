import DrillCore

/// What is done to a link's packets, in words.
enum EffectText {
    static func of(_ effect: LinkEffect) -> String {
        switch effect {
        case .sink: "all vanish"
        case .impair(let impairment): words(impairment).joined(separator: ", ")
        }
    }

    /// `delay 25ms: 50 ms a round trip`; without the sum where a round trip has none.
    static func withRoundTrip(_ effect: LinkEffect, bothWays: Bool) -> String {
        let text = of(effect)
        guard case .impair(let impairment) = effect else {
            return text + (bothWays ? "" : ": the other direction is heard")
        }
        var sums: [String] = []
        if impairment.delay > .zero {
            let trip = impairment.delay * (bothWays ? 2 : 1)
            sums.append("\(trip.milliseconds.formattedShortly) ms a round trip")
        }
        if let loss = impairment.loss?.average, loss < 1 {
            let trip = bothWays ? 1 - (1 - loss) * (1 - loss) : loss
            sums.append("\(percent(trip)) of round trips lose a packet")
        }
        return sums.isEmpty ? text : "\(text): \(sums.joined(separator: ", "))"
    }

    private static func words(_ impairment: Impairment) -> [String] {
        var words: [String] = []
        if impairment.delay > .zero {
            var text = "delay \(impairment.delay.spelled)"
            if impairment.jitter > .zero {
                text += " ± \(impairment.jitter.spelled)"
                text += " \(impairment.distribution?.rawValue ?? "uniform")"
                text += correlation(impairment.jitterCorrelation)
            }
            words.append(text)
        }
        switch impairment.loss {
        case .random(let ratio)?: words.append("loss \(share(ratio))")
        case .gilbertElliott(let p, let r, let h, let k)?:
            words.append(
                "loss gilbert-elliott p \(percent(p)) r \(percent(r)) h \(percent(h)) k \(percent(k))"
            )
        case nil: break
        }
        if impairment.duplicate.ratio > 0 {
            words.append("duplicate \(share(impairment.duplicate))")
        }
        if impairment.corrupt.ratio > 0 { words.append("corrupt \(share(impairment.corrupt))") }
        if let reorder = impairment.reorder {
            words.append(
                "reorder \(share(reorder.ratio))" + (reorder.gap > 1 ? " gap \(reorder.gap)" : ""))
        }
        if let rate = impairment.rate {
            words.append(
                "rate \(bits(rate.bitsPerSecond))" + (rate.burst > 0 ? " burst \(rate.burst)B" : "")
            )
        }
        return words
    }

    private static func share(_ ratio: CorrelatedRatio) -> String {
        percent(ratio.ratio) + correlation(ratio.correlation)
    }

    private static func correlation(_ value: Double) -> String {
        value > 0 ? " (correlation \(percent(value)))" : ""
    }

    /// As many digits as tell it from its neighbours: `0.1 %`, `19 %`, `16.67 %`.
    static func percent(_ ratio: Double) -> String {
        let value = ratio * 100
        var scale = 1.0
        var text = "\(value)"
        for _ in 0..<7 {
            let rounded = (value * scale).rounded() / scale
            text = "\(rounded)"
            if (rounded - value).magnitude <= value.magnitude * 5e-4 { break }
            scale *= 10
        }
        return "\(text.hasSuffix(".0") ? String(text.dropLast(2)) : text) %"
    }

    private static func bits(_ rate: UInt64) -> String {
        for (unit, factor) in [
            ("Gbit/s", UInt64(1_000_000_000)), ("Mbit/s", 1_000_000), ("kbit/s", 1_000),
        ]
        where rate % factor == 0 && rate > 0 {
            return "\(rate / factor)\(unit)"
        }
        return "\(rate)bit/s"
    }
}

extension LossModel {
    /// Of all packets, in the long run; a correlation is left out, which makes it smaller.
    var average: Double {
        switch self {
        case .random(let ratio): ratio.ratio
        case .gilbertElliott(let p, let r, let h, let k):
            (p * (1 - h) + r * (1 - k)) / (p + r)
        }
    }
}
