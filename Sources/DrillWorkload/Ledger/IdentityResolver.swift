import DrillCore

/// Asks one server who it is: at the start, while it does not answer, and while operations are answered by somebody
/// unknown, who may be this server, started anew.
struct IdentityResolver: Sendable {
    private let client: any StoreClient
    private let server: LoadServer
    private let book: IdentityBook
    private let report: @Sendable (LoadEvent) -> Void

    private static let slowly = 10

    init(
        _ client: any StoreClient, _ server: LoadServer, _ book: IdentityBook,
        _ report: @escaping @Sendable (LoadEvent) -> Void
    ) {
        self.client = client
        self.server = server
        self.book = book
        self.report = report
    }

    func run(until stop: ThreadStop) {
        var told: Set<String> = []
        var hasAnswered = false
        var turn = 0
        while !stop.isRequested {
            let isNeeded =
                switch book.need(now: .now) {
                case .none: !hasAnswered
                case .some: !hasAnswered || turn % Self.slowly == 0
                case .urgent: true
                }
            if isNeeded {
                do throws(SessionError) {
                    let session = try client.session(.server(server), timeout: LedgerSide.patience)
                    defer { session.close() }
                    let identity = try session.identity()
                    let now = RunInstant.now
                    hasAnswered = true
                    book.learn(identity)
                    if told.insert(identity).inserted {
                        report(.identified(server.host, identity: identity, at: now))
                    }
                } catch {
                    if error.isFinal { return }
                    // A dead server is what drills are about: it is asked again.
                    hasAnswered = false
                }
            }
            turn += 1
            stop.wait(client.sessionPause)
        }
    }
}
