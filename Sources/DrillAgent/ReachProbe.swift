import CLinux
import DrillCore
import DrillNetlink
import Glibc

/// Asks whether an address answers at all: ARP requests and TCP connects, every 20 ms.
///
/// ARP goes out as raw broadcast frames: a kernel with a cached neighbour would not ask, and would then not notice
/// silence. Any answer to a connect, a reset included, is a living kernel.
struct ReachProbe {
    static let interval: Duration = .milliseconds(20)
    /// One that is served somewhere, and one that is not.
    static let ports: [UInt16] = [80, 1]

    private let address: String
    private let target: [UInt8]
    private let request: ARPFrame
    private let socket: Descriptor
    private var counts = ReachCounts()
    private var open: [TCPConnection] = []
    /// Answers count once for each request that was sent since the last one.
    private var unanswered = 0

    init(_ address: String) throws(LabFailure) {
        self.address = address
        var target: UInt32 = 0
        guard inet_pton(AF_INET, address, &target) == 1 else {
            throw LabFailure(kind: .failed, message: "'\(address)' is no IPv4 address")
        }
        let route = try Self.route(to: target)
        var hardware = [UInt8](repeating: 0, count: 6)
        try checked(
            clinux_hardware_address(route.interface, &hardware), "address of \(route.interface)")
        socket = try Descriptor(
            result: clinux_packet_socket(route.interface, ARPFrame.etherType),
            "a packet socket on \(route.interface)")
        self.target = withUnsafeBytes(of: target) { Array($0) }
        request = ARPFrame(
            operation: .request, senderHardware: hardware,
            sender: withUnsafeBytes(of: route.source) { Array($0) }, target: self.target)
    }

    /// The interface whose subnet holds the address, and its own address there.
    private static func route(
        to target: UInt32
    ) throws(LabFailure) -> (interface: String, source: UInt32) {
        var list: UnsafeMutablePointer<ifaddrs>?
        if getifaddrs(&list) < 0 { throw systemFailure("list the interfaces") }
        defer { freeifaddrs(list) }
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            guard let address = entry.pointee.ifa_addr, let mask = entry.pointee.ifa_netmask,
                address.pointee.sa_family == sa_family_t(AF_INET)
            else { continue }
            let own = ipv4(address)
            let bits = ipv4(mask)
            let name = String(cString: entry.pointee.ifa_name)
            if name != "lo", bits != .max, own & bits == target & bits { return (name, own) }
        }
        throw LabFailure(kind: .failed, message: "no interface of this host is on its network")
    }

    private static func ipv4(_ address: UnsafeMutablePointer<sockaddr>) -> UInt32 {
        address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr.s_addr }
    }

    /// Asks for the whole duration, and waits one interval more for the last answers.
    mutating func run(for duration: Duration) throws(LabFailure) -> ReachCounts {
        let end = RunInstant.now + duration
        var turn = 0
        while RunInstant.now < end {
            ask(Self.ports[turn % Self.ports.count])
            turn += 1
            try listen(until: .now + Self.interval)
        }
        try listen(until: .now + Self.interval)
        return counts
    }

    /// Asks by ARP alone until one answer.
    mutating func isAnswered(before deadline: RunInstant) throws(LabFailure) -> Bool {
        while RunInstant.now < deadline {
            ask(nil)
            let next = RunInstant.now + .milliseconds(5)
            while counts.arpAnswered == 0, RunInstant.now < next {
                try listen(until: .now + .milliseconds(1))
            }
            if counts.arpAnswered > 0 { return true }
        }
        return false
    }

    private mutating func ask(_ port: UInt16?) {
        let frame = request.bytes
        // What the asker itself could not send was not asked: its own trouble proves nobody's silence.
        if clinux_send_frame(socket.number, frame, frame.count) == 0 {
            counts.arpAsked += 1
            unanswered += 1
        }
        guard let port, let connection = try? TCPConnection(address, port) else { return }
        counts.tcpAsked += 1
        open.append(connection)
    }

    private mutating func listen(until deadline: RunInstant) throws(LabFailure) {
        while true {
            var entries = [clinux_poll(descriptor: socket.number, asked: Int16(POLLIN), seen: 0)]
            entries += open.map {
                clinux_poll(descriptor: $0.socket.number, asked: Int16(POLLOUT), seen: 0)
            }
            let left = (deadline - .now).nanoseconds
            let ready = clinux_ppoll(&entries, entries.count, max(0, left))
            if ready == -EINTR { continue }
            try checked(ready, "poll")
            if ready == 0 { return }
            if entries[0].seen != 0 { receive() }
            settle()
        }
    }

    private mutating func receive() {
        var frame = [UInt8](repeating: 0, count: 256)
        while true {
            let count = read(socket.number, &frame, frame.count)
            if count <= 0 { return }
            guard let answer = ARPFrame(frame.prefix(count)), answer.operation == .reply,
                answer.sender == target, unanswered > 0
            else { continue }
            unanswered -= 1
            counts.arpAnswered += 1
        }
    }

    private mutating func settle() {
        var waiting: [TCPConnection] = []
        for connection in open {
            switch connection.state {
            case .waiting: waiting.append(connection)
            case .connected, .refused: counts.tcpAnswered += 1
            case .unreachable: break
            }
        }
        open = waiting
    }
}
