import CLinux
import DrillCore
import Glibc

/// `prober`: sends numbered frames over the links of one lab and tells what became of each.
///
/// One process and one thread a lab, with a packet socket in every host's namespace: both ends of a path are stamped by
/// the same clock. It ends at the end of its standard input.
struct Prober {
    private struct Port {
        let socket: Descriptor
        let address: [UInt8]
    }

    private struct PortName: Hashable {
        var host: HostName
        var network: NetworkName
    }

    private struct Path {
        let path: ProbePath
        let number: UInt32
        var track: ProbeTrack
        var frame: ProbeFrame?
        let period: Duration
        var next: RunInstant
        var isStopping = false
        /// Late copies are waited for until then, once everything has arrived.
        var graceEnds: RunInstant?

        var source: PortName { PortName(host: path.link.from, network: path.link.network) }
        var target: PortName { PortName(host: path.link.to, network: path.link.network) }
    }

    private struct Stop {
        var id: Int
        var paths: Set<String>
    }

    private static let telling = Duration.milliseconds(100)
    private static let grace = Duration.milliseconds(50)

    private var ports: [PortName: Port] = [:]
    /// Of hosts that left too: a packet to a dead host is sent, and lost.
    private var addresses: [PortName: [UInt8]] = [:]
    private var paths: [UInt32: Path] = [:]
    private var lastNumber: UInt32 = 0
    private var stops: [Stop] = []
    private var nextTelling = RunInstant.now
    private let standardInput = Descriptor(0)
    private var input = LineSplitter()
    private var output: [UInt8] = []
    private var frames = [UInt8](repeating: 0, count: Self.batch * Self.room)
    private var arrivals = [clinux_arrival](repeating: clinux_arrival(), count: Self.batch)

    private static let batch = 16
    private static let room = 2048

