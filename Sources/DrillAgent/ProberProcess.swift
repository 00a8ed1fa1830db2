import DrillCore
import DrillNetlink
import Glibc

/// The lab's prober: one child process, outside all hosts.
@LabActor
final class ProberProcess {
    /// With its exit code.
    let ended = Promise<Int32>()
    private let child: Child
    private let input: Descriptor
    private let commands: LineWriter
    private let tell: (ProbeBucket) -> Void
    private var waiting: [Int: Promise<Result<Void, LabFailure>>] = [:]
    private var lastID = 0

    /// - Parameter tell: what became of the packets of a path, in the order of their sending.
    init(cgroup: Cgroup, tell: @escaping (ProbeBucket) -> Void) throws(LabFailure) {
        self.tell = tell
        try cgroup.make()
        let place = try cgroup.open()
        let (theirInput, input) = try Descriptor.pipe()
        let (output, theirOutput) = try Descriptor.pipe()
        defer { withExtendedLifetime((place, theirInput, theirOutput)) {} }
        child = try Child.start(
            ChildSpec(
                executable: "/proc/self/exe", arguments: ["firedrill-agent", "prober"],
                environment: Surroundings.environment,
                descriptors: [theirInput.number, theirOutput.number, 2], cgroup: place.number))
        self.input = input
        commands = LineWriter(input)
        let reader = OutputReader(output) { [weak self] line, _ in self?.hear(line) }
        spawn { [self] in
            _ = await Reactor.shared.readable(child.pidfd.number)
            await reader.finish()
            let status = child.reap()
            close()
            let failure = LabFailure(kind: .failed, message: "the prober ended with \(status)")
            for promise in waiting.values { promise.fulfil(.failure(failure)) }
            waiting = [:]
            ended.fulfil(status)
        }
    }

    /// As this process sees it.
    var pid: pid_t { child.pid }

    private func hear(_ line: String) {
        do {
            switch try JSONLine.decode(ProberMessage.self, from: line) {
            case .bucket(let bucket): tell(bucket)
            case .reply(let id, let failure):
                let result: Result<Void, LabFailure> = failure.map { .failure($0) } ?? .success(())
                waiting.removeValue(forKey: id)?.fulfil(result)
            }
        } catch {
            AgentMain.complain("the prober said what cannot be read: \(line)")
        }
    }

    private func ask(_ command: ProberCommand, within limit: Duration) async throws(LabFailure) {
        if let status = ended.value {
            throw LabFailure(kind: .failed, message: "the prober ended with \(status)")
        }
        lastID += 1
        let id = lastID
        let promise = Promise<Result<Void, LabFailure>>()
        waiting[id] = promise
        commands.send(ProberRequest(id: id, command: command))
        guard let result = await promise.wait(until: .now + limit) else {
            waiting[id] = nil
            throw LabFailure(kind: .timedOut, message: "the prober does not answer")
        }
        try result.get()
    }

    /// All ports of a host, in its present boot.
    func join(_ host: HostName, process: pid_t, _ ports: [SwitchPort]) async throws(LabFailure) {
        for port in ports {
            try await ask(
                .join(
                    ProberPort(
                        host: host, network: port.network, process: process,
                        interface: port.inside.rawValue)), within: .seconds(5))
        }
    }

    /// Answered when none of its sockets holds the host's namespace any more.
    func leave(_ host: HostName) async throws(LabFailure) {
        try await ask(.leave(host), within: .seconds(5))
    }

    func start(_ paths: [ProbePath]) async throws(LabFailure) {
        try await ask(.start(paths), within: .seconds(5))
    }

    /// Answered after the last bucket of these paths was told.
    func stop(_ paths: [String]) async throws(LabFailure) {
        try await ask(.stop(paths), within: .seconds(120))
    }

    /// It takes the end of its input as the end of the lab.
    func close() { commands.end() }
}
