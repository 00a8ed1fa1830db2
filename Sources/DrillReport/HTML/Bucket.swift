import DrillCore

/// The operations of one stream that were intended in one stretch of time.
struct Bucket {
    var good = 0
    var bad = 0
    var unsent = 0
    /// Milliseconds of the answered operations, from the intended instant.
    var median: Double?
    var slowest: Double?

    var intended: Int { good + bad + unsent }

    /// How long a bucket is in `width` pixels of `span` nanoseconds: a round number, about five pixels, and never
    /// fewer than four operations, so that bars show the system and not the schedule.
    static func length(span: Int64, width: Double, operations: Int, over whole: Int64) -> Int64 {
        let period = operations > 1 ? Double(whole) / Double(operations) : 0
        let least = max(Double(span) * 5 / max(width, 1), period * 4, 1e6)
        var decade = 1e6
        while true {
            for factor in [1.0, 2, 5] where decade * factor >= least {
                return Int64(decade * factor)
            }
            decade *= 10
        }
    }

    /// Buckets from `start` on; operations outside are left out.
    static func fill(
        _ operations: [ClientOperation], slow: Duration, from start: RunInstant, length: Int64,
        count: Int
    ) -> [Bucket] {
        var buckets = [Bucket](repeating: Bucket(), count: count)
        var latencies = [[Int64]](repeating: [], count: count)
        for operation in operations {
            let offset = (operation.intended - start).nanoseconds
            guard offset >= 0 else { continue }
            let index = Int(offset / length)
            guard index < count else { continue }
            if operation.outcome.isUnsent {
                buckets[index].unsent += 1
            } else if operation.isGood(slow: slow) {
                buckets[index].good += 1
            } else {
                buckets[index].bad += 1
            }
            if operation.outcome == .ok, let completed = operation.completed {
                latencies[index].append((completed - operation.intended).nanoseconds)
            }
        }
        for index in buckets.indices where !latencies[index].isEmpty {
            latencies[index].sort()
            buckets[index].median = Double(latencies[index][(latencies[index].count - 1) / 2]) / 1e6
            buckets[index].slowest = Double(latencies[index][latencies[index].count - 1]) / 1e6
        }
        return buckets
    }
}
