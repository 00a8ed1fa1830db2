import DrillCore
import FoundationEssentials

/// What is asked of the gateway: HTTP requests, whole.
struct EtcdRequests {
    private let connection: String

    init(_ lane: Lane) { connection = lane == .kept ? "keep-alive" : "close" }

    func range(_ key: String, _ read: EtcdSettings.Read) -> [UInt8] {
        post("/v3/kv/range", "{\(Self.key(key))\(Self.suffix(read))}")
    }

    func put(_ key: String, _ value: String) -> [UInt8] {
        post("/v3/kv/put", Self.put(key, value))
    }

    /// Nil stands for no value: a key that is not there has no revision of its creation.
    func compareAndSet(_ key: String, from old: String?, to new: String) -> [UInt8] {
        let condition =
            if let old {
                #""target":"VALUE","result":"EQUAL","value":"\#(Self.base64(old))""#
            } else {
                #""target":"CREATE","result":"EQUAL","create_revision":"0""#
            }
        return post(
            "/v3/kv/txn",
            #"{"compare":[{\#(Self.key(key)),\#(condition)}],"#
                + #""success":[{"requestPut":\#(Self.put(key, new))}]}"#)
    }

    /// All in one transaction; etcd takes 128 by default.
    func ranges(_ keys: some Sequence<String>, _ read: EtcdSettings.Read) -> [UInt8] {
        let all = keys.map { "{\"requestRange\":{\(Self.key($0))\(Self.suffix(read))}}" }
        return post("/v3/kv/txn", "{\"success\":[\(all.joined(separator: ","))]}")
    }

    func status() -> [UInt8] { post("/v3/maintenance/status", "{}") }

    func append(_ request: ClientRequest, _ settings: EtcdSettings) -> [UInt8] {
        if let entry = request.entry { return put(entry.key, entry.value) }
        guard let register = request.register else { return range(settings.key, settings.read) }
        return switch register.action {
        case .read: range(register.key, settings.read)
        case .write(let value): put(register.key, value)
        case .compareAndSet(let old, let new):
            compareAndSet(register.key, from: old, to: new)
        }
    }

    static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    private static func key(_ key: String) -> String { "\"key\":\"\(base64(key))\"" }

    private static func put(_ key: String, _ value: String) -> String {
        "{\(Self.key(key)),\"value\":\"\(base64(value))\"}"
    }

    private static func suffix(_ read: EtcdSettings.Read) -> String {
        switch read {
        case .linearizable: ""
        case .serializable: ",\"serializable\":true"
        }
    }

    private func post(_ path: String, _ body: String) -> [UInt8] {
        Array(
            """
            POST \(path) HTTP/1.1\r\nHost: etcd\r\nUser-Agent: firedrill\r\n\
            Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\
            Connection: \(connection)\r\n\r\n\(body)
            """.utf8)
    }
}
