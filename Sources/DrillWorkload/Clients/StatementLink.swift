#if Postgres || MariaDB
    import CLinux
    import DrillCore
    import Glibc

    /// One connection of a database's own library that never waits: a descriptor, what it waits for, and a turn when that
    /// has come. Who owns it waits: the engine's event queue, or a session's own poll.
    protocol StatementLink: AnyObject {
        var descriptor: Int32 { get }
        var interest: ClientInterest { get }
        var wake: Int64 { get }
        /// Why it is `broken`.
        var end: SessionError { get }

        func ready() -> LinkTurn
        func woken() -> LinkTurn
        func close()
    }

    enum LinkTurn {
        case waiting
        /// Ready for a statement.
        case connected
        /// The statement has its answer: the server's failure, or else rows or a count.
        case answered
        /// The connection has ended or was never made. Closed.
        case broken
    }

    extension StatementLink {
        /// Blocks until the turn that began is over; a link that takes longer is closed.
        func complete(_ first: LinkTurn, within timeout: Duration) throws(SessionError) {
            let deadline = clinux_monotonic_ns() + timeout.nanoseconds
            var turn = first
            while true {
                switch turn {
                case .connected, .answered: return
                case .broken: throw end
                case .waiting: break
                }
                let now = clinux_monotonic_ns()
                guard now < deadline else {
                    close()
                    throw SessionError("no answer within \(timeout.spelled)")
                }
                if wake <= now {
                    turn = woken()
                    continue
                }
                var wait = pollfd(fd: descriptor, events: 0, revents: 0)
                if interest.contains(.read) { wait.events |= Int16(POLLIN) }
                if interest.contains(.write) { wait.events |= Int16(POLLOUT) }
                let left = min(deadline, wake) - now
                let count = Glibc.poll(&wait, 1, Int32(min(left / 1_000_000 + 1, 60_000)))
                if count > 0 { turn = ready() }
            }
        }
    }
#endif
