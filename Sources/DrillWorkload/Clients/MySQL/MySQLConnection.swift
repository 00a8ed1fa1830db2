#if MariaDB
    import CLinux
    import DrillCore

    /// One operation at a time over a link.
    final class MySQLConnection: ClientConnection {
        private enum State { case closed, connecting, introducing, operating, idle }

        private let client: MySQLClient
        private let workspace: ClientWorkspace
        private let link: MySQLLink
        private var state = State.closed
        private var request = ClientRequest(kind: .read, number: 0)
        /// Who is at the other end; negative where it does not tell.
        private var host = -1
        private(set) var answeredBy = -1
        private(set) var registerAnswer: RegisterAnswer?

        init(_ client: MySQLClient, _ workspace: ClientWorkspace) {
            self.client = client
            self.workspace = workspace
            link = MySQLLink(client.target)
        }

        var descriptor: Int32 { link.descriptor }
        var incarnation: UInt32 { link.incarnation }
        var interest: ClientInterest { link.interest }
        var wake: Int64 { state == .idle ? .max : link.wake }

        func begin(_ request: ClientRequest) -> ClientTurn {
            self.request = request
            answeredBy = -1
            registerAnswer = nil
            // The server may have ended it since the queue was last asked.
            if state == .idle, clinux_tcp_is_quiet(link.descriptor) == 1 {
                return advance(operate())
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

        func disturbed() { close() }

        func close() {
            link.close()
            state = .closed
            host = -1
        }

        private func advance(_ turn: MySQLLink.Turn) -> ClientTurn {
            switch turn {
            case .waiting: return .waiting
            case .connected:
                state = .introducing
                return advance(link.send(MySQLStatement.identity))
            case .broken: return broken()
            case .answered where state == .introducing:
                if link.failure == nil {
                    host = link.withFirstField { workspace.index(ofHost: $0) }
                }
                return advance(operate())
            case .answered: return finish()
            }
        }

        private func operate() -> MySQLLink.Turn {
            state = .operating
            if let entry = request.entry { return link.send(MySQLStatement.insert(entry)) }
            if let register = request.register {
                return link.send(MySQLStatement.register(register))
            }
            return link.send(client.sql)
        }

        private func broken() -> ClientTurn {
            let isBefore = state == .connecting || state == .introducing
            close()
            // Before its statement was sent nothing of it can be seen, ever.
            guard isBefore else { return .decided(.broken) }
            return .decided(link.isShortage ? .unable : .refused)
        }

        private func finish() -> ClientTurn {
            answeredBy = host
            let answer = self.answer
            if client.lane == .kept, answer != .broken, link.failure?.isReadOnly != true {
                state = .idle
            } else {
                // What answers "read-only" is not the primary any more: the next operation looks for it anew.
                close()
            }
            return .decided(answer)
        }

        private var answer: ClientAnswer {
            if let register = request.register { return take(register.action) }
            guard let failure = link.failure else { return .ok }
            return failure.isDefinite || request.kind == .read ? .refused : .broken
        }

        private func take(_ action: RegisterAction) -> ClientAnswer {
            if let failure = link.failure {
                // Somebody else has set it first; nothing of this one was written.
                if case .compareAndSet(nil, _) = action, failure.code == MySQLFailure.duplicateKey {
                    registerAnswer = .compared(didSet: false)
                    return .ok
                }
                return failure.isDefinite || action == .read ? .refused : .broken
            }
            switch action {
            case .read: registerAnswer = .value(link.allRows().first?[0])
            case .write: registerAnswer = .written
            case .compareAndSet: registerAnswer = .compared(didSet: link.matchedRows > 0)
            }
            return .ok
        }
    }
#endif
