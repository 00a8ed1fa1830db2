import DrillCore
import Glibc

/// Makes what the ledgers and registers of a plan need, before the first operation.
enum LedgerPreparation {
    /// A system that was found ready may still be a moment from taking writes.
    private static let most = Duration.seconds(10)
    private static let patience = Duration.seconds(2)
    private static let pause: UInt32 = 100_000

    /// Blocks until all of it is there; once for streams that differ in nothing that matters here.
    static func run(_ plan: LoadPlan, _ stopper: LoadStopper) throws(LoadError) {
        var done: [LoadStream] = []
        for stream in plan.streams where stream.operation != .get {
            let isDone = done.contains {
                $0.client == stream.client && $0.parameters == stream.parameters
            }
            if isDone { continue }
            try prepare(stream, stopper)
            done.append(stream)
        }
    }

    private static func prepare(
        _ stream: LoadStream, _ stopper: LoadStopper
    ) throws(LoadError) {
        let name = stream.name.rawValue
        let store: any StoreClient
        do throws(ClientParameterError) {
            guard let client = try ClientCatalog.client(for: stream) as? any StoreClient else {
                throw ClientParameterError(
                    "client \(stream.client) has no operation \(stream.operation.rawValue)")
            }
            store = client
        } catch {
            throw .plan(stream: name, reason: error.description)
        }
        let deadline = RunInstant.now + most
        while true {
            do throws(SessionError) {
                let session = try store.session(.endpoint, timeout: patience)
                defer { session.close() }
                return try session.prepare()
            } catch {
                let isStopped = stopper.requested.map { $0 <= .now } ?? false
                guard !isStopped, .now < deadline else {
                    throw .preparation(
                        stream.operation, stream: name, reason: error.description)
                }
            }
            usleep(pause)
        }
    }
}
