import DrillCore

/// The link's rate: when a packet that is ready has passed.
///
/// Without a burst it is netem's: each packet takes its own time on the line, after the one before. With a burst it is a token
/// bucket: what fits into the tokens passes at once. Packets never overtake one another here.
struct Bottleneck: Sendable {
    private var limit: RateLimit?
    /// Of everything that was let through, with a limit or without.
    private var latest = Int64.min
    /// Nanoseconds of line time that are saved up, at `countedAt`.
    private var credit: Int64 = 0
    private var countedAt = Int64.min

    /// A bucket begins full; one that stays the same keeps what is in it.
    mutating func set(_ limit: RateLimit?) {
        guard limit != self.limit else { return }
        self.limit = limit.flatMap { $0.bitsPerSecond == 0 ? nil : $0 }
        credit = capacity
        countedAt = .min
    }

    private var capacity: Int64 { limit.map { time(of: $0.burst, $0) } ?? 0 }

    private func time(of bytes: Int, _ limit: RateLimit) -> Int64 {
        let (whole, rest) = (UInt64(bytes) * 8_000_000_000).quotientAndRemainder(
            dividingBy: limit.bitsPerSecond)
        return Int64(whole + (rest == 0 ? 0 : 1))
    }

    /// - Parameter ready: When it would go if the line were free.
    mutating func departure(of bytes: Int, ready: Int64) -> Int64 {
        guard let limit else {
            latest = max(latest, ready)
            return ready
        }
        let begin = max(latest, ready)
        let needed = time(of: bytes, limit)
        if limit.burst == 0 {
            latest = begin + needed
        } else {
            // One that is longer than the bucket waits until the rest has come.
            let saved = countedAt == .min ? credit : min(capacity, credit + begin - countedAt)
            latest = begin + max(0, needed - saved)
            credit = max(0, saved - needed)
            countedAt = latest
        }
        return latest
    }
}
