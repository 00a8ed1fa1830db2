import CLinux
import DrillCore
import DrillEmulator
import Glibc

/// `firedrill-agent emulator` in this process's network namespace: all lanes of one lab.
///
/// Its end, whatever the cause, is the end of its devices: what is redirected to them is lost from then on, so whoever
/// redirects watches `ended`. One that hangs is ended after a second.
@LabActor
final class EmulatorProcess {
    /// Between two questions whether it lives.
    private static let pingPause = Duration.milliseconds(200)
    /// Without an answer for so long it is dead: what it holds is late by as much already.
    private static let patience = Duration.seconds(1)

    /// With the reason, for people.
    let ended = Promise<String>()
    let pid: pid_t
    private let child: Child
    private let requests: LineWriter
    private let input: Descriptor
    private var waiting: [Int: Promise<Result<EmulatorReply, LabFailure>>] = [:]
    private var lastID = 0
    private var reason: String?

    /// Returns when the program has been executed; its first answer tells whether it can do anything.
    ///
    /// - Parameter cgroup: Where it runs; one that nobody freezes or kills. Nil: in this process's.
    static func start(in cgroup: Cgroup? = nil) throws(LabFailure) -> EmulatorProcess {
        try cgroup?.make()
        let place = try cgroup?.open()
        let (theirInput, input) = try Descriptor.pipe()
        let (output, theirOutput) = try Descriptor.pipe()
        defer { withExtendedLifetime((place, theirInput, theirOutput)) {} }
        let child = try Child.start(
            ChildSpec(
                executable: "/proc/self/exe", arguments: ["firedrill-agent", "emulator"],
                environment: Surroundings.environment,
                descriptors: [theirInput.number, theirOutput.number, 2],
                cgroup: place?.number ?? -1))
        return EmulatorProcess(child, input, output)
    }

    private init(_ child: Child, _ input: Descriptor, _ output: Descriptor) {
        self.child = child
        self.input = input
        pid = child.pid
        requests = LineWriter(input)
        let reader = OutputReader(output) { [weak self] line, _ in self?.receive(line) }
        spawn { [self] in
            _ = await Reactor.shared.readable(child.pidfd.number)
            await reader.finish()
            let status = child.reap()
            let reason = reason ?? "the emulator ended with \(status)"
            requests.end()
            for promise in waiting.values {
                promise.fulfil(.failure(LabFailure(kind: .failed, message: reason)))
            }
            waiting = [:]
            ended.fulfil(reason)
        }
        spawn { [self] in await watch() }
    }

    // MARK: lanes

    /// Makes the TAP device `name`; what is redirected to it leaves at `output`, unchanged until `set`. It is down, and
    /// its alias is the caller's.
    func open(_ name: String, output: String, seed: UInt64) async throws(LabFailure) {
        _ = try await ask(.open(name, output: output, seed: seed))
    }

    /// From now on; what the lane holds keeps its time.
    func set(_ name: String, _ impairment: Impairment) async throws(LabFailure) {
        _ = try await ask(.set(name, impairment))
    }

    /// The device goes at once, and what it holds is lost: remove what redirects to it first.
    func close(_ name: String) async throws(LabFailure) { _ = try await ask(.close(name)) }

    /// The device goes when what it holds has left at its time, at the latest after `limit`; remove what redirects to
    /// it first. Returns at once.
    func drain(_ name: String, limit: Duration) async throws(LabFailure) {
        _ = try await ask(.drain(name, limit: limit))
    }

    /// Since `open`.
    func counters(_ name: String) async throws(LabFailure) -> EmulatorCounters {
        guard let counters = try await ask(.counters(name)).counters else {
            throw LabFailure(kind: .failed, message: "the emulator answered without counters")
        }
        return counters
    }

    // MARK: its life

    /// All lanes go; returns when the process has ended.
    func stop() async {
        reason = reason ?? "the emulator was stopped"
        await requests.drained()
        requests.end()
        // The end of its input is its order to end. The descriptor itself goes with this object, so say it in signals too.
        kill(SIGTERM)
        if await ended.wait(until: .now + Self.patience) == nil {
            kill(SIGKILL)
            _ = await ended.wait()
        }
    }

    private func kill(_ signal: Int32) {
        // ESRCH: it has ended, which `ended` tells.
        _ = clinux_pidfd_signal(child.pidfd.number, signal)
    }

    private func watch() async {
        while ended.value == nil {
            await Reactor.shared.sleep(Self.pingPause)
            guard ended.value == nil else { return }
            do throws(LabFailure) {
                _ = try await ask(.ping, patience: Self.patience)
            } catch {
                guard error.kind == .timedOut else { return }
                reason = reason ?? "the emulator did not answer for \(Self.patience.spelled)"
                kill(SIGKILL)
                return
            }
        }
    }

    private func ask(
        _ command: EmulatorCommand, patience: Duration = .seconds(2)
    ) async throws(LabFailure) -> EmulatorReply {
        if let reason = ended.value ?? reason {
            throw LabFailure(kind: .failed, message: reason)
        }
        lastID += 1
        let id = lastID
        let promise = Promise<Result<EmulatorReply, LabFailure>>()
        waiting[id] = promise
        requests.send(EmulatorRequest(id: id, command: command))
        var answer = await promise.wait(until: .now + patience)
        if answer == nil {
            // This process may itself have been stopped for so long: its answer is then there, and not read yet.
            answer = await promise.wait(until: .now + .milliseconds(100))
        }
        waiting[id] = nil
        guard let answer else {
            throw LabFailure(kind: .timedOut, message: "the emulator does not answer")
        }
        let reply = try answer.get()
        if let failure = reply.failure { throw failure }
        return reply
    }

    private func receive(_ line: String) {
        do {
            let reply = try JSONLine.decode(EmulatorReply.self, from: line)
            waiting[reply.id]?.fulfil(.success(reply))
        } catch {
            reason = reason ?? "the emulator said what is no reply: \(line)"
            kill(SIGKILL)
        }
    }
}
