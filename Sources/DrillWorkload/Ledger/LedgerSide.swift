import DrillCore
import Synchronization

/// What goes on beside the engine for streams whose store can be asked: who answers under which identity, and how
/// late a write is seen on each server. Threads of its own, so that nothing of it makes an operation late.
final class LedgerSide: Sendable {
    private let stop: ThreadStop
    private let book = IdentityBook()
    /// Of each stream, one a server.
    private let awaited: [[AcknowledgedWrite]]
    private let threads = Mutex<[JoinableThread]>([])

    /// How long a server may take to answer; one that is gone costs its own thread so much and nobody else.
    static let patience = Duration.milliseconds(300)

    init(
        _ plan: LoadPlan, report: @escaping @Sendable (LoadEvent) -> Void
    ) throws(LoadError) {
        stop = try ThreadStop()
        var jobs: [@Sendable () -> Void] = []
        var asked: Set<Asked> = []
        var awaited: [[AcknowledgedWrite]] = []
        for stream in plan.streams {
            var own: [AcknowledgedWrite] = []
            let client: (any StoreClient)?
            do throws(ClientParameterError) {
                client = try ClientCatalog.client(for: stream) as? any StoreClient
            } catch {
                throw .plan(stream: stream.name.rawValue, reason: error.description)
            }
            for server in client == nil ? [] : stream.servers {
                guard let client else { continue }
                let key = Asked(
                    client: stream.client, parameters: stream.parameters, server: server)
                if asked.insert(key).inserted {
                    let resolver = IdentityResolver(client, server, book, report)
                    jobs.append { [stop] in resolver.run(until: stop) }
                }
                guard stream.operation == .ledger else { continue }
                let write = try AcknowledgedWrite()
                own.append(write)
                let sampler = LagSampler(client, server, stream.prefix, write, report)
                jobs.append { [stop] in sampler.run(until: stop) }
            }
            awaited.append(own)
        }
        self.awaited = awaited
        for job in jobs {
            guard let thread = JoinableThread(job) else {
                end()
                throw .system(call: "pthread_create", reason: "no thread")
            }
            threads.withLock { $0.append(thread) }
        }
    }

    private struct Asked: Hashable {
        var client: String
        var parameters: [String: String]
        var server: LoadServer
    }

    /// By the engine, for each good write of a ledger.
    func acknowledged(_ number: Int, of stream: Int, at completed: Int64) {
        for write in awaited[stream] { write.acknowledged(number, at: completed) }
    }

    /// By the engine: somebody answered under this name for the first time.
    func met(_ identity: String) { book.meet(identity) }

    /// Waits for the threads' end.
    func end() {
        stop.request()
        for thread in threads.withLock({ $0 }) { thread.join() }
        threads.withLock { $0 = [] }
    }
}
