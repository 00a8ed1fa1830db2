import CLinux
import DrillCore
import Glibc

/// One operation at a time, over a connection to one of several members.
final class EtcdConnection: ClientConnection {
    private enum State { case closed, connecting, sending, receiving, idle }

    private let settings: EtcdSettings
    private let lane: Lane
    private let order: ServerOrder
    private let workspace: ClientWorkspace
    private var state = State.closed
    private var reader = HTTPResponseReader(keepingBodyTo: 1 << 20)
    private var outgoing: [UInt8] = []
    private var sent = 0
    private var request = ClientRequest(kind: .read, number: 0)
    /// The endpoint that this connection leads to, and how many were tried for this operation.
    private var endpoint = 0
    private var tried = 0
    private(set) var descriptor: Int32 = -1
    private(set) var incarnation: UInt32 = 0
    private(set) var answeredBy = -1
    private(set) var registerAnswer: RegisterAnswer?
    private(set) var wake = Int64.max

    init(
        _ settings: EtcdSettings, _ lane: Lane, _ order: ServerOrder, _ workspace: ClientWorkspace
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
        self.request = request
        answeredBy = -1
        registerAnswer = nil
        outgoing = settings.requests.append(request, settings)
        sent = 0
        reader.reset()
        tried = 0
        if state == .idle {
            // The server may have ended it since the queue was last asked.
            if clinux_tcp_is_quiet(descriptor) == 1 { return send(onKept: true) }
            shut()
        }
        return connect(to: order.first)
    }

    func ready() -> ClientTurn {
        switch state {
        case .connecting:
            let error = clinux_tcp_error(descriptor)
            return error == 0 ? send() : passOver(error)
        case .sending: return send()
        case .receiving: return receive()
        case .closed, .idle: return .waiting
        }
    }

    /// The member has not taken the connection in its time.
    func woken() -> ClientTurn { passOver(ETIMEDOUT) }

    func disturbed() { shut() }

    func close() {
        // Silent until the operation's end: the next operation begins with another member.
        if state != .idle, state != .closed { order.failed(endpoint, of: settings.endpoints.count) }
        shut()
    }

    private func shut() {
        if descriptor >= 0 { clinux_tcp_reset(descriptor) }
        descriptor = -1
        state = .closed
        wake = .max
    }

    private func connect(to index: Int) -> ClientTurn {
        guard !settings.endpoints.isEmpty else { return .decided(.unable) }
        endpoint = index % settings.endpoints.count
        tried += 1
        var address = settings.endpoints[endpoint].address
        let error = clinux_tcp_open(&address, &descriptor)
        if error != 0, error != EINPROGRESS {
            descriptor = -1
            return passOver(error)
        }
        incarnation &+= 1
        if error == 0 { return send() }
        state = .connecting
        // The last one may take what is left of the operation's time.
        if tried < settings.endpoints.count {
            wake = clinux_monotonic_ns() + settings.hostTimeout.nanoseconds
        }
        return .waiting
    }

    /// Nothing was sent to this member: the next one, or none has taken the operation.
    private func passOver(_ error: Int32) -> ClientTurn {
        shut()
        if ClientAnswer(error: error) == .unable { return .decided(.unable) }
        order.failed(endpoint, of: settings.endpoints.count)
        guard tried < settings.endpoints.count else { return .decided(.refused) }
        return connect(to: endpoint + 1)
    }

    private func send(onKept: Bool = false) -> ClientTurn {
        state = .sending
        wake = .max
        let count = outgoing.withUnsafeBytes { bytes in
            Glibc.send(
                descriptor, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
        }
        if count < 0 {
            let error = errno
            if error == EAGAIN || error == EINTR { return .waiting }
            guard sent == 0 else { return broken() }
            // It ended before any byte of the request: that is no answer to it.
            if onKept {
                shut()
                return connect(to: order.first)
            }
            return passOver(error)
        }
        sent += count
        if sent == outgoing.count { state = .receiving }
        return .waiting
    }

    private func receive() -> ClientTurn {
        let count = recv(descriptor, workspace.buffer.baseAddress!, workspace.buffer.count, 0)
        if count < 0 { return errno == EAGAIN || errno == EINTR ? .waiting : broken() }
        let reply =
            count == 0
            ? reader.end()
            : reader.consume(UnsafeRawBufferPointer(rebasing: workspace.buffer[..<count]))
        switch reply {
        case .incomplete: return count == 0 ? broken() : .waiting
        case .malformed: return broken()
        case .complete(_, let reusable):
            let answer = take()
            // It has no leader, or no room: another member may.
            if answer != .ok { order.failed(endpoint, of: settings.endpoints.count) }
            if lane == .kept, reusable, count > 0, answer == .ok {
                state = .idle
            } else {
                shut()
            }
            return .decided(answer)
        }
    }

    private func take() -> ClientAnswer {
        let reply = EtcdReply(reader.body)
        guard reader.status == 200, let reply, reply.header != nil else {
            let isRefusal = request.kind == .read || reply?.isDefiniteRefusal == true
            return isRefusal ? .refused : .broken
        }
        if let register = request.register {
            registerAnswer = reply.registerAnswer(register.action)
            if registerAnswer == nil { return .broken }
        }
        // A serializable read is the member's own: it vouches for no term.
        if request.kind == .write || settings.read == .linearizable, var name = reply.leaderIdentity
        {
            answeredBy = name.withUTF8 { workspace.index(ofHost: UnsafeRawBufferPointer($0)) }
        }
        return .ok
    }

    private func broken() -> ClientTurn {
        order.failed(endpoint, of: settings.endpoints.count)
        shut()
        return .decided(.broken)
    }
}
