package import DrillCore

/// Asks each server the same question again and again, on a thread and a connection of its own: one that does not
/// answer keeps nobody else waiting.
package final class Watcher: Sendable {
    private let plan: WatchPlan
    private let client: any StoreClient
    private let report: @Sendable (LoadEvent) -> Void
    private let stop: ThreadStop

    /// `report` is called on several threads at once, `finished` last.
    package init(
        _ plan: WatchPlan, report: @escaping @Sendable (LoadEvent) -> Void
    ) throws(LoadError) {
        self.plan = plan
        self.report = report
        client = try ClientCatalog.store(plan.client, plan.parameters, isEndpointNeeded: false)
        stop = try ThreadStop()
    }

    package func end() { stop.request() }

    /// Blocks until `end` is called.
    package func run() throws(LoadError) {
        var threads: [JoinableThread] = []
        for server in plan.servers {
            guard let thread = JoinableThread({ [self] in watch(server) }) else {
                stop.request()
                for thread in threads { thread.join() }
                throw .system(call: "pthread_create", reason: "no thread")
            }
            threads.append(thread)
        }
        for thread in threads { thread.join() }
        report(.finished(longestPoolWait: .zero))
    }

    private func watch(_ server: LoadServer) {
        let every = max(.milliseconds(1), plan.every)
        // A role is unwatched after two periods without an answer. Asked twice in each, and with a period's patience, one
        // question that is lost or slow leaves a gap of a period and a half: it takes two in a row.
        let pace = every / 2
        let patience = min(LedgerSide.patience, every)
        var session: (any ClientSession)?
        var next = RunInstant.now
        while !stop.isRequested {
            let began = RunInstant.now
            do throws(SessionError) {
                let open: any ClientSession
                if let session {
                    open = session
                } else {
                    open = try client.session(.server(server), timeout: patience)
                    session = open
                }
                let asked = RunInstant.now
                let value = try open.query(plan.parameters) == plan.equals
                let answered = RunInstant.now
                report(
                    .answered(
                        WatchAnswer(
                            id: plan.id, host: server.host, value: value, asked: asked,
                            answered: answered, identity: try open.identity(), term: open.term)))
            } catch {
                // A host that refuses holds no role; silence says nothing. The next question has a new connection.
                if error.isRefusal {
                    report(
                        .answered(
                            WatchAnswer(
                                id: plan.id, host: server.host, value: false, asked: began,
                                answered: .now, identity: "")))
                }
                session?.close()
                session = nil
            }
            next = max(next + pace, .now)
            stop.wait(next - .now)
        }
        session?.close()
    }
}
