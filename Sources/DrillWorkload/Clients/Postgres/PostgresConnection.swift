#if Postgres
    import DrillCore

    /// One operation at a time over a link.
    final class PostgresConnection: ClientConnection {
        private enum State { case closed, connecting, introducing, operating, idle }

        private let client: PostgresClient
        private let workspace: ClientWorkspace
        private let link: PostgresLink
        private var state = State.closed
        private var request = ClientRequest(kind: .read, number: 0)
        /// Who is at the other end, as far as it was asked.
        private var host = -1
        private(set) var answeredBy = -1
        private(set) var registerAnswer: RegisterAnswer?

        init(_ client: PostgresClient, _ workspace: ClientWorkspace) {
            self.client = client
            self.workspace = workspace
            link = PostgresLink(client.target)
        }

        var descriptor: Int32 { link.descriptor }
        var incarnation: UInt32 { link.incarnation }
        var interest: ClientInterest { link.interest }
        var wake: Int64 { link.wake }

        func begin(_ request: ClientRequest) -> ClientTurn {
            answeredBy = -1
            registerAnswer = nil
            self.request = request
            if state == .idle, link.isUsable() {
                if case .waiting = operate() { return .waiting }
                // It had ended before any byte of this was sent.
            }
            close()
            state = .connecting
            return advance(link.connect())
        }

        /// The statements of ledgers and registers tell who answers.
        private var namesServer: Bool { request.entry != nil || request.register != nil }

        func ready() -> ClientTurn {
            switch state {
            case .connecting, .introducing, .operating: advance(link.ready())
            case .closed, .idle: .waiting
            }
        }

        func woken() -> ClientTurn { advance(link.woken()) }

        func disturbed() { if !link.isUsable() { close() } }

        func close() {
            link.close()
            state = .closed
            host = -1
        }

        private func advance(_ turn: PostgresLink.Turn) -> ClientTurn {
            switch turn {
            case .waiting: return .waiting
            case .connected:
                if namesServer { return advance(operate()) }
                state = .introducing
                return advance(link.send(.identity))
            case .broken: return broken()
            case .answered where state == .introducing:
                if link.failure != nil {
                    close()
                    return .decided(.refused)
                }
                host = link.withFirstField { workspace.index(ofHost: $0) }
                return advance(operate())
            case .answered: return finish()
            }
        }

        private func operate() -> PostgresLink.Turn {
            state = .operating
            if let entry = request.entry { return link.send(.insert, [entry.key, entry.value]) }
            guard let register = request.register else { return link.send(client.sql) }
            let key = register.key
            switch register.action {
            case .read: return link.send(.registerRead, [key])
            case .write(let value): return link.send(.registerWrite, [key, value])
            case .compareAndSet(nil, let new): return link.send(.registerCreate, [key, new])
            case .compareAndSet(let old?, let new):
                return link.send(.registerCompareAndSet, [key, old, new])
            }
        }

        private func broken() -> ClientTurn {
            let isBefore = state == .connecting || state == .introducing
            close()
            // Before its statement was sent nothing of it can be seen, ever.
            guard isBefore else { return .decided(.broken) }
            return .decided(link.isShortage ? .unable : .refused)
        }

        private func finish() -> ClientTurn {
            if namesServer, link.failure == nil {
                host = link.withFirstField { workspace.index(ofHost: $0) }
                if let register = request.register {
                    registerAnswer = registerAnswer(to: register.action)
                }
            }
            answeredBy = host
            let answer = self.answer
            let isStale = link.failure?.state == PostgresFailure.readOnly
            if client.lane == .kept, answer != .broken, !isStale, link.isOutsideTransaction {
                state = .idle
            } else {
                // What answers "read-only" is not the primary any more: the next operation looks for it anew.
                close()
            }
            return .decided(answer)
        }

        private var answer: ClientAnswer {
            if let failure = link.failure { return failure.isDefinite ? .refused : .broken }
            // "Committed locally, but might not have been replicated": acknowledged with a reservation.
            return namesServer && request.kind == .write && link.hasWarned ? .broken : .ok
        }

        /// Nil where the rows are no answer to it.
        private func registerAnswer(to action: RegisterAction) -> RegisterAnswer? {
            guard link.rowCount == 1 else { return nil }
            switch action {
            case .read: return .value(link.field(1))
            case .write: return .written
            case .compareAndSet:
                return link.field(1).flatMap(Int.init).map { .compared(didSet: $0 == 1) }
            }
        }
    }
#endif
