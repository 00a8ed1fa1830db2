import DrillAgent
import DrillCore
import DrillNetlink
import Testing

@Test(arguments: [
    ("http://10.77.0.11/", HTTPProbe.Target(address: "10.77.0.11", port: 80, path: "/")),
    ("http://10.77.0.11", HTTPProbe.Target(address: "10.77.0.11", port: 80, path: "/")),
    (
        "http://10.77.0.11:8080/a?b=c:d",
        HTTPProbe.Target(address: "10.77.0.11", port: 8080, path: "/a?b=c:d")
    ),
    ("http://localhost:1", HTTPProbe.Target(address: "127.0.0.1", port: 1, path: "/")),
    ("https://10.77.0.11/", nil),
    ("http:///path", nil),
    ("http://10.77.0.11:99999/", nil),
    ("http://10.77.0.11:80:81/", nil),
])
func `a probe's URL is an address, a port and a path`(_ url: String, _ expected: HTTPProbe.Target?)
{
    #expect(HTTPProbe.parse(url) == expected)
}

@Test(arguments: [
    ("HTTP/1.1 200 OK", true), ("HTTP/1.0 399", true), ("HTTP/1.1 404 Not Found", false),
    ("HTTP/1.1 199", false), ("HTTP/2 200", false), ("SSH-2.0-OpenSSH 200", false), ("", false),
])
func `200 to 399 is ready`(_ line: String, _ expected: Bool) {
    #expect(HTTPProbe.isGood(statusLine: line) == expected)
}

@Test(arguments: [
    ("31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw", "/sys/fs/cgroup"),
    (
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:4 - cgroup2 cgroup2 rw",
        "/sys/fs/cgroup/unified"
    ),
    ("32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu", nil),
    ("", nil), ("- -", nil),
])
func `cgroup v2 is found beside v1`(_ mountinfo: String, _ expected: String?) {
    #expect(Cgroup.mountPoint(in: mountinfo) == expected)
}

@Test func `lines are whole whatever the pieces are`() {
    var lines = LineSplitter()
    #expect(lines.add(Array("a\nb".utf8)) == ["a"])
    #expect(lines.add(Array("c".utf8)) == [])
    #expect(lines.add(Array("\n\nd".utf8)) == ["bc", ""])
    #expect(lines.end() == "d")
    #expect(lines.end() == nil)
}

@Test func `an ARP request is broadcast and reads back as what it is`() {
    let request = ARPFrame(
        operation: .request, senderHardware: [2, 0, 0, 0, 0, 1], sender: [10, 77, 0, 12],
        target: [10, 77, 0, 11])
    #expect(request.bytes.count == 42)
    #expect(request.bytes.prefix(6).allSatisfy { $0 == 0xff })
    #expect(ARPFrame(request.bytes) == request)
    // Padded to the smallest Ethernet frame, as it arrives.
    #expect(ARPFrame(request.bytes + [UInt8](repeating: 0, count: 18)) == request)
    #expect(ARPFrame(request.bytes.dropLast()) == nil)
    var other = request.bytes
    other[12] = 0x86
    #expect(ARPFrame(other) == nil)
}

@Test func `ports are named for their hosts where the kernel allows it`() {
    var names = PortNames()
    #expect(names.bridge("main", number: 0) == "br-main")
    #expect(names.bridge("replication-net", number: 1) == "br1")
    #expect(names.port("a", "main", isFirst: true, number: 1) == "a")
    #expect(names.port("a", "heartbeat", isFirst: false, number: 2) == "a-heartbeat")
    #expect(names.port("client", "heartbeat", isFirst: false, number: 3) == "port3")
    #expect(names.port("sink", "main", isFirst: true, number: 4) == "port4")
    #expect(names.port("a-heartbeat", "main", isFirst: true, number: 5) == "port5")
}
