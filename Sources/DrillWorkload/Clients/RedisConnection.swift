import CLinux
import DrillCore
import Glibc

/// A connection to Redis; through Sentinel, first to one that says where.
final class RedisConnection: ClientConnection {
    private enum State { case closed, connecting, sending, receiving, idle }

    private let settings: RedisSettings
    private let lane: Lane
    private let order: ServerOrder
    private let workspace: ClientWorkspace
    private var state = State.closed
    private var parser = RESPParser()
    /// What the operation sends, and what is under way: that, a greeting and that, or a question to a sentinel.
    private var operation: [UInt8] = []
    private var outgoing: [UInt8] = []
    private var sent = 0
    private var isWrite = false
    private var register: RegisterAction?
    /// Replies that come before the operation's.
    private var greetings = 0
    /// The sentinel that is being asked, and how many were asked for this operation; nil: this is the store.
    private var sentinel: Int?
    private var asked = 0
    /// Who this connection leads to, in the workspace's table.
    private var identity = -1
    private(set) var descriptor: Int32 = -1
    private(set) var incarnation: UInt32 = 0
    private(set) var answeredBy = -1
    private(set) var registerAnswer: RegisterAnswer?
    private(set) var wake = Int64.max

    init(
        _ settings: RedisSettings, _ lane: Lane, _ order: ServerOrder,
        _ workspace: ClientWorkspace
    ) {
        self.settings = settings
        self.lane = lane
        self.order = order
        self.workspace = workspace
    }

    var interest: ClientInterest {
        switch state {
        case .connecting, .sending: .write
        case .receiving, .idle: .read
        case .closed: []
        }
    }

    func begin(_ request: ClientRequest) -> ClientTurn {
        answeredBy = -1
        isWrite = request.kind == .write
        register = request.register?.action
        registerAnswer = nil
        operation.removeAll(keepingCapacity: true)
        settings.append(request, to: &operation)
        if state == .idle {
            // The server may have ended it since the queue was last asked.
            if clinux_tcp_is_quiet(descriptor) == 1 {
                swap(&outgoing, &operation)
                greetings = 0
                return transmit(onKept: true)
            }
            shut()
        }
        return connect()
    }

    func ready() -> ClientTurn {
        switch state {
        case .connecting:
            guard clinux_tcp_error(descriptor) == 0 else { return failed() }
            return greet()
        case .sending: return proceed()
        case .receiving: return receive()
        case .closed, .idle: return .waiting
        }
    }

    /// The sentinel has taken too long.
    func woken() -> ClientTurn { failed() }

    func disturbed() { shut() }

    func close() {
        // The operation's time ended with this sentinel: the next operation begins with another one.
        if let sentinel, case .sentinels(let all, master: _) = settings.target {
            order.failed(sentinel, of: all.count)
        }
        shut()
    }

    private func shut() {
        if descriptor >= 0 { clinux_tcp_reset(descriptor) }
        descriptor = -1
        state = .closed
        sent = 0
        sentinel = nil
        wake = .max
        parser.reset()
    }

    /// To the store at its address, or to the first sentinel.
    private func connect() -> ClientTurn {
        asked = 0
        switch settings.target {
        case .address(let endpoint): return open(endpoint)
        case .sentinels(let all, master: _): return askSentinel(order.first % all.count, of: all)
        case .none: return .decided(.unable)
        }
    }

    private func askSentinel(_ index: Int, of all: [Endpoint]) -> ClientTurn {
        sentinel = index
        asked += 1
        wake = clinux_monotonic_ns() + RedisSettings.patience.nanoseconds
        return open(all[index])
    }

    private func open(_ endpoint: Endpoint) -> ClientTurn {
        var address = endpoint.address
        let error = clinux_tcp_open(&address, &descriptor)
        if error != 0, error != EINPROGRESS {
            descriptor = -1
            return failed(error)
        }
        incarnation &+= 1
        if error == 0 { return greet() }
        state = .connecting
        return .waiting
    }

    /// The connection is there.
    private func greet() -> ClientTurn {
        outgoing.removeAll(keepingCapacity: true)
        if sentinel != nil, case .sentinels(_, let master) = settings.target {
            RESP.append(command: ["SENTINEL", "get-master-addr-by-name", master], to: &outgoing)
        } else {
            identity = -1
            greetings = settings.greetings
            outgoing.append(contentsOf: settings.greeting)
            outgoing.append(contentsOf: operation)
        }
        return transmit()
    }

    private func transmit(onKept: Bool = false) -> ClientTurn {
        sent = 0
        return proceed(onKept: onKept)
    }

    private func proceed(onKept: Bool = false) -> ClientTurn {
        state = .sending
        let count = outgoing.withUnsafeBytes { bytes in
            Glibc.send(
                descriptor, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
        }
        if count < 0 {
            if errno == EAGAIN || errno == EINTR { return .waiting }
            let error = errno
            if onKept {
                // It ended before any byte of the operation: that is no answer to it.
                swap(&outgoing, &operation)
                shut()
                return connect()
            }
            return failed(error)
        }
        sent += count
        if sent == outgoing.count { state = .receiving }
        return .waiting
    }

    private func receive() -> ClientTurn {
        let count = recv(descriptor, workspace.buffer.baseAddress!, workspace.buffer.count, 0)
        if count < 0 { return errno == EAGAIN || errno == EINTR ? .waiting : failed() }
        if count == 0 { return failed() }
        parser.append(UnsafeRawBufferPointer(rebasing: workspace.buffer[..<count]))
        do throws(RESPError) {
            while let value = try parser.next() {
                if let index = sentinel { return take(value, from: index) }
                if greetings == 0 { return decide(value) }
                greetings -= 1
                if greetings == 0 {
                    identity = RedisReply.withIdentity(value, workspace.index(ofHost:)) ?? -1
                }
            }
            return .waiting
        } catch {
            return failed()
        }
    }

    private func take(_ value: RESPValue, from index: Int) -> ClientTurn {
        guard let primary = RedisReply.primary(value) else { return failed() }
        order.answered(index)
        shut()
        return open(primary)
    }

    private func decide(_ value: RESPValue) -> ClientTurn {
        guard let answer = answer(value) else { return failed() }
        answeredBy = identity
        // Bytes that nobody asked for would be taken for the next answer.
        if lane == .kept, parser.isEmpty, !RedisReply.isReadOnly(value) {
            state = .idle
        } else {
            shut()
        }
        return .decided(answer)
    }

    private func answer(_ value: RESPValue) -> ClientAnswer? {
        if let register {
            registerAnswer = RedisReply.registerAnswer(value, to: register)
            if registerAnswer != nil { return .ok }
            // Anything else but an error answers another question.
            guard case .error = value else { return nil }
        }
        return RedisReply.answer(value, isWrite: isWrite)
    }

    private func failed(_ error: Int32) -> ClientTurn {
        guard ClientAnswer(error: error) == .unable else { return failed() }
        shut()
        return .decided(.unable)
    }

    /// The connection is no good: the next sentinel is asked, or the operation has ended with it.
    private func failed() -> ClientTurn {
        guard let index = sentinel, case .sentinels(let all, master: _) = settings.target else {
            // Before a byte of it has gone nothing of the operation can be seen, ever.
            let answer = sent == 0 ? ClientAnswer.refused : .broken
            shut()
            return .decided(answer)
        }
        order.failed(index, of: all.count)
        shut()
        // No sentinel has seen anything of it.
        guard asked < all.count else { return .decided(.refused) }
        return askSentinel((index + 1) % all.count, of: all)
    }
}
