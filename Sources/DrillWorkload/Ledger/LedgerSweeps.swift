import DrillCore

/// What sweep after sweep finds of some ledgers on one host, until two agree.
///
/// The first sweep reads all keys, each later one those that are missing: a key that was seen once is there.
struct LedgerSweeps {
    struct Place: Hashable {
        var ledger: Int
        var number: Int
    }

    /// Between the end of a sweep and the begin of the one that may agree with it.
    static let pause = Duration.seconds(1)

    /// What the next sweep reads.
    private(set) var asked: [Place]
    private(set) var present: [[Bool]]
    /// Those that count: each was bracketed.
    private(set) var count = 0
    private(set) var isAgreed = false
    /// From the first question of the first one to the last answer of the last one.
    private(set) var interval: InstantInterval?

    init(_ ledgers: [LedgerRange]) {
        asked = ledgers.indices.flatMap { ledger in
            (0..<max(0, ledgers[ledger].count)).map { Place(ledger: ledger, number: $0) }
        }
        present = ledgers.map { Array(repeating: false, count: max(0, $0.count)) }
    }

    /// Takes the result of one sweep: whether each of `asked` was there.
    mutating func take(_ found: [Bool], _ sweep: InstantInterval) {
        for (place, isThere) in zip(asked, found) where isThere {
            present[place.ledger][place.number] = true
        }
        let missing = zip(asked, found).filter { !$0.1 }.map(\.0)
        isAgreed = missing.isEmpty || count > 0 && missing.count == asked.count
        asked = missing
        count += 1
        interval = InstantInterval(low: interval?.low ?? sweep.low, high: sweep.high)
    }

    /// What may be told, in parts of at most `most` keys. A key on whose absence no two sweeps agreed is left out.
    func batches(sweep: Int, host: HostName, most: Int) -> [VerifyBatch] {
        guard let interval else { return [] }
        var batches: [VerifyBatch] = []
        for (ledger, found) in present.enumerated() {
            var first = 0
            while first < found.count {
                guard isAgreed || found[first] else {
                    first += 1
                    continue
                }
                let end = min(first + most, found.count)
                let part = isAgreed ? found[first..<end] : found[first..<end].prefix { $0 }
                batches.append(
                    VerifyBatch(
                        sweep: sweep, host: host, ledger: ledger, first: first,
                        present: Array(part), interval: interval))
                first += part.count
            }
        }
        return batches
    }
}
