import DrillCore
import FoundationEssentials

/// An answer of the gateway. Numbers are texts in it, and bytes are in base64.
struct EtcdReply: Decodable {
    struct Header: Decodable {
        var cluster_id: String?
        var member_id: String?
        var raft_term: String?
    }

    struct Pair: Decodable {
        var key: String
        var value: String?
    }

    struct Range: Decodable {
        var kvs: [Pair]?
    }

    struct Response: Decodable {
        var response_range: Range?
    }

    var header: Header?
    var kvs: [Pair]?
    var succeeded: Bool?
    var responses: [Response]?
    /// Of a member's status: the leader that it knows.
    var leader: String?
    var error: String?

    /// Nil: no JSON of the gateway's.
    init?(_ body: [UInt8]) {
        do {
            self = try JSONDecoder().decode(EtcdReply.self, from: Data(body))
        } catch {
            return nil
        }
    }

    /// What errors begin with that are given in place of a write: nothing was written.
    ///
    /// etcd 3.4 answers these before it proposes anything (the interceptor in api/v3rpc/interceptor.go, checkPutRequest
    /// and checkTxnRequest in api/v3rpc/key.go, processInternalRaftRequestOnce in etcdserver/v3_server.go), or when it
    /// applies an entry and finds that its user may not do that. "raft proposal dropped": its own raft took no proposal
    /// since it knows no leader or is handing the lead over.
    ///
    /// Not on the list, and so indeterminate: "request timed out" in all its forms, "leader changed" and "server
    /// stopped", which come after the proposal; "mvcc: database space exceeded", which the put that crosses the quota
    /// gets although it is written (quotaApplierV3.Put); what gRPC says of a connection that broke.
    static let refusals = [
        "etcdserver: no leader", "etcdserver: not capable", "etcdserver: too many requests",
        "etcdserver: request is too large", "etcdserver: rpc not supported for learner",
        "etcdserver: permission denied", "etcdserver: user name is empty",
        "etcdserver: invalid auth token", "etcdserver: key is not provided",
        "etcdserver: too many operations in txn request", "raft proposal dropped",
    ]

    var isDefiniteRefusal: Bool {
        guard let error else { return false }
        return Self.refusals.contains { error.hasPrefix($0) }
    }

    /// What tells the leader whose term this is from every other start of every other server.
    var leaderIdentity: String? {
        guard let cluster = header?.cluster_id, let term = header?.raft_term else { return nil }
        return "\(cluster)/term/\(term)"
    }

    /// Of the member that carried the answer.
    var memberIdentity: String? {
        guard let cluster = header?.cluster_id, let member = header?.member_id else { return nil }
        return "\(cluster)/member/\(member)"
    }

    /// Of a status: whether the member takes itself for the leader.
    var isLeader: Bool { leader != nil && leader != "0" && leader == header?.member_id }

    static func text(base64: String?) -> String? {
        Data(base64Encoded: base64 ?? "").map { String(decoding: $0, as: UTF8.self) }
    }

    /// What a register's operation asked, answered; nil where this answers something else.
    func registerAnswer(_ action: RegisterAction) -> RegisterAnswer? {
        switch action {
        case .read:
            guard let first = kvs?.first else { return .value(nil) }
            return Self.text(base64: first.value).map { .value($0) }
        case .write: return .written
        case .compareAndSet: return .compared(didSet: succeeded ?? false)
        }
    }
}
