import CLinux
import DrillCore
import Glibc

/// One lab: the switch, the hosts, their services and the load, on behalf of one controller.
@LabActor
final class LabSupervisor {
    /// Set by `build`.
    struct Lab {
        let spec: LabSpec
        let folder: RunFolder
        let keeper: Keeper
        let cgroup: Cgroup
        let network: Switch
        var hosts: [HostName: LabHostState] = [:]
        var order: [HostName] = []
    }

    struct Notice {
        var text: String
        var heard: Set<HostName> = []
    }

    nonisolated static let version = "1"

    var lab: Lab?
    var notices: [ServiceName: Notice] = [:]
    var polls: [String: Int] = [:]
    var lastPoll = 0
    var loads: [String: LoadProcess] = [:]
    /// Takes the events in the controller's place.
    var heard: ((LabEvent) -> Void)?
    /// Set by the first path; waited for by those that come while it starts.
    var prober: Promise<Result<ProberProcess, LabFailure>>?
    var programCount = 0
    let hostFaults = HostFaults()
    var isEnding = false
    private(set) var networkFailure: LabFailure?
    private var capabilities = LabCapabilities()
    let controller: LineWriter
    private(set) var staysWithoutController = false
    private var isControllerGone = false
    var server: LabServer?

    init() {
        controller = LineWriter(Descriptor(1))
    }

    /// `lab`: the whole life of the supervisor; returns the program's exit status.
    nonisolated static func main() -> Int32 {
        setsid()
        for ignored in [SIGINT, SIGHUP, SIGPIPE] { Glibc.signal(ignored, SIG_IGN) }
        var refused: LabFailure?
        do {
            try OrdinaryUser.becomeNamespaceRoot()
        } catch {
            refused = error
        }
        // Where it is allowed: t0 and the roles are stamped here, and a late stamp is a wide interval. What it starts
        // runs as an ordinary process.
        let realtime = clinux_realtime(4)
        Surroundings.surviveMemoryShortage()
        let result = refused == nil ? clinux_unshare_network() : 0
        if result < 0 {
            // Without one of its own, the switch would be built in somebody else's.
            refused = OrdinaryUser.namespaceFailure("make the switch's network namespace", -result)
        }
        spawn { [refused] in
            let supervisor = LabSupervisor()
            supervisor.networkFailure = refused
            supervisor.capabilities = MachineCapabilities.lacking(
                network: refused, realtime: realtime)
            await supervisor.run()
        }
        return Reactor.shared.run()
    }

    private func run() async {
        // Address events are stamped with the interval between two looks.
        Reactor.shared.setTick(.milliseconds(2))
        spawn { [self] in await awaitSignal() }
        await listen(Descriptor(0), controller)
        isControllerGone = true
        if staysWithoutController, lab != nil, !isEnding {
            do {
                try serve()
                return
            } catch {
                complain(error)
            }
        }
        await end()
    }

    private func awaitSignal() async {
        do {
            let signals = try Descriptor(
                result: [SIGTERM].withUnsafeBufferPointer {
                    clinux_signal_descriptor($0.baseAddress, $0.count)
                }, "make a signal descriptor")
            defer { withExtendedLifetime(signals) {} }
            guard case .ready = await Reactor.shared.readable(signals.number) else { return }
            await end()
        } catch {
            complain(error)
        }
    }

    /// Requests until the other end closes. Each is carried out on its own, in the order in which they begin.
    func listen(_ source: Descriptor, _ answers: LineWriter) async {
        var lines = LineSplitter()
        while case .ready = await Reactor.shared.readable(source.number) {
            do {
                let bytes = try source.read()
                if bytes.isEmpty { return }
                for line in lines.add(bytes) {
                    let request = try JSONLine.decode(LabRequest.self, from: line)
                    spawn { [self] in await answer(request, answers) }
                }
            } catch let failure as LabFailure {
                complain(failure)
                return
            } catch {
                emit(.log("a request cannot be read: \(error)"))
            }
        }
    }