    static func main() -> Int32 {
        setsid()
        for ignored in [SIGINT, SIGHUP, SIGPIPE] { Glibc.signal(ignored, SIG_IGN) }
        // Where it is allowed; below the supervisor.
        _ = clinux_realtime(3)
        clinux_precise_timers()
        // A reader that stands still must not hold up the sending.
        _ = fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK)
        var prober = Prober()
        return prober.run()
    }

    private mutating func run() -> Int32 {
        while true {
            let order = Array(ports)
            var entries = [clinux_poll(descriptor: 0, asked: Int16(POLLIN), seen: 0)]
            entries.append(
                clinux_poll(
                    descriptor: output.isEmpty ? -1 : 1, asked: Int16(POLLOUT), seen: 0))
            entries += order.map {
                clinux_poll(descriptor: $0.value.socket.number, asked: Int16(POLLIN), seen: 0)
            }
            let left = nextWake.map { max(0, ($0 - .now).nanoseconds) } ?? -1
            let ready = clinux_ppoll(&entries, entries.count, left)
            if ready > 0 {
                for (entry, port) in zip(entries.dropFirst(2), order) where entry.seen != 0 {
                    receive(port.key, port.value.socket.number)
                }
                if entries[1].seen != 0 { write() }
                if entries[0].seen != 0, !listen() { return 0 }
            }
            send()
            tell()
        }
    }

    private var nextWake: RunInstant? {
        guard !paths.isEmpty else { return nil }
        return paths.values.reduce(nextTelling) { $1.isStopping ? $0 : min($0, $1.next) }
    }

    // MARK: requests

    /// False at the end of the input.
    private mutating func listen() -> Bool {
        do {
            let bytes = try standardInput.read()
            if bytes.isEmpty { return false }
            for line in input.add(bytes) { carryOut(line) }
            return true
        } catch {
            return false
        }
    }

    private mutating func carryOut(_ line: String) {
        let request: ProberRequest
        do {
            request = try JSONLine.decode(ProberRequest.self, from: line)
        } catch {
            AgentMain.complain("a request to the prober cannot be read: \(error)")
            return
        }
        var failure: LabFailure?
        switch request.command {
        case .join(let port):
            do throws(LabFailure) { try join(port) } catch { failure = error }
        case .leave(let host):
            ports = ports.filter { $0.key.host != host }
        case .start(let wanted):
            do throws(LabFailure) { try start(wanted) } catch { failure = error }
        case .stop(let ids):
            let ids = Set(ids)
            for (number, path) in paths where ids.contains(path.path.id) {
                paths[number]?.isStopping = true
            }
            stops.append(Stop(id: request.id, paths: ids))
            nextTelling = .now
            return
        }
        say(.reply(id: request.id, failure))
    }

    private mutating func join(_ wanted: ProberPort) throws(LabFailure) {
        let name = PortName(host: wanted.host, network: wanted.network)
        ports[name] = nil
        let what = "a packet socket on \(wanted.interface) of \(wanted.host)"
        let namespace = try Descriptor(
            result: clinux_netns_of_process(wanted.process), what)
        var address = [UInt8](repeating: 0, count: 6)
        let socket = try Descriptor(
            result: clinux_probe_socket(
                namespace.number, wanted.interface, ProbeFrame.offset, ProbeFrame.magic, &address),
            what)
        withExtendedLifetime(namespace) {}
        ports[name] = Port(socket: socket, address: address)
        addresses[name] = address
        // A path that was begun before its hosts were there.
        for (number, path) in paths where path.frame == nil {
            let frame = frame(path.path, number)
            paths[number]?.frame = frame
        }
    }

    private func frame(_ path: ProbePath, _ number: UInt32) -> ProbeFrame? {
        let network = path.link.network
        guard let sender = addresses[PortName(host: path.link.from, network: network)],
            let receiver = addresses[PortName(host: path.link.to, network: network)]
        else { return nil }
        return ProbeFrame(path, number: number, sender: sender, receiver: receiver)
    }

    private mutating func start(_ wanted: [ProbePath]) throws(LabFailure) {
        for path in wanted {
            guard path.rate > 0, path.rate <= 10_000, (1...1000).contains(path.train),
                (0..<1).contains(path.phase)
            else {
                throw LabFailure(
                    kind: .failed,
                    message: "path \(path.id): \(path.rate) trains of \(path.train) cannot be sent")
            }
            guard frame(path, 0) != nil else {
                throw LabFailure(
                    kind: .failed, message: "path \(path.id): \(path.link) is no link of this lab")
            }
        }
        let now = RunInstant.now
        for (index, path) in wanted.enumerated() {
            lastNumber += 1
            // Not all at the same instant.
            let period = Duration.nanoseconds(Int64(1e9 / path.rate))
            let first = now + .microseconds(137 * (index % 32)) + period * path.phase
            paths[lastNumber] = Path(
                path: path, number: lastNumber, track: ProbeTrack(wait: path.wait),
                frame: frame(path, lastNumber), period: period, next: first)
        }
        if paths.count == wanted.count { nextTelling = now + Self.telling }
    }

    // MARK: frames

    private mutating func send() {
        let now = RunInstant.now
        for number in Array(paths.keys) {
            guard let path = paths[number], !path.isStopping, path.next <= now else { continue }
            var next = path.next + path.period
            // Instants that were slept through are not made up for, and the phase stays.
            if next <= now {
                let missed = (now - next).nanoseconds / path.period.nanoseconds + 1
                next = next + path.period * missed
            }
            paths[number]?.next = next
            guard let frame = path.frame, let port = ports[path.source] else { continue }
            for packet in 0..<path.path.train {
                guard let sequence = paths[number]?.track.next else { break }
                let bytes = frame.bytes(sequence)
                let sent = RunInstant.now
                // One that the host's own interface refuses is lost on this path as well.
                _ = clinux_send_frame(port.socket.number, bytes, bytes.count)
                paths[number]?.track.send(at: sent, continuesTrain: packet > 0)
            }
        }
    }

    private mutating func receive(_ port: PortName, _ socket: Int32) {
        while true {
            let count = clinux_probe_receive(
                socket, &frames, Self.room, &arrivals, Int32(Self.batch))
            guard count > 0 else { return }
            for index in 0..<Int(count) {
                let start = index * Self.room
                let range = start..<start + min(Self.room, Int(arrivals[index].count))
                let bytes = frames[range]
                guard let (number, sequence) = ProbeFrame.identify(bytes),
                    let path = paths[number], path.target == port, let frame = path.frame
                else { continue }
                let isSame = isSame(range, frame.bytes(sequence))
                paths[number]?.track.arrive(
                    sequence, at: RunInstant(nanoseconds: arrivals[index].instant_ns),
                    isDamaged: !isSame)
            }
            if count < Self.batch { return }
        }
    }

    /// Thousands a second: not one byte after the other.
    private func isSame(_ range: Range<Int>, _ expected: [UInt8]) -> Bool {
        range.count == expected.count
            && frames.withUnsafeBytes {
                memcmp($0.baseAddress! + range.lowerBound, expected, range.count)
            }
                == 0
    }

    // MARK: telling

    private mutating func tell() {
        let now = RunInstant.now
        guard nextTelling <= now, !paths.isEmpty || !stops.isEmpty else { return }
        nextTelling = now + (stops.isEmpty ? Self.telling : .milliseconds(10))
        for number in paths.keys.sorted() {
            guard var path = paths.removeValue(forKey: number) else { continue }
            var samples = path.track.decide(now: now)
            if path.isStopping, path.track.hasAllArrived {
                let ends = path.graceEnds ?? now + Self.grace
                path.graceEnds = ends
                if ends <= now { samples += path.track.decideAll() }
            }
            let isOver = path.isStopping && path.track.isEmpty
            if !samples.isEmpty { say(.bucket(ProbeBucket(path: path.path.id, samples: samples))) }
            if !isOver { paths[number] = path }
        }
        let open = Set(paths.values.filter(\.isStopping).map(\.path.id))
        for stop in stops where stop.paths.isDisjoint(with: open) {
            say(.reply(id: stop.id, nil))
        }
        stops.removeAll { $0.paths.isDisjoint(with: open) }
    }

    private mutating func say(_ message: ProberMessage) {
        do {
            output += Array((try JSONLine.encode(message) + "\n").utf8)
        } catch {
            fatalError("a message of ours cannot be encoded: \(error)")
        }
        write()
    }

    private mutating func write() {
        while !output.isEmpty {
            let count = output.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
            if count <= 0 { return }
            output.removeFirst(count)
        }
    }
}
