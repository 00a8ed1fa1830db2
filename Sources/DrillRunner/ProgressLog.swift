internal import DrillCore

/// The recent progress of all load processes, for gates and aborts; numbers of the report never come from here.
struct ProgressLog: Hashable, Sendable {
    struct Sample: Hashable, Sendable {
        var at: RunInstant
        /// Streams in the order of the plan.
        var streams: [StreamProgress]
    }

    /// By load process.
    private(set) var samples: [String: [Sample]] = [:]
    let window: Duration

    /// - Parameter keep: how far back a window may reach.
    init(keep: Duration) { window = keep }

    mutating func append(_ streams: [StreamProgress], of load: String, at: RunInstant) {
        Self.append(Sample(at: at, streams: streams), keep: window, to: &samples[load, default: []])
    }

    private static func append(_ sample: Sample, keep window: Duration, to list: inout [Sample]) {
        list.append(sample)
        let oldest = sample.at - window
        // One sample older than the window stays, so that a window is never cut short.
        var old = 0
        while list.count - old > 2, list[old + 1].at < oldest { old += 1 }
        list.removeFirst(old)
    }

    /// The latest stretch start that every stream has reached; nil while a stream has none.
    var stableFrom: RunInstant? {
        var least: RunInstant?
        for list in samples.values {
            guard let last = list.last else { return nil }
            for stream in last.streams {
                guard let from = stream.stableFrom else { return nil }
                least = min(least ?? from, from)
            }
        }
        return least
    }

    /// The same of one load process.
    func stableFrom(of load: String) -> RunInstant? {
        guard let last = samples[load]?.last else { return nil }
        var least: RunInstant?
        for stream in last.streams {
            guard let from = stream.stableFrom else { return nil }
            least = min(least ?? from, from)
        }
        return least
    }

    /// The worst stream's good ÷ decided, of those that could be sent from here, over the last `window` of decided
    /// operations that began at or after
    /// `earliest`; nil while a stream has not decided that much.
    func worstRate(over window: Duration, notBefore earliest: RunInstant? = nil) -> Double? {
        guard !samples.isEmpty else { return nil }
        var worst: Double?
        for list in samples.values {
            guard let last = list.last else { return nil }
            for index in last.streams.indices {
                let end = last.streams[index]
                let limit = end.decidedBefore - window
                guard
                    let first = list.last(where: { $0.streams[index].decidedBefore <= limit }),
                    earliest.map({ first.streams[index].decidedBefore >= $0 }) ?? true
                else { return nil }
                let start = first.streams[index]
                // What our own host could not send says nothing about the system.
                let ours = end.unsentGenerator - start.unsentGenerator
                let decided = end.decided - start.decided - ours
                guard decided > 0 else { return nil }
                let rate = Double(end.good - start.good) / Double(decided)
                worst = min(worst ?? rate, rate)
            }
        }
        return worst
    }

    /// All streams together over about the last second, for people to look at.
    var recentRate: Double? {
        var good = 0
        var decided = 0
        for list in samples.values {
            guard let last = list.last else { continue }
            let earliest = last.at - .seconds(1)
            guard let first = list.last(where: { $0.at <= earliest }) ?? list.first
            else { continue }
            for (end, start) in zip(last.streams, first.streams) {
                good += end.good - start.good
                decided += end.decided - start.decided
            }
        }
        return decided > 0 ? Double(good) / Double(decided) : nil
    }
}