    private func answer(_ request: LabRequest, _ answers: LineWriter) async {
        let low = RunInstant.now
        var reply: LabReply
        do throws(LabFailure) {
            reply = try await carryOut(request.command, id: request.id)
        } catch {
            reply = LabReply(
                id: request.id, failure: error, interval: InstantInterval(low: low, high: .now))
        }
        answers.send(LabMessage.reply(reply))
        if case .teardown = request.command {
            await answers.drained()
            Reactor.shared.stop(status: reply.failure == nil ? 0 : 1)
        }
    }

    private func carryOut(
        _ command: LabCommand, id: Int
    ) async throws(LabFailure) -> LabReply {
        let low = RunInstant.now
        if isEnding { throw LabFailure(kind: .failed, message: "the lab is being torn down") }
        var detail: [String: String] = [:]
        switch command {
        case .hello: detail = greeting()
        case .build(let spec): try await build(spec)
        case .start(let host, let service, let instance):
            try await start(host, service, instance)
        case .awaitReady(let host, let service, let check, let timeout):
            try await awaitReady(host, service, check, timeout)
        case .perform(let operation):
            TestHooks.point("asked: \(TestHooks.name(operation))")
            defer { TestHooks.point("answered: \(TestHooks.name(operation))") }
            return try await order(operation, id: id)
        case .reach(let from, let address, let duration):
            detail = try await reach(from, address, duration)
        case .execute(let host, let arguments, let timeout):
            let state = try self.host(host)
            let result = try await run(
                arguments, in: state.kernel, place: state.kernel.system, timeout: timeout)
            return LabReply(
                id: id, interval: InstantInterval(low: low, high: .now), output: result.output,
                status: result.status)
        case .poll(let name, let host, let arguments, let equals, let every):
            try poll(name, host, arguments, equals: equals, every: every)
        case .unpoll(let name): polls[name] = nil
        case .notice(let service, let text): notices[service] = Notice(text: text)
        case .startLoad(let name, let host, let command):
            try startLoad(name, host, command)
        case .load(let name, let command): try sendLoad(name, command)
        case .inspect(let operation):
            let found = try await inspect(operation)
            return LabReply(
                id: id, interval: InstantInterval(low: low, high: .now), output: found.sentence,
                detail: ["proven": "\(found.isProven)"])
        case .startPaths(let paths): try await startPaths(paths)
        case .stopPaths(let ids): try await stopPaths(ids)
        case .renew: try builtLab().keeper.renew()
        case .keep:
            staysWithoutController = true
            lab?.keeper.endLease()
        case .teardown:
            let left = await tearDown()
            return LabReply(
                id: id, interval: InstantInterval(low: low, high: .now),
                detail: ["left_behind": left.joined(separator: "\n")])
        }
        return LabReply(id: id, interval: InstantInterval(low: low, high: .now), detail: detail)
    }

    /// Versions, what the machine lacks, and the first process of each host for `firedrill-agent enter`.
    private func greeting() -> [String: String] {
        var detail = capabilities.detail
        detail["versions"] = Self.version
        for (name, host) in lab?.hosts ?? [:] where host.kernel.state != .dead {
            detail["pid.\(name)"] = "\(host.kernel.pid)"
        }
        return detail
    }

    private func serve() throws(LabFailure) {
        guard let lab else { return }
        let server = try LabServer(lab.folder)
        self.server = server
        spawn { await server.run(self) }
    }

    /// Tears down and ends the program.
    private func end() async {
        let left = await tearDown()
        for thing in left { emit(.log("left behind: \(thing)")) }
        await controller.drained()
        Reactor.shared.stop(status: left.isEmpty ? 0 : 1)
    }

    func emit(_ event: LabEvent) {
        if let heard {
            heard(event)
            return
        }
        guard !isControllerGone else { return }
        controller.send(LabMessage.event(event))
    }

    func complain(_ failure: LabFailure) { emit(.log(failure.message)) }

    func builtLab() throws(LabFailure) -> Lab {
        guard let lab else { throw LabFailure(kind: .failed, message: "no lab is built") }
        return lab
    }

    func host(_ name: HostName) throws(LabFailure) -> LabHostState {
        guard let host = try builtLab().hosts[name] else {
            throw LabFailure(kind: .failed, message: "there is no host \(name) in this lab")
        }
        return host
    }
}
