import DrillCore
import Glibc

/// A blocking conversation with a program of its own.
final class ProcessSession: ClientSession {
    private let settings: ProcessSettings
    private let timeout: Duration
    private let server: String?
    private let link = ProcessLink()
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    private var id = 0
    private var host: String?

    /// Until the first answer, which the program's own start comes before.
    private static let starting = Duration.seconds(5)
    /// Of all that is never told by whom it was answered.
    private static let nameless = "not told"

    init(
        _ settings: ProcessSettings, _ target: SessionTarget, timeout: Duration
    ) throws(SessionError) {
        self.settings = settings
        self.timeout = timeout
        switch target {
        case .endpoint: server = nil
        case .server(let one):
            guard settings.asksServers else {
                throw SessionError(
                    "client process asks no server by itself ('servers: yes')", isFinal: true)
            }
            server = one.address
        }
        let error = link.start(settings.command, isHeard: true)
        guard error == 0 else {
            throw SessionError("\(settings.command[0]): \(String(cString: strerror(error)))")
        }
    }

    deinit { buffer.deallocate() }

    func identity() throws(SessionError) -> String {
        if host == nil { _ = try ask(.read, settings.key) }
        return host ?? Self.nameless
    }

    var keysOfQuestion: Int { 1 }

    /// What its store needs, the program makes itself: this shows that both answer.
    func prepare() throws(SessionError) { _ = try ask(.read, settings.key) }

    func write(_ entry: LedgerEntry) throws(SessionError) {
        _ = try ask(.write, entry.key, entry.value)
    }

    func read(_ keys: [String]) throws(SessionError) -> [String: String] {
        var found: [String: String] = [:]
        for key in keys { found[key] = try ask(.read, key).value }
        return found
    }

    func query(_ parameters: [String: String]) throws(SessionError) -> String {
        throw SessionError("client process asks no question but reads and writes")
    }

    func close() { link.close() }

    private func ask(
        _ operation: ProcessRequest.Operation, _ key: String, _ value: String? = nil
    ) throws(SessionError) -> ProcessAnswer {
        guard link.descriptor >= 0 else { throw SessionError("the session has ended") }
        let patience = id == 0 ? max(timeout, Self.starting) : timeout
        let deadline = RunInstant.now + patience
        id += 1
        let request = ProcessRequest(
            id: id, operation, key: key, value: value, within: timeout, lane: .kept,
            server: server)
        var rest = request.line[...]
        while !rest.isEmpty {
            switch link.send(rest) {
            case .all: rest = []
            case .some(let count):
                rest = rest.dropFirst(count)
                try wait(for: POLLOUT, until: deadline, patience)
            case .failed: throw ended()
            }
        }
        while true {
            switch link.receive(buffer) {
            case .nothing: try wait(for: POLLIN, until: deadline, patience)
            case .ended: throw ended()
            case .line(let line):
                guard let answer = ProcessAnswer(line: line, to: id) else {
                    link.close()
                    throw SessionError(
                        "no answer to request \(id): '\(String(decoding: line.prefix(200), as: UTF8.self))'"
                    )
                }
                if let name = answer.host { host = name }
                switch answer.outcome {
                case .ok: return answer
                case .refused: throw SessionError("the program refused", isRefusal: true)
                case .unknown: throw SessionError("the program does not know")
                }
            }
        }
    }

    private func ended() -> SessionError {
        let why = link.lastComplaint.map { ": \($0)" } ?? ""
        link.close()
        return SessionError("\(settings.command[0]) has ended\(why)")
    }

    private func wait(
        for events: Int32, until deadline: RunInstant, _ patience: Duration
    ) throws(SessionError) {
        let left = (deadline - .now).nanoseconds
        guard left > 0 else {
            let why = link.lastComplaint.map { ": \($0)" } ?? ""
            link.close()
            throw SessionError("no answer within \(patience.spelled)\(why)")
        }
        var entry = pollfd(fd: link.descriptor, events: Int16(events), revents: 0)
        // Not long: its standard error is read in between, or it might wait for that.
        _ = poll(&entry, 1, Int32(min(left / 1_000_000 + 1, 100)))
    }
}
