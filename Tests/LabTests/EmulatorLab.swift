import CLinux
import DrillCore
import DrillEmulator
import DrillNetlink
import Glibc
import Testing

/// A namespace can be held by one owner only, and an array would copy it.
final class EmulatorHost {
    let namespace: NetworkNamespace
    init() throws { namespace = try NetworkNamespace.create() }
}

/// a and b on a bridge in namespaces of their own, and a real `firedrill-agent emulator` on the way from a to b.
final class EmulatorLab {
    static let addresses = ["10.77.1.1", "10.77.1.2"]

    let hosts: [EmulatorHost]
    let process: pid_t
    private let place: NetworkNamespace
    private let netlink: NetlinkSocket
    private var ports: [InterfaceIndex] = []
    private var redirects: [InstalledRedirect] = []
    private var input: Int32
    private let output: Int32
    private var lastID = 0

    init() throws {
        place = try NetworkNamespace.create()
        hosts = [try EmulatorHost(), try EmulatorHost()]
        netlink = try NetlinkSocket(in: place)
        let bridge = try netlink.addBridge("br")
        try netlink.disableIPv6Addresses(bridge)
        try netlink.setUp(bridge, true)
        for (number, name) in (["a", "b"] as [InterfaceName]).enumerated() {
            let port = try netlink.addVeth(
                name, peer: "eth0", peerNamespace: hosts[number].namespace.fileDescriptor)
            try netlink.disableIPv6Addresses(port)
            try netlink.setGSOMaxSegments(port, 1)
            try netlink.setMaster(port, of: bridge)
            try netlink.setUp(port, true)
            _ = try netlink.ensureClsact(port)
            ports.append(port)
            let inside = try NetlinkSocket(in: hosts[number].namespace)
            let index = try inside.link(named: "eth0").index
            try inside.setGSOMaxSegments(index, 1)
            try inside.setUp(index, true)
            try inside.addAddress(index, Self.addresses[number], 24)
        }
        var toChild: [Int32] = [-1, -1]
        var fromChild: [Int32] = [-1, -1]
        try #require(clinux_pipe(&toChild) == 0 && clinux_pipe(&fromChild) == 0)
        let program = try Programs.agent
        process = try place.run {
            try Programs.spawn(
                [program, "emulator"], input: toChild[0], output: fromChild[1])
        }
        close(toChild[0])
        close(fromChild[1])
        input = toChild[1]
        output = fromChild[0]
    }

    deinit {
        close(output)
        if input >= 0 {
            close(input)
            _ = Programs.wait(process, within: .seconds(5))
        }
    }

    // MARK: asking

    @discardableResult
    func ask(_ command: EmulatorCommand) throws -> EmulatorReply {
        lastID += 1
        let line = Array(
            (try JSONLine.encode(EmulatorRequest(id: lastID, command: command)) + "\n").utf8)
        try #require(write(input, line, line.count) == line.count)
        var answer: [UInt8] = []
        var byte: UInt8 = 0
        while answer.last != UInt8(ascii: "\n") {
            var entry = clinux_poll(descriptor: output, asked: Int16(POLLIN), seen: 0)
            try #require(clinux_ppoll(&entry, 1, 5_000_000_000) > 0, "no answer to \(command)")
            try #require(read(output, &byte, 1) == 1, "the emulator is gone")
            answer.append(byte)
        }
        let reply = try JSONLine.decode(
            EmulatorReply.self, from: String(decoding: answer.dropLast(), as: UTF8.self))
        #expect(reply.id == lastID)
        return reply
    }

    func carryOut(_ command: EmulatorCommand) throws {
        let reply = try ask(command)
        try #require(reply.failure == nil, "\(reply.failure?.message ?? "")")
    }

