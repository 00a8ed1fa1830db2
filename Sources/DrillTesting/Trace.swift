package import DrillCore

/// A stream of operations written down in a line, for traces whose answer is worked out by hand:
///
///     100/s; service 1ms; timeout 250ms; until 14; silent 3.0-3.3; fails 7.0
///
/// Instants are seconds from the first intended operation. `silent` answers nothing; `paused` holds what is under
/// way or comes and answers it at its end; `fails T after 250ms` is one operation's failure; `lossy A-B every 5` drops
/// every fifth; `stalled` is the load engine itself, which takes up at its end what was due meanwhile; `unsent` finds no
/// connection. An operation that is not answered in time ends at its time-out.
package struct Trace: Hashable, Sendable {
    package var rate = 100.0
    package var service = Duration.milliseconds(1)
    package var timeout = Duration.milliseconds(250)
    package var until = Duration.seconds(14)
    package var parts: [Part] = []

    package enum Part: Hashable, Sendable {
        case silent(Int64, Int64)
        case paused(Int64, Int64)
        case lossy(Int64, Int64, every: Int)
        case stalled(Int64, Int64)
        case unsent(Int64, Int64)
        case fails(Int64, after: Int64)
    }

    package struct Mistake: Error, CustomStringConvertible {
        package var description: String
    }

    package init(_ text: String) throws {
        for item in text.split(separator: ";") {
            let words = item.split(separator: " ").map(String.init)
            guard let word = words.first else { continue }
            try read(word, Array(words.dropFirst()), in: String(item))
        }
    }

    private mutating func read(_ word: String, _ rest: [String], in item: String) throws {
        func range() throws -> (Int64, Int64) {
            let ends = (rest.first ?? "").split(separator: "-").map(String.init)
            guard ends.count == 2 else { throw Mistake(description: "no range in '\(item)'") }
            return (try Self.seconds(ends[0]), try Self.seconds(ends[1]))
        }
        switch word {
        case "service": service = .nanoseconds(try Self.length(rest.first ?? ""))
        case "timeout": timeout = .nanoseconds(try Self.length(rest.first ?? ""))
        case "until": until = .nanoseconds(try Self.seconds(rest.first ?? ""))
        case "silent":
            let (from, to) = try range()
            parts.append(.silent(from, to))
        case "paused":
            let (from, to) = try range()
            parts.append(.paused(from, to))
        case "stalled":
            let (from, to) = try range()
            parts.append(.stalled(from, to))
        case "unsent":
            let (from, to) = try range()
            parts.append(.unsent(from, to))
        case "lossy":
            let (from, to) = try range()
            parts.append(.lossy(from, to, every: rest.last.flatMap(Int.init) ?? 5))
        case "fails":
            let after = rest.count > 2 ? try Self.length(rest[2]) : service.nanoseconds
            parts.append(.fails(try Self.seconds(rest.first ?? ""), after: after))
        default:
            guard word.hasSuffix("/s"), let rate = Double(word.dropLast(2)) else {
                throw Mistake(description: "unknown word '\(word)'")
            }
            self.rate = rate
        }
    }

    private static func seconds(_ text: String) throws -> Int64 {
        guard let value = Double(text) else {
            throw Mistake(description: "'\(text)' is no number of seconds")
        }
        return Int64((value * 1e9).rounded())
    }

    private static func length(_ text: String) throws -> Int64 {
        guard text.hasSuffix("ms"), let value = Double(text.dropLast(2)) else {
            throw Mistake(description: "'\(text)' is no number of ms")
        }
        return Int64((value * 1e6).rounded())
    }

    /// - Parameter origin: the first intended instant.
    package func operations(from origin: RunInstant = RunInstant(nanoseconds: 0))
        -> [ClientOperation]
    {
        let period = 1e9 / rate
        let count = Int((Double(until.nanoseconds) / period).rounded(.up))
        return (0..<count).map { index in
            operation(at: Int64((Double(index) * period).rounded()), index, origin)
        }
    }

    private func operation(at intended: Int64, _ index: Int, _ origin: RunInstant)
        -> ClientOperation
    {
        var sent = intended
        var answered: Int64? = intended + service.nanoseconds
        var failed = false
        for part in parts {
            switch part {
            case .stalled(let from, let to) where (from..<to).contains(intended):
                sent = to
                answered = answered.map { max($0, to + service.nanoseconds) }
            case .silent(let from, let to) where (from..<to).contains(intended): answered = nil
            case .lossy(let from, let to, let every)
            where (from..<to).contains(intended) && index.isMultiple(of: every):
                answered = nil
            case .paused(let from, let to)
            where intended < to && intended + service.nanoseconds > from:
                answered = answered.map { max($0, to + service.nanoseconds) }
            case .fails(let at, let after) where at == intended:
                answered = intended + after
                failed = true
            case .unsent(let from, let to) where (from..<to).contains(intended):
                return ClientOperation(
                    intended: origin + .nanoseconds(intended),
                    dispatched: origin + .nanoseconds(intended), sent: nil,
                    completed: origin + .nanoseconds(intended + timeout.nanoseconds),
                    outcome: .unsentConnection)
            case .silent, .paused, .lossy, .stalled, .fails, .unsent: break
            }
        }
        let deadline = intended + timeout.nanoseconds
        let inTime = answered.map { $0 <= deadline } ?? false
        return ClientOperation(
            intended: origin + .nanoseconds(intended), dispatched: origin + .nanoseconds(sent),
            sent: origin + .nanoseconds(sent),
            completed: origin + .nanoseconds(inTime ? answered ?? deadline : deadline),
            outcome: inTime && !failed ? .ok : .failed)
    }
}
