import DrillCore
import DrillWorkload
import Testing

@Suite struct ClientParameterTests {
    private static func stream(_ client: String, _ parameters: [String: String], _ lane: Lane)
        -> LoadStream
    {
        LoadStream(
            name: "w/fresh/read", client: client, parameters: parameters, lane: lane, kind: .read,
            rate: 1, arrival: .constant, timeout: .seconds(1), slow: .seconds(1), connections: 1,
            stable: .seconds(1), k: 1, leastSent: 1)
    }

    @Test(arguments: [
        (
            "smtp", [:], Lane.fresh,
            "no client 'smtp'; there are: http, tcp, redis, postgres, etcd, mysql, process"
        ),
        ("http", ["url": "10.0.0.1"], .fresh, "'10.0.0.1' does not begin with http://"),
        (
            "http", ["url": "http://localhost/"], .fresh,
            "'localhost' is not a numeric address: looking a name up could block"
        ),
        (
            "http", ["url": "http://10.0.0.1/a b"], .fresh,
            "'http://10.0.0.1/a b' holds a character that must be percent-encoded"
        ),
        (
            "http", ["url": "http://10.0.0.1:0/"], .fresh,
            "'10.0.0.1:0' needs a port from 1 to 65535, as in 10.77.0.10:80"
        ),
        ("http", ["url": "http://[::1/"], .fresh, "'[::1': the bracket is not closed"),
        (
            "tcp", ["address": "10.0.0.1"], .fresh,
            "'10.0.0.1' needs a port from 1 to 65535, as in 10.77.0.10:80"
        ),
        ("tcp", ["address": "10.0.0.1:1"], .kept, "the kept lane needs 'send' and 'expect'"),
        (
            "tcp", ["address": "10.0.0.1:1", "send": "x"], .fresh,
            "'send' and 'expect' are given together or not at all"
        ),
        (
            "tcp", ["address": "10.0.0.1:1", "send": "\\x", "expect": "x"], .fresh,
            "'\\x': only \\r, \\n, \\t and \\\\ are understood"
        ),
        (
            "tcp", ["address": "10.0.0.1:1", "send": "x\\", "expect": "x"], .fresh,
            "'x\\' ends in a lone backslash"
        ),
    ])
    func `a parameter that cannot be is refused with its reason`(
        client: String, parameters: [String: String], lane: Lane, text: String
    ) {
        #expect(throws: ClientParameterError(text)) {
            try ClientCatalog.client(for: Self.stream(client, parameters, lane))
        }
    }

    @Test(arguments: [
        ("http", ["url": "http://10.77.0.10/"]), ("http", ["url": "http://[::1]:8080/x?y=1#z"]),
        ("http", ["url": "http://10.77.0.10?q", "close": "fin"]),
        ("tcp", ["address": "[fd00::1]:80"]),
        ("tcp", ["address": "10.0.0.1:6379", "send": "PING\\r\\n", "expect": "+PONG"]),
    ])
    func `a parameter that can be is taken`(client: String, parameters: [String: String]) throws {
        _ = try ClientCatalog.client(for: Self.stream(client, parameters, .fresh))
    }
}
