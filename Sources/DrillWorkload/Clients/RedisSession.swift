import DrillCore

/// A blocking conversation with one Redis server.
final class RedisSession: ClientSession {
    private let timeout: Duration
    private let socket: SessionSocket
    private var parser = RESPParser()
    private let runID: String

    /// Keys of one MGET: its reply is far from what the parser takes.
    private static let most = 500

    init(_ settings: RedisSettings, _ target: SessionTarget, timeout: Duration) throws(SessionError)
    {
        self.timeout = timeout
        let deadline = RunInstant.now + timeout
        let endpoint: Endpoint
        switch target {
        case .endpoint: endpoint = try Self.primary(settings, until: deadline)
        case .server(let server):
            do throws(ClientParameterError) {
                endpoint = try Endpoint(host: server.address, port: settings.port)
            } catch {
                throw SessionError(error.description)
            }
        }
        socket = try SessionSocket(endpoint, until: deadline)
        var identity: String?
        try socket.send(settings.greeting, until: deadline)
        for index in 1...settings.greetings {
            let value = try Self.next(socket, &parser, until: deadline)
            if case .error(let text) = value { throw Self.refused(text) }
            guard index == settings.greetings else { continue }
            identity = RedisReply.withIdentity(value) { String(decoding: $0, as: UTF8.self) }
        }
        guard let identity else { throw SessionError("INFO has no run_id") }
        runID = identity
    }

    func identity() throws(SessionError) -> String { runID }

    /// A ledger needs nothing but its keys: this shows that the server answers.
    func prepare() throws(SessionError) { _ = try ask(["PING"]) }

    func write(_ entry: LedgerEntry) throws(SessionError) {
        let value = try ask(["SET", entry.key, entry.value])
        guard value == .simple("OK") else { throw SessionError("SET: \(value)") }
    }

    func read(_ keys: [String]) throws(SessionError) -> [String: String] {
        var found: [String: String] = [:]
        var rest = keys[...]
        while !rest.isEmpty {
            let batch = rest.prefix(Self.most)
            rest = rest.dropFirst(batch.count)
            let value = try ask(["MGET"] + batch)
            guard let elements = value.elements, elements.count == batch.count else {
                throw SessionError("MGET of \(batch.count) keys has another answer")
            }
            for (key, element) in zip(batch, elements) {
                switch element {
                case .bulk(let bytes): found[key] = String(decoding: bytes, as: UTF8.self)
                case .null: break
                case .simple, .error, .integer, .array:
                    throw SessionError("MGET: \(element) in place of a value")
                }
            }
        }
        return found
    }

    func query(_ parameters: [String: String]) throws(SessionError) -> String {
        let words = parameters["command", default: ""].split(separator: " ").map(String.init)
        if words.isEmpty { throw SessionError("a query of redis needs 'command'") }
        var value = try ask(words)
        while case .array(let elements) = value { value = elements.first ?? .null }
        if case .integer(let number) = value { return String(number) }
        return value.text ?? ""
    }

    func close() { socket.close() }

    private func ask(_ words: [String]) throws(SessionError) -> RESPValue {
        let deadline = RunInstant.now + timeout
        var bytes: [UInt8] = []
        RESP.append(command: words, to: &bytes)
        try socket.send(bytes, until: deadline)
        let value = try Self.next(socket, &parser, until: deadline)
        if case .error(let text) = value { throw Self.refused(text) }
        return value
    }

    private static func refused(_ text: String) -> SessionError {
        SessionError(text, isRefusal: text.hasPrefix("LOADING "))
    }

    private static func next(
        _ socket: SessionSocket, _ parser: inout RESPParser, until deadline: RunInstant
    ) throws(SessionError) -> RESPValue {
        while true {
            do throws(RESPError) {
                if let value = try parser.next() { return value }
            } catch {
                throw SessionError(error.description)
            }
            parser.append(try socket.receive(until: deadline))
        }
    }

    /// Where the workload's operations go.
    private static func primary(
        _ settings: RedisSettings, until deadline: RunInstant
    ) throws(SessionError) -> Endpoint {
        let all: [Endpoint]
        let master: String
        switch settings.target {
        case .address(let endpoint): return endpoint
        case .sentinels(let sentinels, let name): (all, master) = (sentinels, name)
        case .none: throw SessionError("client redis has no endpoint")
        }
        var reasons: [String] = []
        for sentinel in all {
            do throws(SessionError) {
                let until = min(deadline, .now + RedisSettings.patience)
                let socket = try SessionSocket(sentinel, until: until)
                try socket.send(
                    RESP.command("SENTINEL", "get-master-addr-by-name", master), until: until)
                var parser = RESPParser()
                let value = try next(socket, &parser, until: until)
                if let primary = RedisReply.primary(value) { return primary }
                reasons.append("knows no primary '\(master)'")
            } catch {
                reasons.append(error.description)
            }
        }
        throw SessionError("no sentinel names the primary: \(reasons.joined(separator: "; "))")
    }
}
