import CLinux
import DrillCore
import Glibc

/// The watchdog of this agent, as the agent sees it.
@LabActor
final class WatchdogProcess {
    let ended = Promise<Int32>()
    private let child: Child
    private let input: Descriptor

    /// - Parameter sharesNetwork: what it may have to take back is in the agent's own network namespace.
    init(_ run: RunID, sharesNetwork: Bool) throws(LabFailure) {
        let (theirs, input) = try Descriptor.pipe()
        let me = try Descriptor(result: clinux_pidfd_open(getpid()), "open the own process")
        let nothing = try Descriptor.open("/dev/null", O_RDWR)
        // In the agent's network namespace it would keep a dead lab's switch.
        let namespace =
            sharesNetwork
            ? nil
            : try Descriptor(
                result: clinux_netns_create(), "make the watchdog's network namespace")
        defer { withExtendedLifetime((theirs, me, nothing, namespace)) {} }
        child = try Child.start(
            ChildSpec(
                executable: "/proc/self/exe",
                arguments: ["firedrill-agent", "watchdog", run.rawValue],
                environment: Surroundings.environment,
                descriptors: [theirs.number, nothing.number, 2, me.number],
                networkNamespace: namespace?.number ?? -1))
        self.input = input
        _ = fcntl(input.number, F_SETFL, O_NONBLOCK)
        spawn { [self] in
            _ = await Reactor.shared.readable(child.pidfd.number)
            ended.fulfil(child.reap())
        }
    }

    func beat(until: BootInstant?) { send(.beat(until: until)) }

    /// Without a wait: where the pipe is full, the watchdog is stopped, and an old beat is as good as a new one.
    private func send(_ message: WatchdogMessage) {
        guard ended.value == nil else { return }
        do {
            let line = Array((try JSONLine.encode(message) + "\n").utf8)
            _ = write(input.number, line, line.count)
        } catch {
            fatalError("a message of ours cannot be encoded: \(error)")
        }
    }

    /// Tells it that nothing is left, and waits for its end; one that is stopped is ended.
    func dismiss() async {
        send(.farewell)
        if await ended.wait(until: .now + .seconds(2)) != nil { return }
        _ = clinux_pidfd_signal(child.pidfd.number, SIGKILL)
        _ = await ended.wait(until: .now + .seconds(2))
    }
}
