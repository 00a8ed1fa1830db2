import DrillCore
import Glibc

/// A carrier that goes and comes at absolute times, down first, until it is ended.
@LabActor
final class CarrierFlap {
    private let period: Duration
    /// How long it is down in each period.
    private let down: Duration
    private let set: (_ isUp: Bool) throws(LabFailure) -> InstantInterval
    private var begun = RunInstant.now
    private var losses = 0
    private var downBefore = Duration.zero
    private var downSince: RunInstant?
    private var failure: LabFailure?
    private var isOver = false

    /// - Parameter set: sets the carrier, reads it back, and says when.
    init(
        period: Duration, duty: Double,
        set: @escaping (_ isUp: Bool) throws(LabFailure) -> InstantInterval
    ) {
        self.period = period
        down = period * duty
        self.set = set
    }

    func begin() throws(LabFailure) -> InstantInterval {
        let interval = try change(toUp: false)
        begun = interval.high
        spawn { [self] in await run() }
        return interval
    }

    private func run() async {
        var cycle = begun
        do throws(LabFailure) {
            while true {
                await Reactor.shared.sleep(cycle + down - .now)
                if isOver { return }
                _ = try change(toUp: true)
                cycle = cycle + period
                await Reactor.shared.sleep(cycle - .now)
                if isOver { return }
                _ = try change(toUp: false)
            }
        } catch {
            failure = error
        }
    }

    private func change(toUp isUp: Bool) throws(LabFailure) -> InstantInterval {
        let interval = try set(isUp)
        if let since = downSince { downBefore += interval.high - since }
        downSince = isUp ? nil : interval.high
        if !isUp { losses += 1 }
        return interval
    }

    /// The carrier is up from then on, whatever the phase.
    func end() throws(LabFailure) -> InstantInterval {
        isOver = true
        return try change(toUp: true)
    }

    /// Nothing is changed any more: its port goes.
    func forget() { isOver = true }

    /// - Parameter seen: the carrier as the host sees it now; nil: it cannot be asked.
    func inspect(seen: Bool?) -> Inspection {
        if let failure { return Inspection(false, "the flapping stopped: \(failure.message)") }
        let now = RunInstant.now
        let elapsed = now - begun
        let wasDown = downBefore + (downSince.map { now - $0 } ?? .zero)
        let share = Double(wasDown.nanoseconds) / Double(max(1, elapsed.nanoseconds))
        let expected = Self.expectedDown(after: elapsed, period: period, down: down)
        let error = wasDown > expected ? wasDown - expected : expected - wasDown
        var text =
            "carrier went down \(losses) time\(losses == 1 ? "" : "s") in \(Inspection.seconds(elapsed)), down \(Figure.percent(share)) of the time"
        if let seen { text += "; the host sees it \(seen ? "up" : "down") now" }
        let isSeen = seen.map { $0 == (downSince == nil) } ?? true
        return Inspection(isSeen && error <= elapsed * 0.05 + .milliseconds(20), text)
    }

    /// How long it is down in all, by the plan.
    nonisolated static func expectedDown(
        after elapsed: Duration, period: Duration, down: Duration
    ) -> Duration {
        let whole = elapsed.nanoseconds / max(1, period.nanoseconds)
        let rest = elapsed - period * whole
        return down * whole + min(rest, down)
    }
}
