import CLinux
import DrillCore
import DrillNetlink
import Glibc

/// One boot of a host: its namespaces, its cgroup, and its first process. A killed host gets a new one.
@LabActor
final class HostKernel {
    enum State { case running, frozen, dead }

    let host: HostName
    /// `<host>#<n>`: the analysis ends a claim with its boot.
    let bootID: String
    /// Of the first process, as this process sees it.
    let pid: pid_t
    private(set) var state = State.running
    /// The first process has ended, and with it all others.
    let ended = Promise<Void>()
    /// Nobody here had ended it.
    private(set) var endedByItself = false
    private var network: NetworkNamespace?

    private let child: Child
    private let socket: Descriptor
    private let cgroup: Cgroup
    private var programs: [Int: HostProgram] = [:]
    private var starting: [Int: Promise<Result<HostProgram, LabFailure>>] = [:]
    private let readiness = Promise<Result<Void, LabFailure>>()
    private var lastID = 0

    /// Everything that may be frozen lies under this; the first process never does, so that it sees the supervisor's end.
    var system: Cgroup { cgroup.child("system") }

    /// Returns when its mounts are made and it takes commands.
    static func boot(
        _ host: HostName, number: Int, in run: Cgroup, state: String, isClient: Bool
    ) async throws(LabFailure) -> HostKernel {
        let cgroup = run.child("\(host)-\(number)")
        try cgroup.make()
        for name in ["init", "system", "helpers"] { try cgroup.child(name).make() }
        let (socket, theirs) = try Descriptor.seqpacketPair()
        let nothing = try Descriptor.open("/dev/null", O_RDWR)
        let place = try cgroup.child("init").open()
        defer { withExtendedLifetime((nothing, theirs, place)) {} }
        let child: Child
        do {
            child = try Child.start(
                ChildSpec(
                    executable: "/proc/self/exe",
                    arguments: ["firedrill-agent", "host-init", host.rawValue, state]
                        + (isClient ? ["--client"] : []),
                    environment: Surroundings.environment,
                    descriptors: [nothing.number, nothing.number, 2, theirs.number],
                    cgroup: place.number, isNewHost: true))
        } catch {
            try cgroup.remove()
            guard error.errno == EPERM else {
                throw LabFailure(
                    kind: error.kind, message: "host \(host): \(error.message)",
                    errno: error.errno)
            }
            throw OrdinaryUser.namespaceFailure("host \(host): make its namespaces", EPERM)
        }
        let kernel = HostKernel(host, "\(host)#\(number)", child, socket, cgroup)
        spawn { await kernel.listen() }
        let readiness = await kernel.readiness.wait(until: .now + .seconds(10))
        do throws(LabFailure) {
            switch readiness {
            case .success:
                kernel.network = try netlink { () throws(NetlinkError) in
                    try NetworkNamespace.open(process: child.pid)
                }
            case .failure(let failure): throw failure
            case nil:
                throw LabFailure(kind: .timedOut, message: "host \(host) is not up after 10s")
            }
        } catch {
            try await kernel.kill()
            throw error
        }
        return kernel
    }

    private init(
        _ host: HostName, _ bootID: String, _ child: Child, _ socket: Descriptor, _ cgroup: Cgroup
    ) {
        self.host = host
        self.bootID = bootID
        self.child = child
        self.socket = socket
        self.cgroup = cgroup
        pid = child.pid
    }

    func withNetwork<Value>(
        _ body: (borrowing NetworkNamespace) throws(LabFailure) -> Value
    ) throws(LabFailure) -> Value {
        guard network != nil else {
            throw LabFailure(kind: .failed, message: "host \(host) has no network")
        }
        return try body(network!)
    }

    /// An open descriptor would keep the sockets of a dead host alive.
    func closeNetwork() { network = nil }

    /// - Parameter place: the cgroup, under `system` or `helpers`; made where it is not there.
    func start(
        _ spec: ProgramSpec, in place: Cgroup, output: Descriptor
    ) async throws(LabFailure) -> HostProgram {
        switch state {
        case .running: break
        case .frozen: throw LabFailure(kind: .failed, message: "host \(host) is frozen")
        case .dead: throw LabFailure(kind: .failed, message: "host \(host) is dead")
        }
        try place.make()
        let directory = try place.open()
        defer { withExtendedLifetime((directory, output)) {} }
        lastID += 1
        let id = lastID
        let promise = Promise<Result<HostProgram, LabFailure>>()
        starting[id] = promise
        do {
            try HostSocket.send(
                HostCommand.start(id, spec), to: socket.number, [directory.number, output.number])
        } catch {
            starting[id] = nil
            throw error
        }
        return try await promise.wait().get()
    }

    var helpers: Cgroup { cgroup.child("helpers") }

    private func listen() async {
        while case .ready = await Reactor.shared.readable(socket.number) {
            do {
                guard let message = try HostSocket.receive(HostEvent.self, from: socket.number)
                else { continue }
                guard let event = message.value else { break }
                handle(event, message.descriptors)
            } catch {
                readiness.fulfil(.failure(error))
                break
            }
        }
        // Its socket closes as it dies; without the wait `reap` could block on a stopped one.
        if case .ready = await Reactor.shared.readable(child.pidfd.number) { _ = child.reap() }
        endedByItself = state != .dead
        state = .dead
        let failure = LabFailure(kind: .failed, message: "host \(host) ended")
        readiness.fulfil(.failure(failure))
        for promise in starting.values { promise.fulfil(.failure(failure)) }
        starting = [:]
        for program in programs.values { program.exit.fulfil(128 + SIGKILL) }
        programs = [:]
        ended.fulfil(())
    }

    private func handle(_ event: HostEvent, _ descriptors: [Descriptor]) {
        switch event {
        case .ready: readiness.fulfil(.success(()))
        case .broken(let failure): readiness.fulfil(.failure(failure))
        case .started(let id):
            guard let pidfd = descriptors.first else { return }
            let program = HostProgram(pidfd: pidfd)
            programs[id] = program
            starting.removeValue(forKey: id)?.fulfil(.success(program))
        case .notStarted(let id, let failure):
            starting.removeValue(forKey: id)?.fulfil(.failure(failure))
        case .exited(let id, let status):
            programs.removeValue(forKey: id)?.exit.fulfil(status)
        }
    }

    /// All of its processes end at once; returns when none is left and its cgroup is removed.
    func kill() async throws(LabFailure) {
        state = .dead
        if cgroup.exists {
            try cgroup.kill()
            try await cgroup.waitUntilEmpty()
        }
        _ = await ended.wait(until: .now + .seconds(5))
        try cgroup.remove()
    }

    func freeze() async throws(LabFailure) {
        guard state == .running else {
            throw LabFailure(kind: .failed, message: "host \(host) does not run")
        }
        state = .frozen
        try system.setFrozen(true)
        try await system.waitUntilFrozen(true)
    }

    func thaw() async throws(LabFailure) {
        guard state == .frozen else {
            throw LabFailure(kind: .failed, message: "host \(host) is not frozen")
        }
        try system.setFrozen(false)
        try await system.waitUntilFrozen(false)
        state = .running
    }
}
