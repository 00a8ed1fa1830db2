import CLinux
package import DrillCore

/// Redis and what speaks like it (RESP2), at an address or wherever Sentinel says that the primary is.
///
/// A new connection is authenticated and asked for the server's run id in one go with its first operation. Through
/// Sentinel every new connection asks first, as the guidelines for clients say: one sentinel after the other, the
/// one that answered last before all others. A kept connection goes on until it breaks, or answers READONLY: then
/// it has found a replica.
package struct RedisClient: StoreClient {
    package static let description = ClientDescription(
        name: "redis",
        summary: "GET, PING, SET and compare-and-set of Redis, at an address or through Sentinel",
        parameters: [
            .init("address", .hostAndPort, summary: "where to connect"),
            .init(
                "sentinels", .hostsAndPorts,
                summary:
                    "in place of address: who is asked where the primary is, the next one after 200ms"
            ),
            .init("master", .text, summary: "the name under which the sentinels know the primary"),
            .init("username", .text, summary: "of AUTH; needs password"),
            .init("password", .text, summary: "of AUTH"),
            .init("key", .text, summary: "what operation get asks for; without it, it is a PING"),
            .init(
                "compare_and_set", .word(["script", "ifeq"]), default: "script",
                summary:
                    "how operation register does it: a Lua script (Redis 7 and later), or SET with IFEQ (Valkey 8.1, Redis 8.4, twin)"
            ),
            .init(
                "port", .port,
                summary: "of servers that are asked one by one (else that of address, or 6379)"),
        ],
        operations: [.get, .ledger, .register],
        alternatives: [["address"], ["sentinels", "master"]],
        refusals: RedisReply.refusals, question: "command")

    package static let readLevel = "primary, in order"

    private let settings: RedisSettings
    private let lane: Lane
    private let order = ServerOrder()

    package init(parameters: [String: String], lane: Lane) throws(ClientParameterError) {
        settings = try RedisSettings(parameters)
        self.lane = lane
    }

    package func connection(_ workspace: ClientWorkspace) -> any ClientConnection {
        RedisConnection(settings, lane, order, workspace)
    }

    package func session(
        _ target: SessionTarget, timeout: Duration
    ) throws(SessionError) -> any ClientSession {
        try RedisSession(settings, target, timeout: timeout)
    }
}

/// What a person wrote about a redis client, read.
struct RedisSettings {
    enum Target {
        case address(Endpoint)
        case sentinels([Endpoint], master: String)
        /// Only servers are asked, each by itself.
        case none
    }

    let target: Target
    /// Of a server that is asked by itself.
    let port: UInt16
    /// The bytes with which a new connection begins, and how many replies they have: AUTH where there is a password,
    /// and INFO.
    let greeting: [UInt8]
    let greetings: Int
    /// A read.
    let question: [UInt8]
    /// How a register's compare-and-set is asked: by a script, or by SET with IFEQ.
    let isComparedByScript: Bool

    /// How long a sentinel may take before the next one is asked.
    static let patience = Duration.milliseconds(200)

    init(_ parameters: [String: String]) throws(ClientParameterError) {
        let given = { (name: String) in parameters[name].flatMap { $0.isEmpty ? nil : $0 } }
        var ownPort: UInt16?
        switch (given("address"), given("sentinels"), given("master")) {
        case (let address?, nil, nil):
            let endpoint = try Endpoint(address[...])
            target = .address(endpoint)
            ownPort = endpoint.port
        case (nil, let sentinels?, let master?):
            var all: [Endpoint] = []
            for text in sentinels.split(separator: ",") {
                all.append(try Endpoint(text.trimmed, defaultPort: 26379))
            }
            if all.isEmpty { throw ClientParameterError("'sentinels' names none") }
            target = .sentinels(all, master: master)
        case (nil, nil, nil): target = .none
        case _:
            throw ClientParameterError(
                "client redis needs \(RedisClient.description.choice)")
        }
        if let text = given("port") {
            guard let number = UInt16(text), number > 0 else {
                throw ClientParameterError("'\(text)' is no port from 1 to 65535")
            }
            port = number
        } else {
            port = ownPort ?? 6379
        }
        switch parameters["compare_and_set", default: "script"] {
        case "script": isComparedByScript = true
        case "ifeq": isComparedByScript = false
        case let other:
            throw ClientParameterError("'compare_and_set' is script or ifeq, not '\(other)'")
        }
        var hello: [UInt8] = []
        if let password = given("password") {
            RESP.append(
                command: ["AUTH"] + (given("username").map { [$0] } ?? []) + [password], to: &hello)
        } else if given("username") != nil {
            throw ClientParameterError("'username' needs 'password'")
        }
        greetings = hello.isEmpty ? 1 : 2
        RESP.append(command: ["INFO", "server"], to: &hello)
        greeting = hello
        question = given("key").map { RESP.command("GET", $0) } ?? RESP.command("PING")
    }

    /// Appends what the request asks.
    func append(_ request: ClientRequest, to bytes: inout [UInt8]) {
        if let entry = request.entry {
            RESP.append(command: ["SET", entry.key, entry.value], to: &bytes)
        } else if let register = request.register {
            RESP.append(command: words(of: register), to: &bytes)
        } else {
            bytes.append(contentsOf: question)
        }
    }

    private func words(of request: RegisterRequest) -> [String] {
        let key = request.key
        switch request.action {
        case .read: return ["GET", key]
        case .write(let value): return ["SET", key, value]
        case .compareAndSet(nil, let new): return ["SET", key, new, "NX"]
        case .compareAndSet(let old?, let new) where isComparedByScript:
            return ["EVAL", Self.script, "1", key, old, new]
        case .compareAndSet(let old?, let new): return ["SET", key, new, "IFEQ", old]
        }
    }

    /// The first line makes it a script that writes: a replica refuses it, and does not compare what it has.
    private static let script = """
        #!lua
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[2])
        return 1
        """
}

extension Substring {
    /// Without blanks around it.
    var trimmed: Substring {
        var rest = self
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return rest
    }
}
