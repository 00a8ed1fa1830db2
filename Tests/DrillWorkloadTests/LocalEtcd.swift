import DrillCore
import DrillWorkload
import Glibc
import Synchronization

/// Real etcd members on 127.0.0.1, .2 and .3, all on the same ports, in a folder of their own, ended by their pids.
final class LocalEtcd: Sendable {
    let port: UInt16
    let count: Int
    private let peerPort: UInt16
    private let folder: ServerFolder
    private let members: Mutex<[ChildProcess?]>

    init(_ count: Int = 1) throws {
        self.count = count
        port = ServerFolder.freePort()
        peerPort = ServerFolder.freePort()
        folder = try ServerFolder("etcd")
        members = Mutex([])
        for index in 0..<count {
            let arguments = arguments(index)
            try members.withLock { $0.append(try Self.start(arguments)) }
        }
        try waitForLeader()
    }

    deinit { end() }

    /// With their data. Whoever hands them from thread to thread says when: the last of them may let go of them only as the
    /// process ends.
    func end() {
        members.withLock { members in
            for member in members {
                member?.signal(SIGKILL)
                _ = member?.wait()
            }
            members = []
        }
        folder.remove()
    }

    func address(_ index: Int) -> String { "127.0.0.\(index + 1)" }

    /// `127.0.0.1:PORT,127.0.0.2:PORT`
    var endpoints: String {
        (0..<count).map { "\(address($0)):\(port)" }.joined(separator: ",")
    }

    var servers: [LoadServer] {
        (0..<count).map { LoadServer(host: HostName("h\($0)"), address: address($0)) }
    }

    func client(_ parameters: [String: String] = [:], _ lane: Lane = .kept) throws -> EtcdClient {
        try EtcdClient(
            parameters: ["endpoints": endpoints].merging(parameters) { $1 }, lane: lane)
    }

    func session(_ index: Int) throws -> any ClientSession {
        try client().session(.server(servers[index]), timeout: .seconds(5))
    }

    /// The member that leads.
    func leader() throws -> Int {
        for _ in 0..<400 {
            for index in 0..<count {
                guard let session = try? session(index) else { continue }
                defer { session.close() }
                if (try? session.query(["command": "leader"])) == "true" { return index }
            }
            usleep(50_000)
        }
        throw LoadTrialError("no member of etcd leads")
    }

    func waitForLeader() throws {
        _ = try leader()
        for _ in 0..<400 {
            let isUp = (0..<count).allSatisfy { index in
                (try? session(index).query(["command": "quorum"])) == "true"
            }
            if isUp { return }
            usleep(50_000)
        }
        throw LoadTrialError("not every member of etcd answers")
    }

    func signal(_ index: Int, _ number: Int32) {
        members.withLock { $0[index]?.signal(number) }
    }

    /// At once; its data stay.
    func fail(_ index: Int) {
        members.withLock { members in
            members[index]?.signal(SIGKILL)
            _ = members[index]?.wait()
            members[index] = nil
        }
    }

    func startAgain(_ index: Int) throws {
        let arguments = arguments(index)
        try members.withLock { $0[index] = try Self.start(arguments) }
        try waitForLeader()
    }

    private static func start(_ arguments: [String]) throws -> ChildProcess {
        try ChildProcess("etcd", arguments, quiet: true)
    }

    private func arguments(_ index: Int) -> [String] {
        let peer = { (index: Int) in "http://\(self.address(index)):\(self.peerPort)" }
        let client = "http://\(address(index)):\(port)"
        let all = (0..<count).map { "m\($0)=\(peer($0))" }.joined(separator: ",")
        return [
            "--name", "m\(index)", "--data-dir", "\(folder.path)/\(index)",
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer(index), "--initial-advertise-peer-urls", peer(index),
            "--initial-cluster", all, "--heartbeat-interval", "50", "--election-timeout", "500",
            "--unsafe-no-fsync", "--log-level", "error",
        ]
    }
}
