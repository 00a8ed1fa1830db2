import DrillCore

/// How late a write is seen on one server: about ten times a second, the next write that is acknowledged is asked for
/// there until it has come.
struct LagSampler: Sendable {
    private let client: any StoreClient
    private let server: LoadServer
    private let prefix: String
    private let write: AcknowledgedWrite
    private let report: @Sendable (LoadEvent) -> Void

    private static let every = Duration.milliseconds(100)
    /// Between two questions for one write.
    private static let pause = Duration.microseconds(500)
    /// A write that is not there by then is given up, so that one that is lost ends no sampling.
    private static let most = Duration.seconds(2)

    init(
        _ client: any StoreClient, _ server: LoadServer, _ prefix: String,
        _ write: AcknowledgedWrite, _ report: @escaping @Sendable (LoadEvent) -> Void
    ) {
        self.client = client
        self.server = server
        self.prefix = prefix
        self.write = write
        self.report = report
    }

    func run(until stop: ThreadStop) {
        while !stop.isRequested {
            do throws(SessionError) {
                let session = try client.session(.server(server), timeout: LedgerSide.patience)
                defer { session.close() }
                // What it takes to begin is no lag.
                _ = try session.read([LedgerEntry(prefix: prefix, number: 0).key])
                while !stop.isRequested {
                    stop.wait(Self.every)
                    guard let (number, completed) = write.next(within: .seconds(1), unless: stop)
                    else { continue }
                    try follow(
                        LedgerEntry(prefix: prefix, number: number), completed, session, stop)
                }
            } catch {
                if error.isFinal { return }
                // The server is gone: the sample is given up with it.
                stop.wait(client.sessionPause)
            }
        }
    }

    private func follow(
        _ entry: LedgerEntry, _ completed: RunInstant, _ session: any ClientSession,
        _ stop: ThreadStop
    ) throws(SessionError) {
        // Found at once, it may have been there before it was asked for, as early as its acknowledgement.
        var low = completed
        func tell(present: Bool, _ high: RunInstant) {
            let interval = InstantInterval(low: low, high: high)
            report(.visible(server.host, key: entry.key, present: present, interval))
        }
        while !stop.isRequested {
            let asked = RunInstant.now
            let found: String?
            do throws(SessionError) {
                found = try session.read([entry.key])[entry.key]
            } catch {
                tell(present: false, .now)
                throw error
            }
            let answered = RunInstant.now
            if let found, entry.isWhole(found) { return tell(present: true, answered) }
            low = asked
            guard answered - completed < Self.most else {
                return tell(present: false, answered)
            }
            stop.wait(Self.pause)
        }
    }
}
