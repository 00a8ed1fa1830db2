import DrillCore

/// A blocking conversation with one member.
final class EtcdSession: ClientSession {
    private let timeout: Duration
    private let socket: SessionSocket
    private let requests = EtcdRequests(.kept)
    private let isEndpoint: Bool
    private var reader = HTTPResponseReader(keepingBodyTo: 1 << 24)
    private var latest: EtcdReply?
    /// The newest one, as long as no later answer names another term.
    private var status: EtcdReply?
    /// A leader's identity that was proven (`proveLead`), and the term of that.
    private var lead: (term: String, identity: String)?

    /// Keys of one transaction: etcd takes 128 by default.
    private static let most = 100

    init(
        _ settings: EtcdSettings, _ order: ServerOrder, _ target: SessionTarget, timeout: Duration
    ) throws(SessionError) {
        self.timeout = timeout
        switch target {
        case .endpoint:
            isEndpoint = true
            socket = try Self.connect(settings, order, until: .now + timeout)
        case .server(let server):
            isEndpoint = false
            let endpoint: Endpoint
            do throws(ClientParameterError) {
                endpoint = try Endpoint(host: server.address, port: settings.port)
            } catch {
                throw SessionError(error.description)
            }
            socket = try SessionSocket(endpoint, until: .now + timeout)
        }
    }

    /// Of an endpoint and of a leader: the leader's, by its term. Of any other member: its own.
    func identity() throws(SessionError) -> String {
        if isEndpoint {
            if latest == nil { _ = try ask(requests.range("firedrill", .linearizable)) }
            guard let identity = latest?.leaderIdentity else { throw Self.noHeader }
            return identity
        }
        let status = if let known = self.status { known } else { try askStatus() }
        guard let own = status.memberIdentity else { throw Self.noHeader }
        guard status.isLeader else { return own }
        if let lead, lead.term == status.header?.raft_term { return lead.identity }
        return try proveLead() ?? own
    }

    /// Of a leader only one that is proven.
    var term: Int64? {
        guard let status, let term = status.header?.raft_term else { return nil }
        return !status.isLeader || lead?.term == term ? Int64(term) : nil
    }

    /// A leader that was just elected may still name the term before its own, until it has applied an entry of its own:
    /// which it has when it answers a linearizable read. Nil: it has ceased to lead meanwhile.
    private func proveLead() throws(SessionError) -> String? {
        let read = try ask(requests.range("firedrill", .linearizable))
        let status = try askStatus()
        guard status.isLeader, let term = read.header?.raft_term,
            term == status.header?.raft_term, let identity = read.leaderIdentity
        else { return nil }
        lead = (term, identity)
        return identity
    }

    /// A ledger needs nothing but its keys: this shows that the cluster answers.
    func prepare() throws(SessionError) { _ = try ask(requests.range("firedrill", .linearizable)) }

    func write(_ entry: LedgerEntry) throws(SessionError) {
        _ = try ask(requests.put(entry.key, entry.value))
    }

    /// From the endpoint linearizable; from a server what it has itself.
    func read(_ keys: [String]) throws(SessionError) -> [String: String] {
        var found: [String: String] = [:]
        var rest = keys[...]
        while !rest.isEmpty {
            let batch = rest.prefix(Self.most)
            rest = rest.dropFirst(batch.count)
            let level: EtcdSettings.Read = isEndpoint ? .linearizable : .serializable
            let reply = try ask(requests.ranges(batch, level))
            guard let responses = reply.responses, responses.count == batch.count else {
                throw SessionError("a range of \(batch.count) keys has another answer")
            }
            for (key, response) in zip(batch, responses) {
                guard let pair = response.response_range?.kvs?.first else { continue }
                found[key] = EtcdReply.text(base64: pair.value)
            }
        }
        return found
    }

    func query(_ parameters: [String: String]) throws(SessionError) -> String {
        switch parameters["command", default: ""] {
        case "leader":
            return try askStatus().isLeader ? "true" : "false"
        case "term":
            return try askStatus().header?.raft_term ?? ""
        case "quorum":
            // Answered only with a majority behind it.
            _ = try ask(requests.range("firedrill", .linearizable))
            return "true"
        case let other:
            throw SessionError("a query of etcd is leader, term or quorum, not '\(other)'")
        }
    }

    func close() { socket.close() }

    private static let noHeader = SessionError("an answer of etcd's without a header")

    private func askStatus() throws(SessionError) -> EtcdReply {
        let reply = try ask(requests.status())
        status = reply
        return reply
    }

    private func ask(_ bytes: [UInt8]) throws(SessionError) -> EtcdReply {
        let deadline = RunInstant.now + timeout
        reader.reset()
        try socket.send(bytes, until: deadline)
        while true {
            let piece = try socket.receive(until: deadline)
            switch piece.withUnsafeBytes({ reader.consume($0) }) {
            case .incomplete: continue
            case .malformed: throw SessionError("no answer of etcd's gateway")
            case .complete: break
            }
            break
        }
        guard let reply = EtcdReply(reader.body) else {
            throw SessionError("HTTP \(reader.status) without JSON of etcd's gateway")
        }
        // A leader tells its status whatever its load is: who cannot does not lead.
        if let error = reply.error { throw SessionError(error, isRefusal: true) }
        guard reply.header?.member_id != nil else { throw Self.noHeader }
        latest = reply
        if status?.header?.raft_term != reply.header?.raft_term { status = nil }
        return reply
    }

    private static func connect(
        _ settings: EtcdSettings, _ order: ServerOrder, until deadline: RunInstant
    ) throws(SessionError) -> SessionSocket {
        var reasons: [String] = []
        let count = settings.endpoints.count
        let first = order.first
        for index in 0..<count {
            let place = (first + index) % count
            do throws(SessionError) {
                let until = min(deadline, .now + settings.hostTimeout)
                return try SessionSocket(settings.endpoints[place], until: until)
            } catch {
                order.failed(place, of: count)
                reasons.append(error.description)
            }
        }
        throw SessionError(
            reasons.isEmpty ? "client etcd has no endpoint" : reasons.joined(separator: "; "))
    }
}
