package import DrillCore

/// A stretch of one stream in which the service was not what the steady state promises.
package struct Outage: Hashable, Sendable {
    /// Index of the bad operation that opened it.
    package var firstBad: Int
    /// Index of the last bad operation before its end.
    package var lastBad: Int
    /// Index of the good operation that ended it; nil while it is open.
    package var end: Int?

    package init(firstBad: Int, lastBad: Int, end: Int? = nil) {
        self.firstBad = firstBad
        self.lastBad = lastBad
        self.end = end
    }
}

/// Which bad operations are outages and which are noise (docs/MEASUREMENT.md, "Noise, blips and outages").
package struct OutageDetection: Hashable, Sendable {
    package var outages: [Outage]
    /// Indices of bad operations that opened nothing while nothing was open.
    package var blips: [Int]

    package init(outages: [Outage] = [], blips: [Int] = []) {
        self.outages = outages
        self.blips = blips
    }

    /// One pass. A bad operation opens an outage if its stretch holds at least k bad ones; the first good one
    /// whose *complete* stretch holds fewer than k bad and enough sent ones ends it. A stretch that the end of
    /// the observation cuts short ends nothing: nobody knows what its missing part would have shown.
    package static func detect(_ trace: StreamTrace) -> OutageDetection {
        var found = OutageDetection(outages: [], blips: [])
        var open: Outage?
        for index in 0..<trace.count {
            switch trace.classes[index] {
            case .unsent: break
            case .bad:
                if open != nil {
                    open?.lastBad = index
                } else if trace.bad(trace.stretch(index)) >= trace.k {
                    open = Outage(firstBad: index, lastBad: index, end: nil)
                } else {
                    found.blips.append(index)
                }
            case .good:
                guard var ended = open, trace.endsOutage(index) else { break }
                ended.end = index
                found.outages.append(ended)
                open = nil
            }
        }
        if let open { found.outages.append(open) }
        return found
    }
}

extension StreamTrace {
    /// Whether a good operation starts a complete stretch with fewer than k bad and enough sent ones.
    package func endsOutage(_ index: Int) -> Bool {
        guard classes[index] == .good, let observedUntil,
            intended(index).nanoseconds + stableNanoseconds <= observedUntil.nanoseconds
        else { return false }
        let stretch = stretch(index)
        return bad(stretch) < k && sent(stretch) >= leastSent
    }

    /// Completion of the good operation that ended an outage.
    package func recovered(_ outage: Outage) -> RunInstant? {
        outage.end.flatMap { operations[$0].completed }
    }

    /// From the first to the last bad operation of an outage.
    package func extent(_ outage: Outage) -> Range<Int> { outage.firstBad..<(outage.lastBad + 1) }

    /// Whether an outage was over, and shown to be over, by an instant: its ending stretch lies before it and all
    /// operations of that stretch were decided by then. What was held until a heal and answered because of it
    /// shows nothing about the system.
    package func isOver(_ outage: Outage, by instant: RunInstant) -> Bool {
        guard let end = outage.end, intended(end) + stable <= instant else { return false }
        return stretch(end).allSatisfy { classes[$0] == .unsent || isDecided($0, by: instant) }
    }
}
