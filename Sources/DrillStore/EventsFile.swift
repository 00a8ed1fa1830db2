internal import DrillCore
internal import FoundationEssentials
internal import Glibc

/// `trial-N.events.jsonl`, read.
struct EventsFile {
    /// For its complaints.
    let path: String
    /// Of the `verify` lines only those are kept that a picture can show: the one that begins first and the one that
    /// ends last.
    let forPictures: Bool
    private let decoder = JSONDecoder()

    private typealias Line = UnsafeBufferPointer<UInt8>
    private typealias Read = (number: Int, event: HistoryEvent)

    init(path: String, forPictures: Bool) {
        self.path = path
        self.forPictures = forPictures
    }

    /// In the order of their begins.
    func events(in bytes: [UInt8]) throws(StoreError) -> [HistoryEvent] {
        var events: [Read] = []
        var outermost = Outermost()
        try bytes.withUnsafeBufferPointer { (all) throws(StoreError) in
            guard let base = all.baseAddress else { return }
            var start = 0
            var number = 0
            while start < all.count {
                number += 1
                let rest = all.count - start
                // Without its newline the last line was being written when the run ended.
                let newline = memchr(base + start, 0x0A, rest)
                let length = newline.map { UnsafeRawPointer($0) - UnsafeRawPointer(base + start) }
                let line = Line(start: base + start, count: length ?? rest)
                start += line.count + 1
                try read(line, number, isWhole: newline != nil, &events, &outermost)
            }
        }
        events += outermost.lines
        return events.sorted {
            ($0.event.interval.low, $0.number) < ($1.event.interval.low, $1.number)
        }.map(\.event)
    }

    private func read(
        _ line: Line, _ number: Int, isWhole: Bool, _ events: inout [Read],
        _ outermost: inout Outermost
    ) throws(StoreError) {
        if let verify = VerifyLine(line) {
            if forPictures {
                outermost.note(number, verify.interval) { verify.event }
            } else {
                events.append((number, verify.event))
            }
            return
        }
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { return }
        let event: HistoryEvent
        do {
            // What is no UTF-8 is repaired: a name that looks odd is better than no event.
            let text = String(decoding: line, as: UTF8.self)
            event = try decoder.decode(HistoryEvent.self, from: Data(text.utf8))
        } catch {
            guard isWhole else { return }
            throw StoreError("\(path):\(number):1: error: \(RunFolder.why(error))")
        }
        if forPictures, case .verify = event.kind {
            outermost.note(number, event.interval) { event }
        } else {
            events.append((number, event))
        }
    }

    /// The `verify` line that begins first, and the one that ends last.
    private struct Outermost {
        private var first: Read?
        private var last: Read?

        var lines: [Read] {
            [first, last?.number == first?.number ? nil : last].compactMap { $0 }
        }

        mutating func note(
            _ number: Int, _ interval: InstantInterval, _ event: () -> HistoryEvent
        ) {
            if first.map({ interval.low < $0.event.interval.low }) ?? true {
                first = (number, event())
            }
            if last.map({ interval.high > $0.event.interval.high }) ?? true {
                last = (number, event())
            }
        }
    }
}
