import CLinux
import DrillCore
import Glibc

/// What every request-and-reply client over TCP does with a connection.
struct Exchange {
    var endpoint: Endpoint
    /// Empty: an established connection is the answer.
    var request: [UInt8]
    var lane: Lane
    /// How the fresh lane ends a connection after a complete answer.
    var closesByReset: Bool
}

final class ExchangeConnection<Reader: ReplyReader>: ClientConnection {
    private enum State { case closed, connecting, sending, receiving, idle }

    private let exchange: Exchange
    private let workspace: ClientWorkspace
    private var reader: Reader
    private var state = State.closed
    private var unsent = 0
    private(set) var descriptor: Int32 = -1
    private(set) var incarnation: UInt32 = 0
    private(set) var answeredBy = -1

    init(_ exchange: Exchange, _ reader: Reader, _ workspace: ClientWorkspace) {
        self.exchange = exchange
        self.reader = reader
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
        reader.reset()
        if state == .idle {
            // The server may have ended it since the queue was last asked.
            if clinux_tcp_is_quiet(descriptor) == 1 { return send(onKept: true) }
            close()
        }
        return open()
    }

    func ready() -> ClientTurn {
        switch state {
        case .connecting:
            guard clinux_tcp_error(descriptor) == 0 else { return broken() }
            return send()
        case .sending: return proceed()
        case .receiving: return receive()
        case .closed, .idle: return .waiting
        }
    }

    func disturbed() { close() }

    func close() {
        if descriptor >= 0 { clinux_tcp_reset(descriptor) }
        descriptor = -1
        state = .closed
    }

    private func open() -> ClientTurn {
        var address = exchange.endpoint.address
        let error = clinux_tcp_open(&address, &descriptor)
        if error != 0, error != EINPROGRESS {
            descriptor = -1
            return .decided(ClientAnswer(error: error))
        }
        incarnation &+= 1
        if error == 0 { return send() }
        state = .connecting
        return .waiting
    }

    private func send(onKept: Bool = false) -> ClientTurn {
        if exchange.request.isEmpty {
            finish(reusable: false)
            return .decided(.ok)
        }
        unsent = exchange.request.count
        return proceed(onKept: onKept)
    }

    private func proceed(onKept: Bool = false) -> ClientTurn {
        state = .sending
        let sent = exchange.request.withUnsafeBytes { bytes in
            Glibc.send(
                descriptor, bytes.baseAddress! + (bytes.count - unsent), unsent,
                Int32(MSG_NOSIGNAL))
        }
        if sent < 0 {
            if errno == EAGAIN || errno == EINTR { return .waiting }
            let error = errno
            if onKept {
                // It ended before any byte of the request: that is no answer to it.
                close()
                return open()
            }
            close()
            return .decided(ClientAnswer(error: error))
        }
        unsent -= sent
        if unsent == 0 { state = .receiving }
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
        case .complete(let answer, let reusable):
            answeredBy = reader.withHost { $0.isEmpty ? -1 : workspace.index(ofHost: $0) }
            finish(reusable: reusable && count > 0)
            return .decided(answer)
        }
    }

    private func broken() -> ClientTurn {
        close()
        return .decided(.broken)
    }

    /// After a complete answer.
    private func finish(reusable: Bool) {
        if exchange.lane == .kept, reusable {
            state = .idle
        } else if exchange.closesByReset {
            close()
        } else {
            _ = Glibc.close(descriptor)
            descriptor = -1
            state = .closed
        }
    }
}
