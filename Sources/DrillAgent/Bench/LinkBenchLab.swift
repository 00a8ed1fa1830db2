import CLinux
import DrillCore
import DrillEmulator
import DrillNetlink
import Glibc

/// a and b on a bridge, as a lab makes them, with an emulator that may be put on the way from a to b.
final class LinkBenchLab {
    static let target = "10.77.2.2"

    let netlink: NetlinkSocket
    let place: NetworkNamespace
    let a: NetworkNamespace
    let b: NetworkNamespace
    /// b's on the switch.
    let port: InterfaceIndex
    let emulator: Child
    private let peer: Child
    private let requests: Descriptor
    private let replies: Descriptor
    private let peerInput: Descriptor
    private var lines = LineSplitter()
    private var lastID = 0
    private var redirects: [InstalledRedirect] = []

    init() throws(LabFailure) {
        let names: [InterfaceName] = ["a", "b"]
        do throws(NetlinkError) {
            place = try NetworkNamespace.create()
            a = try NetworkNamespace.create()
            b = try NetworkNamespace.create()
            netlink = try NetlinkSocket(in: place)
            let bridge = try netlink.addBridge("br")
            try netlink.disableIPv6Addresses(bridge)
            try netlink.setUp(bridge, true)
            _ = try Self.connect(names[0], a, "10.77.2.1", bridge, netlink)
            port = try Self.connect(names[1], b, Self.target, bridge, netlink)
        } catch {
            throw LabFailure(error)
        }
        let (emulator, requests, replies) = try Self.start(["emulator"], in: place)
        let (peer, peerInput, ready) = try Self.start(["bench-link", "peer"], in: b)
        self.emulator = emulator
        self.requests = requests
        self.replies = replies
        self.peer = peer
        self.peerInput = peerInput
        if try ready.read().isEmpty {
            throw LabFailure(kind: .failed, message: "the peer did not start")
        }
    }

    private static func connect(
        _ name: InterfaceName, _ host: borrowing NetworkNamespace, _ address: String,
        _ bridge: InterfaceIndex, _ netlink: borrowing NetlinkSocket
    ) throws(NetlinkError) -> InterfaceIndex {
        let port = try netlink.addVeth(name, peer: "eth0", peerNamespace: host.fileDescriptor)
        try netlink.disableIPv6Addresses(port)
        try netlink.setGSOMaxSegments(port, 1)
        try netlink.setMaster(port, of: bridge)
        _ = try netlink.ensureClsact(port)
        try netlink.setUp(port, true)
        let inside = try NetlinkSocket(in: host)
        let index = try inside.link(named: "eth0").index
        try inside.setGSOMaxSegments(index, 1)
        try inside.setUp(index, true)
        try inside.addAddress(index, address, 24)
        return port
    }

    /// The child, its standard input, its standard output.
    private static func start(
        _ arguments: [String], in namespace: borrowing NetworkNamespace
    ) throws(LabFailure) -> (Child, Descriptor, Descriptor) {
        let (theirInput, input) = try Descriptor.pipe()
        let (output, theirOutput) = try Descriptor.pipe()
        defer { withExtendedLifetime((theirInput, theirOutput)) {} }
        let child = try Child.start(
            ChildSpec(
                executable: "/proc/self/exe", arguments: ["firedrill-agent"] + arguments,
                environment: Surroundings.environment,
                descriptors: [theirInput.number, theirOutput.number, 2],
                networkNamespace: namespace.fileDescriptor))
        return (child, input, output)
    }

    /// Both programs end with their input; what they were given goes with the namespaces.
    deinit {
        for child in [emulator, peer] {
            _ = clinux_pidfd_signal(child.pidfd.number, SIGKILL)
            _ = child.reap()
        }
    }

    // MARK: the emulator

    func ask(_ command: EmulatorCommand) throws(LabFailure) -> EmulatorReply {
        lastID += 1
        do {
            try requests.write(
                try JSONLine.encode(EmulatorRequest(id: lastID, command: command)) + "\n")
            while true {
                let bytes = try replies.read()
                if bytes.isEmpty {
                    throw LabFailure(kind: .failed, message: "the emulator ended")
                }
                guard let line = lines.add(bytes).first else { continue }
                let reply = try JSONLine.decode(EmulatorReply.self, from: line)
                if let failure = reply.failure { throw failure }
                return reply
            }
        } catch let failure as LabFailure {
            throw failure
        } catch {
            throw LabFailure(kind: .failed, message: "the emulator: \(error)")
        }
    }

    /// From now on what a sends to b passes the emulator.
    func impair(_ impairment: Impairment) throws(LabFailure) {
        _ = try ask(.open("lane", output: "b", seed: 1))
        _ = try ask(.set("lane", impairment))
        do throws(NetlinkError) {
            let tap = try netlink.link(named: "lane").index
            try netlink.setUp(tap, true)
            redirects = try netlink.redirect([
                Redirect(port: port, hook: .egress, arrivalPort: "a", sink: tap)
            ])
        } catch {
            throw LabFailure(error)
        }
    }

    func heal() throws(LabFailure) {
        do throws(NetlinkError) {
            try netlink.removeRedirects(redirects)
        } catch {
            throw LabFailure(error)
        }
        redirects = []
        _ = try ask(.close("lane"))
    }

    func counters() throws(LabFailure) -> EmulatorCounters {
        try ask(.counters("lane")).counters ?? EmulatorCounters()
    }

    /// Of the emulator's process so far.
    var emulatorTime: Duration { .nanoseconds(max(0, clinux_process_cpu_ns(emulator.pid))) }
}
