import DrillCore

/// A value that comes once.
@LabActor
final class Promise<Value: Sendable> {
    private(set) var value: Value?
    private var waiters: [Int32: CheckedContinuation<Value?, Never>] = [:]

    func fulfil(_ value: Value) {
        guard self.value == nil else { return }
        self.value = value
        let waiting = waiters
        waiters = [:]
        for (timer, continuation) in waiting {
            Reactor.shared.forget(timer)
            continuation.resume(returning: value)
        }
    }

    /// nil where the deadline comes first.
    func wait(until deadline: RunInstant) async -> Value? {
        if let value { return value }
        let timer = Reactor.shared.makeTimer()
        spawn { [self] in
            if case .expired = await Reactor.shared.expiry(of: timer, at: deadline) {
                waiters.removeValue(forKey: timer)?.resume(returning: nil)
            }
        }
        return await withCheckedContinuation { waiters[timer] = $0 }
    }

    func wait() async -> Value {
        while true {
            if let value = await wait(until: .now + .seconds(3600)) { return value }
        }
    }
}
