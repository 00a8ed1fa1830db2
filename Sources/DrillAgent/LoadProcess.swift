import DrillCore
import DrillNetlink
import Glibc

/// firedrill-load in a host's network namespace, outside its cgroup: the host's death is not its end.
@LabActor
final class LoadProcess {
    let ended = Promise<Void>()
    private let child: Child
    private let commands: LineWriter
    private let input: Descriptor
    private var isFinished = false

    init(
        _ name: String, program: String, in host: HostKernel, cgroup: Cgroup,
        tell: @escaping (LoadEvent) -> Void
    ) throws(LabFailure) {
        guard Files.exists(program) else {
            throw LabFailure(
                kind: .capability,
                message: "\(program) is missing: build all programs with `make build`")
        }
        try cgroup.make()
        let place = try cgroup.open()
        let (theirInput, input) = try Descriptor.pipe()
        let (output, theirOutput) = try Descriptor.pipe()
        defer { withExtendedLifetime((place, theirInput, theirOutput)) {} }
        child = try host.withNetwork { namespace throws(LabFailure) in
            try Child.start(
                ChildSpec(
                    executable: program, arguments: ["firedrill-load"],
                    environment: Surroundings.environment,
                    descriptors: [theirInput.number, theirOutput.number, 2],
                    cgroup: place.number, networkNamespace: namespace.fileDescriptor))
        }
        self.input = input
        commands = LineWriter(input)
        let reader = OutputReader(output) { [weak self] line, _ in
            guard let self else { return }
            do {
                let event = try JSONLine.decode(LoadEvent.self, from: line)
                switch event {
                case .finished, .failed: isFinished = true
                case .started, .progress, .identified, .visible, .verified, .answered: break
                }
                tell(event)
            } catch {
                tell(.failed("load \(name) said what is no event: \(line)"))
            }
        }
        spawn { [self] in
            _ = await Reactor.shared.readable(child.pidfd.number)
            await reader.finish()
            let status = child.reap()
            if !isFinished { tell(.failed("load \(name) ended with \(status)")) }
            close()
            ended.fulfil(())
        }
    }

    func send(_ command: LoadCommand) { commands.send(command) }

    /// It takes the end of its input as the controller's end.
    func close() { commands.end() }
}
