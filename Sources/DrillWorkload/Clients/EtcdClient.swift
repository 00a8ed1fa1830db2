package import DrillCore

/// etcd through its JSON gateway (/v3/kv/range, put and txn; etcd 3.4 and later).
///
/// One endpoint is used until it fails, by all connections of a client: then the next one. An endpoint that refuses a
/// connection, or does not take it within `host_timeout`, is passed over within the operation, since nothing was sent
/// to it. Once a byte of the request has gone, the operation is that endpoint's: a write that is sent twice may be
/// written twice (etcd's own client repeats no write either: isSafeRetryMutableRPC in its clientv3/retry.go).
///
/// Any member takes a write and hands it to the leader. The one that "answered" is therefore the leader of the term that
/// the answer's header names, whoever carried the answer: a term has one leader, and a restarted leader a new term.
package struct EtcdClient: StoreClient {
    package static let description = ClientDescription(
        name: "etcd", summary: "etcd's JSON gateway: range, put and transactions",
        parameters: [
            .init(
                "endpoints", .hostsAndPorts, required: true,
                summary: "the members' client addresses: the first is used until it fails"),
            .init("key", .text, default: "firedrill", summary: "what operation get reads"),
            .init(
                "read", .word(["linearizable", "serializable"]), default: "linearizable",
                summary: "serializable: what the member itself has, which may be stale"),
            .init(
                "host_timeout", .duration, default: "100ms",
                summary: "after which a connection is tried at the next endpoint"),
            .init(
                "port", .port,
                summary: "of servers that are asked one by one (else that of the first endpoint)"),
        ],
        operations: [.get, .ledger, .register], refusals: EtcdReply.refusals, question: "command")

    package static let readLevel = "linearizable"

    let settings: EtcdSettings
    private let lane: Lane
    private let order = ServerOrder()

    package init(parameters: [String: String], lane: Lane) throws(ClientParameterError) {
        settings = try EtcdSettings(parameters, lane)
        self.lane = lane
    }

    package func connection(_ workspace: ClientWorkspace) -> any ClientConnection {
        EtcdConnection(settings, lane, order, workspace)
    }

    package func session(
        _ target: SessionTarget, timeout: Duration
    ) throws(SessionError) -> any ClientSession {
        try EtcdSession(settings, order, target, timeout: timeout)
    }
}

/// What a person wrote about an etcd client, read.
struct EtcdSettings {
    enum Read: String { case linearizable, serializable }

    /// Empty: only servers are asked, each by itself.
    let endpoints: [Endpoint]
    let hostTimeout: Duration
    let key: String
    let read: Read
    /// Of a server that is asked by itself.
    let port: UInt16
    let requests: EtcdRequests

    static let defaultPort: UInt16 = 2379

    init(_ parameters: [String: String], _ lane: Lane) throws(ClientParameterError) {
        let given = { (name: String) in parameters[name].flatMap { $0.isEmpty ? nil : $0 } }
        var all: [Endpoint] = []
        for text in (given("endpoints") ?? "").split(separator: ",") {
            all.append(
                try Endpoint(text.trimmed, defaultPort: Self.defaultPort))
        }
        endpoints = all
        key = given("key") ?? "firedrill"
        let word = given("read") ?? Read.linearizable.rawValue
        guard let read = Read(rawValue: word) else {
            throw ClientParameterError("'read' is linearizable or serializable, not '\(word)'")
        }
        self.read = read
        let text = given("host_timeout") ?? "100ms"
        guard case .success(let timeout) = Quantity.duration(text), timeout > .zero else {
            throw ClientParameterError(
                "'host_timeout' must be a duration above 0, such as 100ms, not '\(text)'")
        }
        hostTimeout = timeout
        if let text = given("port") {
            guard let number = UInt16(text), number > 0 else {
                throw ClientParameterError("'\(text)' is no port from 1 to 65535")
            }
            port = number
        } else {
            port = all.first?.port ?? Self.defaultPort
        }
        requests = EtcdRequests(lane)
    }
}
