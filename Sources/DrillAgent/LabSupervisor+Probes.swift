import CLinux
import DrillCore
import Glibc

/// Programs that are run inside hosts to their ends, and what is asked by them.
extension LabSupervisor {
    /// In a cgroup of its own under `place`, so that a time-out ends all that it started.
    func run(
        _ arguments: [String], isAgent: Bool = false,
        environment: [String: String] = Surroundings.environment, in kernel: HostKernel,
        place: Cgroup, timeout: Duration
    ) async throws(LabFailure) -> RunResult {
        guard let first = arguments.first else {
            throw LabFailure(kind: .failed, message: "there is no program to run")
        }
        programCount += 1
        let own = place.child("run-\(programCount)")
        var lines: [String] = []
        let low = RunInstant.now
        let program: HostProgram
        let source: Descriptor
        do {
            (program, source) = try await launch(
                ProgramSpec(
                    arguments: arguments, environment: environment, directory: "/",
                    isAgent: isAgent), in: kernel, place: own)
        } catch {
            try own.remove()
            throw error
        }
        let started = InstantInterval(low: low, high: .now)
        let reader = OutputReader(source) { line, _ in
            if lines.count < 10_000 { lines.append(line) }
        }
        let status = await program.exit.wait(until: low + timeout)
        if status == nil, own.exists { try own.kill() }
        await reader.finish()
        // What it left running in the background keeps its cgroup; the host's end removes both.
        if try !own.isPopulated() { try own.remove() }
        guard let status else {
            throw LabFailure(
                kind: .timedOut,
                message: "\(first) on host \(kernel.host) did not end in \(timeout.spelled): "
                    + lines.joined(separator: "\n"))
        }
        return RunResult(
            status: status, output: lines.joined(separator: "\n"), started: started)
    }

    /// The program and the read end of its output; nobody but the program holds the other end.
    func launch(
        _ spec: ProgramSpec, in kernel: HostKernel, place: Cgroup
    ) async throws(LabFailure) -> (HostProgram, Descriptor) {
        let (source, target) = try Descriptor.pipe()
        return (try await kernel.start(spec, in: place, output: target), source)
    }

    /// A subcommand of this program inside a host, outside of what is frozen with it.
    func runHelper(
        _ arguments: [String], in kernel: HostKernel, timeout: Duration
    ) async throws(LabFailure) -> RunResult {
        try await run(
            arguments, isAgent: true, in: kernel, place: kernel.helpers, timeout: timeout)
    }

    func reach(
        _ from: HostName, _ address: String, _ duration: Duration
    ) async throws(LabFailure) -> [String: String] {
        let host = try self.host(from)
        let milliseconds = max(1, duration.nanoseconds / 1_000_000)
        let result = try await runHelper(
            ["probe", "reach", address, "\(milliseconds)"], in: host.kernel,
            timeout: duration + .seconds(5))
        do {
            return try JSONLine.decode(ReachCounts.self, from: result.output).detail
        } catch {
            throw LabFailure(
                kind: .failed,
                message: "host \(from) could not ask for \(address): \(result.output)")
        }
    }

    func awaitReady(
        _ hostName: HostName, _ name: ServiceName, _ check: ReadyCheck, _ timeout: Duration
    ) async throws(LabFailure) {
        let host = try self.host(hostName)
        let service = try host.service(name)
        let deadline = RunInstant.now + timeout
        while true {
            let left = deadline - .now
            let probe: (arguments: [String], isAgent: Bool)
            switch check {
            case .tcp(let port):
                probe = (["probe", "tcp", "\(port)"] + host.spec.ports.map(\.address), true)
            case .http(let url): probe = (["probe", "http", url], true)
            case .run(let arguments): probe = (arguments, false)
            case .rolePrimary: return
            }
            var answer: String
            do throws(LabFailure) {
                let kernel = host.kernel
                let result = try await run(
                    probe.arguments, isAgent: probe.isAgent, in: kernel,
                    place: probe.isAgent ? kernel.helpers : kernel.system,
                    timeout: max(left, .milliseconds(100)))
                if result.status == 0 { return }
                answer = result.output
            } catch {
                answer = error.message
            }
            let what = "service \(name) on host \(hostName)"
            if let status = service.program?.exit.value, status != 0, !service.isStarting {
                throw LabFailure(
                    kind: .failed, message: "\(what) ended with \(status)\(service.lastWords)")
            }
            if RunInstant.now + .milliseconds(50) > deadline {
                throw LabFailure(
                    kind: .timedOut,
                    message:
                        "\(what) is not ready after \(timeout.spelled) (\(answer))\(service.lastWords)"
                )
            }
            await Reactor.shared.sleep(.milliseconds(50))
        }
    }

    /// One question after the other; a host that does not run is not asked.
    func poll(
        _ name: String, _ hostName: HostName, _ arguments: [String], equals: String,
        every: Duration
    ) throws(LabFailure) {
        let host = try self.host(hostName)
        lastPoll += 1
        let own = lastPoll
        // The same question of several hosts has the same name.
        polls[name] = polls[name] ?? own
        let generation = polls[name]
        spawn { [self] in
            var complained = false
            while polls[name] == generation, !isEnding {
                let next = RunInstant.now + every
                let kernel = host.kernel
                if kernel.state == .running, !host.isBooting {
                    let asked = RunInstant.now
                    do throws(LabFailure) {
                        let result = try await run(
                            arguments, in: kernel, place: kernel.system, timeout: .seconds(5))
                        // An answer across a kill or a freeze is no answer.
                        if polls[name] == generation, kernel.state == .running,
                            kernel === host.kernel
                        {
                            emit(
                                .poll(
                                    name, hostName,
                                    value: result.status == 0
                                        && Self.trimmed(result.output) == equals,
                                    asked: asked, answered: .now, bootID: kernel.bootID))
                        }
                    } catch {
                        if !complained, kernel.state == .running, !isEnding { complain(error) }
                        complained = true
                    }
                }
                let left = next - .now
                await Reactor.shared.sleep(max(left, .milliseconds(1)))
            }
        }
    }

    static func trimmed(_ text: String) -> Substring {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\n" || $0 == "\t" || $0 == "\r" }
        guard let first = text.firstIndex(where: { !isSpace($0) }),
            let last = text.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return text[first...last]
    }
}
