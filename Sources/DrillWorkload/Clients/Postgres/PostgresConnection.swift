#if Postgres
    import DrillCore

    /// One operation at a time over a link.
    final class PostgresConnection: ClientConnection {
        private enum State { case closed, connecting, introducing, operating, idle }

        private let client: PostgresClient
        private let workspace: ClientWorkspace
        private let link: PostgresLink
        private var state = State.closed
        private var entry: LedgerEntry?
        /// Who is at the other end, as far as it was asked.
        private var host = -1
        private(set) var answeredBy = -1

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
            entry = request.entry
            if state == .idle, link.isUsable() {
                if case .waiting = operate() { return .waiting }
                // It had ended before any byte of this was sent.
            }
            close()
            state = .connecting
            return advance(link.connect())
        }

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
                // A ledger's write names the server by itself.
                if entry != nil { return advance(operate()) }
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
            guard let entry else { return link.send(client.sql) }
            return link.send(.insert, [entry.key, entry.value])
        }

        private func broken() -> ClientTurn {
            let isBefore = state == .connecting || state == .introducing
            close()
            // Before its statement was sent nothing of it can be seen, ever.
            guard isBefore else { return .decided(.broken) }
            return .decided(link.isShortage ? .unable : .refused)
        }

        private func finish() -> ClientTurn {
            if entry != nil, link.failure == nil {
                host = link.withFirstField { workspace.index(ofHost: $0) }
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
            return entry != nil && link.hasWarned ? .broken : .ok
        }
    }
#endif
