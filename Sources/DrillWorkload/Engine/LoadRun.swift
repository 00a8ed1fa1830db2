package import DrillCore
import Synchronization

/// An engine on a thread of its own.
package final class LoadRun: Sendable {
    private let stopper: LoadStopper
    private let result: Mutex<Result<LoadSummary, LoadError>?>
    private let thread: Mutex<JoinableThread?>

    /// Begins at once. `report` is called on another thread, in order; `finished` or `failed` comes last, when
    /// the operations file is complete and synced.
    package init(
        _ plan: LoadPlan, report: @escaping @Sendable (LoadEvent) -> Void
    ) throws(LoadError) {
        let stopper = try LoadStopper()
        let output = try LoadOutput(path: plan.output, report: report)
        self.stopper = stopper
        result = Mutex(nil)
        thread = Mutex(nil)
        // Here, so that a plan that cannot be is refused before anything has begun.
        _ = try LoadEngine(plan: plan, stopper: stopper, output: output)
        let made = JoinableThread { [self] in
            let outcome = Self.carryOut(plan, stopper, output)
            switch outcome {
            case .success(let summary):
                report(.finished(longestPoolWait: summary.longestPoolWait))
            case .failure(let error): report(.failed(error.description))
            }
            result.withLock { $0 = outcome }
        }
        guard let made else { throw .system(call: "pthread_create", reason: "no thread") }
        thread.withLock { $0 = made }
    }

    /// Nothing is intended from that instant on; what is under way is decided.
    package func stop(at instant: RunInstant) { stopper.stop(at: instant) }

    /// Blocks until all is decided and on disk.
    package func wait() throws(LoadError) -> LoadSummary {
        let thread = self.thread.withLock { held in
            defer { held = nil }
            return held
        }
        thread?.join()
        guard let result = result.withLock({ $0 }) else {
            throw .system(call: "pthread_join", reason: "waited for twice")
        }
        return try result.get()
    }

    private static func carryOut(
        _ plan: LoadPlan, _ stopper: LoadStopper, _ output: LoadOutput
    ) -> Result<LoadSummary, LoadError> {
        guard let writer = JoinableThread({ output.run() }) else {
            return .failure(.system(call: "pthread_create", reason: "no thread"))
        }
        let outcome = Result { () throws(LoadError) -> LoadSummary in
            try LedgerPreparation.run(plan, stopper)
            let side = try LedgerSide(plan) { output.send($0) }
            defer { side.end() }
            return try LoadEngine(plan: plan, stopper: stopper, output: output, side: side).run()
        }
        output.finish()
        writer.join()
        if let failure = output.failure { return .failure(failure) }
        return outcome
    }
}
