import CLinux
import DrillCore
import Glibc

/// One operation at a time, asked of a program of its own.
final class ProcessConnection: ClientConnection {
    private enum State { case closed, idle, sending, receiving }

    private let settings: ProcessSettings
    private let lane: Lane
    private let starts: ProcessStarts
    private let workspace: ClientWorkspace
    private let link = ProcessLink()
    private var state = State.closed
    private var request = ClientRequest(kind: .read, number: 0)
    private var id = 0
    private var outgoing: [UInt8] = []
    private var sent = 0
    private(set) var incarnation: UInt32 = 0
    private(set) var answeredBy = -1
    private(set) var registerAnswer: RegisterAnswer?
    /// The program has not answered yet.
    private(set) var isNew = true

    init(
        _ settings: ProcessSettings, _ lane: Lane, _ starts: ProcessStarts,
        _ workspace: ClientWorkspace
    ) {
        self.settings = settings
        self.lane = lane
        self.starts = starts
        self.workspace = workspace
        starts.addConnection()
        // Ahead: what it takes to start is no answer time of the system's.
        _ = start()
    }

    var descriptor: Int32 { link.descriptor }

    var interest: ClientInterest {
        switch state {
        case .sending: .write
        case .receiving, .idle: .read
        case .closed: []
        }
    }

    func begin(_ request: ClientRequest) -> ClientTurn {
        self.request = request
        answeredBy = -1
        registerAnswer = nil
        // It may have ended since the queue was last asked.
        if state == .idle, !link.isQuiet { end() }
        if state == .closed, !start() { return .decided(.unable) }
        id += 1
        let time = request.deadline.map { $0 - .now } ?? .seconds(1)
        outgoing =
            ProcessRequest(request, id: id, key: settings.key, within: time, lane: lane).line
        sent = 0
        return send()
    }

    func ready() -> ClientTurn {
        switch state {
        case .sending: return send()
        case .receiving: return receive()
        case .closed, .idle: return .waiting
        }
    }

    func disturbed() {
        end()
        // Where it ends again and again, the starts run out.
        _ = start()
    }

    func close() {
        let wasAsked = state == .sending || state == .receiving
        end()
        // Ahead of the next operation.
        if wasAsked { _ = start() }
    }

    private func end() {
        if let pid = link.end() { starts.killed(pid) }
        state = .closed
        isNew = true
    }

    private func start() -> Bool {
        guard starts.take(), link.start(settings.command, isHeard: false) == 0 else { return false }
        incarnation &+= 1
        state = .idle
        return true
    }

    private func send() -> ClientTurn {
        state = .sending
        switch link.send(outgoing[sent...]) {
        case .all:
            state = .receiving
            return .waiting
        case .some(let count):
            sent += count
            return .waiting
        case .failed:
            let isUntouched = sent == 0
            close()
            // Before a byte of it has gone the program cannot have acted on it.
            return .decided(isUntouched ? .refused : .broken)
        }
    }

    private func receive() -> ClientTurn {
        switch link.receive(workspace.buffer) {
        case .nothing: return .waiting
        case .ended: return failed()
        case .line(let line):
            guard let answer = ProcessAnswer(line: line, to: id) else { return failed() }
            if let register = request.register, answer.outcome == .ok {
                registerAnswer = answer.registerAnswer(register.action)
                if registerAnswer == nil { return failed() }
            }
            if var host = answer.host {
                answeredBy = host.withUTF8 { workspace.index(ofHost: UnsafeRawBufferPointer($0)) }
            }
            state = .idle
            isNew = false
            return .decided(answer.answer)
        }
    }

    /// It ended, or speaks otherwise.
    private func failed() -> ClientTurn {
        close()
        return .decided(.broken)
    }
}
