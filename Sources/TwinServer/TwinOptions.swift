import DrillNetlink
import Glibc
import TwinCore

/// Known-bad pairs: each breaks one promise on purpose.
enum Badness: Hashable {
    /// Acknowledges at once, and writes up to 100 ms later.
    case ackBeforeWrite
    /// For 5 s after a promotion, reads do not see the 100 records before it.
    case staleReads
    /// Each 1000th write is acknowledged and dropped.
    case forget
    /// Goes on for 300 ms, address and all, after it stepped down.
    case dualPrimary
    case neverRecover
    /// When the old primary is level again, all that was written since the failover is deleted.
    case loseOnFailback
    /// At a promotion, exactly so many acknowledged writes are deleted.
    case lose(Int)

    init?(_ text: String) {
        switch text {
        case "ack-before-write": self = .ackBeforeWrite
        case "stale-reads": self = .staleReads
        case "forget": self = .forget
        case "dual-primary": self = .dualPrimary
        case "never-recover": self = .neverRecover
        case "lose-on-failback": self = .loseOnFailback
        case _:
            guard text.hasPrefix("lose="), let count = Int(text.dropFirst(5)), count > 0 else {
                return nil
            }
            self = .lose(count)
        }
    }
}

/// The command line.
struct TwinOptions {
    struct Wrong: Error { let text: String }

    static let help = """
        twin: two hosts, one of them primary, that speak the Redis protocol. A reference for drills, not a product.

          twin node a|b|witness --address IP --peers IP,IP[,IP] --data FOLDER [--vip IP] [options]
          twin status [--host IP] [--port N] [--get FIELD]     the node's INFO, or one field: role, in_sync, epoch, …
          twin switchover [--host IP] [--port N]               asks the primary to hand over

          --address IP          this node's own address
          --peers A,B[,W]       addresses of a, b and the witness, in this order. Without a witness the standby promotes
                                itself, and a partition makes two primaries
          --data FOLDER         the log and the epoch; made if need be
          --vip IP              the address that clients use; the primary holds it on --interface (default eth0)
          --ack replicated|local   acknowledge a write when the standby has it, too (default); or at once
          --heartbeat 10ms      how often the primary says that it lives
          --detect 35ms         how long a silence is allowed (default: 3.5 heartbeats)
          --fsync on|off        off (default): a write outlives its process, but not a power cut of a real host
          --port 6379 --replication-port 6380 --heartbeat-port 6381   (TCP, TCP, UDP)
          --bad NAME            breaks a promise on purpose: ack-before-write, stale-reads, forget, dual-primary,
                                never-recover, lose-on-failback, lose=N; none (default)
        """

    var node: UInt8
    var address: String
    var peers: [String]
    var data: String
    var vip: String?
    var interface: InterfaceName
    var acknowledgesReplicated: Bool
    var heartbeat: Int64
    var detect: Int64?
    var synced: Bool
    var port: UInt16
    var replicationPort: UInt16
    var heartbeatPort: UInt16
    var badness: Badness?

    static let names = ["a", "b", "witness"]
    var name: String { Self.names[Int(node)] }

    init(_ arguments: [String]) throws {
        var arguments = arguments[...]
        guard let node = arguments.popFirst().flatMap(Self.names.firstIndex(of:)) else {
            throw Wrong(text: "which node? a, b or witness")
        }
        self.node = UInt8(node)
        var flags = try Flags(arguments)
        address = try flags.required("address")
        peers = try flags.required("peers").split(separator: ",").map(String.init)
        guard (2...3).contains(peers.count), peers.indices.contains(node) else {
            throw Wrong(
                text: "--peers takes the addresses of a, b and, if there is one, the witness")
        }
        data = try flags.required("data")
        vip = flags.take("vip")
        let interface = flags.take("interface") ?? "eth0"
        guard let name = InterfaceName(interface) else {
            throw Wrong(text: "--interface \(interface): no interface can have that name")
        }
        self.interface = name
        acknowledgesReplicated = try flags.choice("ack", ["replicated", "local"]) == 0
        heartbeat = try flags.duration("heartbeat") ?? 10_000_000
        detect = try flags.duration("detect")
        synced = try flags.choice("fsync", ["off", "on"]) == 1
        port = try flags.port("port") ?? 6379
        replicationPort = try flags.port("replication-port") ?? 6380
        heartbeatPort = try flags.port("heartbeat-port") ?? 6381
        if let bad = flags.take("bad"), bad != "none" {
            guard let badness = Badness(bad) else {
                throw Wrong(text: "--bad \(bad): see twin --help")
            }
            self.badness = badness
        }
        try flags.end()
        guard (detect ?? .max) >= heartbeat * 2 else {
            throw Wrong(
                text: "--detect is less than two heartbeats: every late one would be a failover")
        }
    }

    var configuration: TwinConfiguration {
        var configuration = TwinConfiguration(
            node: node, hasWitness: peers.count == 3,
            acknowledgesReplicated: acknowledgesReplicated, heartbeat: heartbeat, detect: detect)
        configuration.neverPromotes = badness == .neverRecover
        return configuration
    }
}

/// `--name value`, each at most once.
struct Flags {
    private var values: [String: String] = [:]

    init(_ arguments: ArraySlice<String>) throws {
        var rest = arguments
        while let flag = rest.popFirst() {
            guard flag.hasPrefix("--"), let value = rest.popFirst() else {
                throw TwinOptions.Wrong(text: "'\(flag)': options are --name value")
            }
            guard values.updateValue(value, forKey: String(flag.dropFirst(2))) == nil else {
                throw TwinOptions.Wrong(text: "\(flag) is given twice")
            }
        }
    }

    mutating func take(_ name: String) -> String? { values.removeValue(forKey: name) }

    mutating func required(_ name: String) throws -> String {
        guard let value = take(name) else { throw TwinOptions.Wrong(text: "--\(name) is missing") }
        return value
    }

    mutating func choice(_ name: String, _ words: [String]) throws -> Int {
        let value = take(name) ?? words[0]
        guard let index = words.firstIndex(of: value) else {
            throw TwinOptions.Wrong(text: "--\(name) \(value): \(words.joined(separator: " or "))")
        }
        return index
    }

    mutating func port(_ name: String) throws -> UInt16? {
        guard let value = take(name) else { return nil }
        guard let port = UInt16(value), port > 0 else {
            throw TwinOptions.Wrong(text: "--\(name) \(value): no port")
        }
        return port
    }

    /// Nanoseconds.
    mutating func duration(_ name: String) throws -> Int64? {
        guard let value = take(name) else { return nil }
        for (unit, factor) in [("ms", 1e6), ("us", 1e3), ("s", 1e9)] where value.hasSuffix(unit) {
            if let number = Double(value.dropLast(unit.count)), number > 0, number * factor < 1e12 {
                return Int64(number * factor)
            }
        }
        throw TwinOptions.Wrong(text: "--\(name) \(value): a duration, such as 10ms")
    }

    func end() throws {
        guard let name = values.keys.min() else { return }
        throw TwinOptions.Wrong(text: "no option --\(name); twin --help lists them")
    }
}
