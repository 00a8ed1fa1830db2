import DrillCore
import DrillWorkload
import Glibc

/// A connection with what the engine does around it: waits for what it waits for, and closes at the time-out.
struct DrivenConnection {
    let workspace = ClientWorkspace()
    let connection: any ClientConnection

    init(_ client: some Client) { connection = client.connection(workspace) }

    /// Nil after the time-out.
    func operate(
        _ entry: LedgerEntry? = nil, timeout: Duration = .seconds(20)
    ) -> ClientAnswer? {
        begin(entry)
        return answer(timeout: timeout)
    }

    /// One operation on a register; nil where it is not answered with ok.
    func register(
        _ key: String, _ action: RegisterAction, timeout: Duration = .seconds(20)
    ) -> RegisterAnswer? {
        let answer = operate(RegisterRequest(key: key, action: action), timeout: timeout)
        return answer == .ok ? connection.registerAnswer : nil
    }

    func operate(_ register: RegisterRequest, timeout: Duration = .seconds(20)) -> ClientAnswer? {
        let kind: OperationKind = register.action == .read ? .read : .write
        started.turn = connection.begin(
            ClientRequest(kind: kind, number: 0, register: register))
        return answer(timeout: timeout)
    }

    func begin(_ entry: LedgerEntry? = nil) {
        let kind: OperationKind = entry == nil ? .read : .write
        started.turn = connection.begin(ClientRequest(kind: kind, number: 0, entry: entry))
    }

    func answer(timeout: Duration = .seconds(20)) -> ClientAnswer? {
        let deadline = RunInstant.now + timeout
        while true {
            if case .decided(let answer) = started.turn { return answer }
            let now = RunInstant.now
            guard now < deadline else {
                connection.close()
                return nil
            }
            if connection.wake <= now.nanoseconds {
                started.turn = connection.woken()
                continue
            }
            let until = min(deadline.nanoseconds, connection.wake)
            if wait((until - now.nanoseconds) / 1_000_000 + 1) {
                started.turn = connection.ready()
            }
        }
    }

    /// One turn, if something comes within the milliseconds.
    func proceed(_ milliseconds: Int64) {
        if case .waiting = started.turn, wait(milliseconds) {
            started.turn = connection.ready()
        }
    }

    /// Whether something came within the milliseconds.
    func wait(_ milliseconds: Int64) -> Bool {
        var wait = pollfd(fd: connection.descriptor, events: 0, revents: 0)
        if connection.interest.contains(.read) { wait.events |= Int16(POLLIN) }
        if connection.interest.contains(.write) { wait.events |= Int16(POLLOUT) }
        return poll(&wait, 1, Int32(milliseconds)) > 0
    }

    var answeredBy: String? {
        connection.answeredBy < 0
            ? nil : workspace.hosts[connection.answeredBy].rawValue
    }

    private final class Started {
        var turn = ClientTurn.waiting
    }
    private let started = Started()
}
