import DrillCore
import DrillWorkload
import Glibc

/// A real Redis (or one of its sentinels) on a free port of loopback, in a folder of its own.
final class LocalRedis: Sendable {
    let port: UInt16
    let pid: pid_t
    private let folder: String
    private let password: String?

    var address: String { "127.0.0.1:\(port)" }

    /// `port`: one that was free a moment ago unless given.
    init(
        _ configuration: String = "", port given: UInt16? = nil, password: String? = nil,
        sentinel: Bool = false
    ) throws {
        self.password = password
        port = given ?? Self.freePort()
        var template = Array("/tmp/firedrill-redis-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LoadTrialError("mkdtemp") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let text = """
            port \(port)
            bind 127.0.0.1
            dir \(folder)
            loglevel warning
            logfile \(folder)/log
            \(sentinel ? "" : "save \"\"\nrepl-diskless-sync-delay 0")
            \(configuration)

            """
        guard let file = fopen("\(folder)/conf", "w") else { throw LoadTrialError("fopen") }
        fputs(text, file)
        fclose(file)
        let arguments = ["redis-server", "\(folder)/conf"] + (sentinel ? ["--sentinel"] : [])
        var argv = arguments.map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        var child = pid_t()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        guard posix_spawnp(&child, "redis-server", &actions, nil, &argv, environ) == 0 else {
            throw LoadTrialError("redis-server cannot be started: install redis-server")
        }
        pid = child
        guard Self.wait(for: { (try? self.session().identity()) != nil }) else {
            throw LoadTrialError("redis-server on port \(port) did not answer within 10 s")
        }
    }

    deinit {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        for name in ["conf", "log", "dump.rdb"] { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    func signal(_ number: Int32) { kill(pid, number) }

    func client() throws -> RedisClient {
        try RedisClient(
            parameters: ["address": address, "password": password ?? ""], lane: .kept)
    }

    func session() throws -> any ClientSession {
        try client().session(.endpoint, timeout: .seconds(2))
    }

    @discardableResult func ask(_ command: String) throws -> String {
        let session = try session()
        defer { session.close() }
        return try session.query(["command": command])
    }

    static func wait(for condition: () -> Bool) -> Bool {
        for _ in 0..<1000 {
            if condition() { return true }
            usleep(10_000)
        }
        return false
    }

    private static func freePort() -> UInt16 {
        // It serves nobody; its port is free once it is stopped.
        let server = ScriptedServer(serve: nil)
        server.stop()
        return server.port
    }
}

extension LocalRedis {
    /// Whether a sentinel says so of a primary.
    func knows(_ master: String, _ name: String, _ value: String) -> Bool {
        guard let session = try? session() else { return false }
        defer { session.close() }
        guard let text = try? session.query(["command": "INFO sentinel"]) else { return false }
        // `master0:name=m,status=ok,address=127.0.0.1:1234,slaves=1,sentinels=3`
        let wanted = name == "num-slaves" ? "slaves=\(value)" : "sentinels=\((Int(value) ?? 0) + 1)"
        return text.contains("name=\(master),status=ok") && text.contains(wanted)
    }
}