    func counters() throws -> EmulatorCounters { try #require(try ask(.counters("lane")).counters) }

    /// Everything from a to b passes the emulator from now on.
    func impair(_ impairment: Impairment, seed: UInt64 = 1) throws {
        try carryOut(.open("lane", output: "b", seed: seed))
        try carryOut(.set("lane", impairment))
        let tap = try netlink.link(named: "lane").index
        try netlink.setAlias(tap, "firedrill:test")
        try netlink.setUp(tap, true)
        redirects = try netlink.redirect([
            Redirect(port: ports[1], hook: .egress, arrivalPort: "a", sink: tap)
        ])
    }

    func heal(_ command: EmulatorCommand = .close("lane")) throws {
        try netlink.removeRedirects(redirects)
        redirects = []
        try carryOut(command)
    }

    func hasDevice() throws -> Bool { try netlink.links().contains { $0.name == "lane" } }

    func losesDevice(within limit: Duration) throws -> Bool {
        let deadline = RunInstant.now + limit
        while try hasDevice() {
            guard RunInstant.now < deadline else { return false }
            usleep(1000)
        }
        return true
    }

    /// Its exit status after the end of its input.
    func end() -> Int32 {
        close(input)
        input = -1
        return Programs.wait(process, within: .seconds(5))
    }

    // MARK: packets

    /// A datagram socket of a (0) or b (1), bound to port 5000.
    func datagrams(_ host: Int) throws -> Int32 {
        try hosts[host].namespace.run {
            let number = socket(
                AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var place = Self.address(host)
            let result = withUnsafePointer(to: &place) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            try #require(result == 0)
            return number
        }
    }

    static func address(_ host: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(5000).bigEndian
        inet_pton(AF_INET, addresses[host], &address.sin_addr)
        return address
    }

    /// Sends datagrams from a to b; of each that came, its number and how long it took, in the order of arrival.
    ///
    /// One thread sends and receives, in real time where that is allowed, so that what is measured is the link.
    func send(
        _ count: Int, every gap: Duration, bytes: Int = 64,
        patience: Duration = .milliseconds(300), halfway: () throws -> Void = {}
    ) throws -> [(number: Int, took: Duration)] {
        let from = try datagrams(0)
        let to = try datagrams(1)
        defer {
            close(from)
            close(to)
        }
        var arrivals: [(number: Int, took: Duration)] = []
        arrivals.reserveCapacity(2 * count)
        try hosts[1].namespace.run {
            _ = clinux_realtime(7)
            clinux_precise_timers()
            var place = Self.address(1)
            var room = [UInt64](repeating: 0, count: max(2, (bytes + 7) / 8))
            var sent = [RunInstant](repeating: .now, count: count)
            // The first one asks for b's hardware address, which takes its time.
            for warmUp in 0..<2 {
                room[0] = .max
                Self.send(from, &room, bytes, &place)
                var entry = clinux_poll(descriptor: to, asked: Int16(POLLIN), seen: 0)
                _ = clinux_ppoll(&entry, 1, warmUp == 0 ? 1_000_000_000 : 100_000_000)
            }
            let start = RunInstant.now + .milliseconds(20)
            var next = 0
            var end = start + gap * count + patience
            while true {
                let now = RunInstant.now
                if next < count, now >= start + gap * next {
                    room[0] = UInt64(next)
                    sent[next] = .now
                    Self.send(from, &room, bytes, &place)
                    next += 1
                    if next == count / 2 { try halfway() }
                    if next == count { end = .now + patience }
                    continue
                }
                if next == count, now >= end { break }
                let deadline = next < count ? start + gap * next : end
                var entry = clinux_poll(descriptor: to, asked: Int16(POLLIN), seen: 0)
                _ = clinux_ppoll(&entry, 1, max(0, (deadline - .now).nanoseconds))
                while recv(to, &room, room.count * 8, Int32(MSG_DONTWAIT)) > 0 {
                    guard room[0] < UInt64(count) else { continue }
                    arrivals.append((Int(room[0]), .now - sent[Int(room[0])]))
                }
            }
        }
        return arrivals
    }

    private static func send(
        _ socket: Int32, _ room: inout [UInt64], _ bytes: Int, _ place: inout sockaddr_in
    ) {
        _ = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket, &room, bytes, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
