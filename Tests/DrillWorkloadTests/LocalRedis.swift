import DrillCore
import DrillWorkload
import Glibc
import Synchronization

/// A real Redis (or one of its sentinels) on a free port of loopback, in a folder of its own.
final class LocalRedis: Sendable {
    let port: UInt16
    let pid: pid_t
    private let process: Mutex<ChildProcess>
    private let folder: ServerFolder
    private let password: String?

    var address: String { "127.0.0.1:\(port)" }

    /// `port`: one that was free a moment ago unless given.
    init(
        _ configuration: String = "", port given: UInt16? = nil, password: String? = nil,
        sentinel: Bool = false
    ) throws {
        self.password = password
        port = given ?? ServerFolder.freePort()
        folder = try ServerFolder("redis")
        try folder.write(
            """
            port \(port)
            bind 127.0.0.1
            dir \(folder.path)
            loglevel warning
            logfile \(folder.path)/log
            \(sentinel ? "" : "save \"\"\nrepl-diskless-sync-delay 0")
            \(configuration)

            """, to: "conf")
        let started = try ChildProcess(
            "redis-server", ["\(folder.path)/conf"] + (sentinel ? ["--sentinel"] : []), quiet: true)
        pid = started.pid
        process = Mutex(started)
        guard Self.wait(for: { (try? self.session().identity()) != nil }) else {
            throw LoadTrialError("redis-server on port \(port) did not answer within 10 s")
        }
    }

    deinit {
        process.withLock {
            $0.signal(SIGKILL)
            _ = $0.wait()
        }
        folder.remove()
    }

    func signal(_ number: Int32) { process.withLock { $0.signal(number) } }

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
