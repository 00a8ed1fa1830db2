internal import DrillCore
internal import Glibc

/// A line of a key that was read back, just as a run writes it. There are tens of thousands, and a decoder of any JSON
/// takes longer for them than everything else takes together.
struct VerifyLine {
    let interval: InstantInterval
    private let sweep: Int64
    private let host: UnsafeBufferPointer<UInt8>
    private let key: UnsafeBufferPointer<UInt8>
    private let present: Bool

    /// Nil for every other line: also for one that says the same in another way, and for one with a mistake.
    init?(_ line: UnsafeBufferPointer<UInt8>) {
        guard let start = line.baseAddress else { return nil }
        var scan = Scan(start, line.count)
        guard scan.skip("{\"event\":\"verify\",\"high_ns\":"), let high = scan.number(),
            scan.skip(",\"host\":\""), let host = scan.text(),
            scan.skip(",\"key\":\""), let key = scan.text(),
            scan.skip(",\"low_ns\":"), let low = scan.number(), low <= high,
            scan.skip(",\"present\":"), let present = scan.truth(),
            scan.skip(",\"sweep\":"), let sweep = scan.number(),
            scan.skip("}"), scan.left == 0
        else { return nil }
        interval = InstantInterval(
            low: RunInstant(nanoseconds: low), high: RunInstant(nanoseconds: high))
        self.sweep = sweep
        self.host = host
        self.key = key
        self.present = present
    }

    var event: HistoryEvent {
        HistoryEvent(
            interval,
            .verify(
                sweep: Int(sweep), host: HostName(String(decoding: host, as: UTF8.self)),
                key: String(decoding: key, as: UTF8.self), present: present))
    }

    /// Pointers and loops of the plainest kind: this is read in debug builds, too.
    private struct Scan {
        private var at: UnsafePointer<UInt8>
        private(set) var left: Int

        init(_ at: UnsafePointer<UInt8>, _ left: Int) {
            self.at = at
            self.left = left
        }

        private mutating func advance(_ count: Int) {
            at += count
            left -= count
        }

        mutating func skip(_ text: StaticString) -> Bool {
            let count = text.utf8CodeUnitCount
            guard left >= count, memcmp(at, text.utf8Start, count) == 0 else { return false }
            advance(count)
            return true
        }

        mutating func truth() -> Bool? {
            if skip("true") { return true }
            return skip("false") ? false : nil
        }

        /// As JSON spells it, up to 18 digits.
        mutating func number() -> Int64? {
            let isNegative = skip("-")
            var value: Int64 = 0
            var count = 0
            while count < left, count < 19 {
                let digit = at[count]
                guard digit >= 0x30, digit <= 0x39 else { break }
                value = value &* 10 &+ Int64(digit &- 0x30)
                count += 1
            }
            guard count > 0, count < 19, count == 1 || at[0] != 0x30 else { return nil }
            advance(count)
            return isNegative ? -value : value
        }

        /// Up to the quotation mark, which is skipped; nil for what is not plain ASCII.
        mutating func text() -> UnsafeBufferPointer<UInt8>? {
            var count = 0
            while count < left {
                let byte = at[count]
                if byte == 0x22 {
                    let text = UnsafeBufferPointer(start: at, count: count)
                    advance(count + 1)
                    return text
                }
                guard byte >= 0x20, byte < 0x7f, byte != 0x5c else { return nil }
                count += 1
            }
            return nil
        }
    }
}
