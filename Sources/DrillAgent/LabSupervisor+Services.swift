import CLinux
import DrillCore
import Glibc

/// Services: their files, their processes, their output.
extension LabSupervisor {
    func start(
        _ hostName: HostName, _ name: ServiceName, _ instance: ServiceInstance
    ) async throws(LabFailure) {
        let host = try self.host(hostName)
        let service: LabService
        if let known = host.services.first(where: { $0.name == name }) {
            service = known
            service.instance = instance
        } else {
            service = try LabService(
                hostName, name, instance, logs: try builtLab().spec.logs,
                heard: { [weak self] line, arrival in
                    self?.heard(hostName, name, line, arrival)
                })
            host.services.append(service)
        }
        try await start(service, on: host)
    }

    @discardableResult
    func start(
        _ service: LabService, on host: LabHostState
    ) async throws(LabFailure) -> InstantInterval {
        let place = host.place(of: service.name)
        guard try !place.isPopulated(), !service.isStarting else {
            throw LabFailure(
                kind: .failed, message: "service \(service.name) runs on host \(host.name) already")
        }
        service.isStarting = true
        defer { service.isStarting = false }
        let instance = service.instance
        let user: UserIdentity? =
            if let user = instance.user { try UserIdentity.named(user) } else { nil }
        try write(instance, user, host)
        try prepareClock(of: service, on: host)
        // Never one that was used before: it may be frozen, and this kernel kills what is born by CLONE_INTO_CGROUP in a
        // cgroup that was once killed.
        try place.remove()
        try place.make()
        let kernel = host.kernel
        let what = "service \(service.name) on host \(host.name)"
        if let prepare = instance.prepare {
            let program = try await launch(prepare, service, user, kernel, place)
            guard let status = await program.exit.wait(until: .now + .seconds(60)) else {
                try place.kill()
                throw LabFailure(
                    kind: .timedOut,
                    message: "\(what): prepare did not end in 60s\(service.lastWords)")
            }
            guard status == 0 else {
                throw LabFailure(
                    kind: .failed,
                    message: "\(what): prepare ended with \(status)\(service.lastWords)")
            }
        }
        let low = RunInstant.now
        let program = try await launch(instance.run, service, user, kernel, place)
        service.program = program
        let interval = InstantInterval(low: low, high: .now)
        spawn { [self] in
            let status = await program.exit.wait()
            // A killed host has no services that could be said to have exited.
            if kernel.state == .running, !isEnding {
                emit(.serviceExited(host.name, service.name, status: status, .now))
            }
        }
        return interval
    }

    private func launch(
        _ arguments: [String], _ service: LabService, _ user: UserIdentity?, _ kernel: HostKernel,
        _ place: Cgroup
    ) async throws(LabFailure) -> HostProgram {
        var environment = Surroundings.environment
        if let user { environment["HOME"] = user.home }
        if service.instance.preparations.contains(.clock) {
            environment.merge(try ServiceClock(of: service.name, on: kernel).environment()) {
                _, new in new
            }
        }
        environment.merge(service.instance.environment) { _, new in new }
        let (program, source) = try await launch(
            ProgramSpec(
                arguments: arguments, environment: environment,
                directory: service.instance.directory, user: user), in: kernel, place: place)
        // It holds itself until all that have the pipe are gone, daemons included.
        _ = OutputReader(source) { line, arrival in service.note(line, arrival) }
        return program
    }

    /// The files, before each start: a service may have changed them.
    private func write(
        _ instance: ServiceInstance, _ user: UserIdentity?, _ host: LabHostState
    ) throws(LabFailure) {
        let inside = "/run/firedrill/"
        guard instance.directory.hasPrefix(inside) else {
            throw LabFailure(
                kind: .failed, message: "\(instance.directory) is not under \(inside)")
        }
        let folder = host.folder + "/" + instance.directory.dropFirst(inside.count)
        try Files.makeDirectories(folder)
        var owned = [folder]
        for (name, text) in instance.files.sorted(by: { $0.key < $1.key }) {
            let path = folder + "/" + name
            let parts = name.split(separator: "/")
            if parts.contains("..") {
                throw LabFailure(kind: .failed, message: "file '\(name)' leaves its folder")
            }
            if parts.count > 1 {
                var parent = folder
                for part in parts.dropLast() {
                    parent += "/" + part
                    try Files.makeDirectory(parent)
                    owned.append(parent)
                }
            }
            try Files.write(text, to: path)
            // keepalived refuses a script that others may write; an executable bit hurts no configuration.
            chmod(path, text.hasPrefix("#!") ? 0o755 : 0o644)
            owned.append(path)
        }
        if let user {
            for path in owned where chown(path, user.uid, user.gid) < 0 {
                throw systemFailure("give \(path) to uid \(user.uid)")
            }
        }
    }

    private func heard(
        _ host: HostName, _ service: ServiceName, _ line: String, _ arrival: InstantInterval
    ) {
        guard let notice = notices[service], !notice.heard.contains(host),
            line.contains(notice.text)
        else { return }
        notices[service]?.heard.insert(host)
        emit(.noticed(host, line: line, arrival))
    }

    // MARK: what faults do to services

    func kill(_ service: LabService, on host: LabHostState) async throws(LabFailure)
        -> InstantInterval
    {
        let place = host.place(of: service.name)
        try requireRunning(service, host)
        let low = RunInstant.now
        try place.kill()
        try await place.waitUntilEmpty()
        let high = RunInstant.now
        try place.remove()
        return InstantInterval(low: low, high: high)
    }

    /// SIGTERM to the main process, and SIGKILL to all after five seconds; the interval is that of the SIGTERM.
    func stop(_ service: LabService, on host: LabHostState) async throws(LabFailure)
        -> InstantInterval
    {
        let place = host.place(of: service.name)
        let interval = try signal(service, on: host, SIGTERM)
        let deadline = RunInstant.now + .seconds(5)
        while try place.isPopulated() {
            if RunInstant.now > deadline {
                try place.kill()
                try await place.waitUntilEmpty()
                break
            }
            await Reactor.shared.sleep(.milliseconds(1))
        }
        return interval
    }

    func signal(
        _ service: LabService, on host: LabHostState, _ number: Int32
    ) throws(LabFailure) -> InstantInterval {
        try requireRunning(service, host)
        let target = try mainProcess(of: service, on: host)
        defer { withExtendedLifetime(target) {} }
        let low = RunInstant.now
        try checked(
            clinux_pidfd_signal(target.number, number),
            "signal \(number) to service \(service.name) on host \(host.name)")
        return InstantInterval(low: low, high: .now)
    }

    /// The process that was started; of a service that daemonised, the one that host-init adopted.
    private func mainProcess(
        of service: LabService, on host: LabHostState
    ) throws(LabFailure) -> Descriptor {
        if let program = service.program, program.exit.value == nil { return program.pidfd }
        let adopted = try host.place(of: service.name).processes().first { pid in
            Self.parent(of: pid) == host.kernel.pid
        }
        guard let adopted else {
            throw LabFailure(
                kind: .failed,
                message: "service \(service.name) on host \(host.name) has no main process")
        }
        return try Descriptor(result: clinux_pidfd_open(adopted), "open process \(adopted)")
    }

    private static func parent(of pid: pid_t) -> pid_t? {
        // `pid (name) state parent …`; the name may hold anything.
        guard let text = try? Files.read("/proc/\(pid)/stat"),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? pid_t(fields[1]) : nil
    }

    func setPaused(
        _ service: LabService, on host: LabHostState, _ isPaused: Bool
    ) async throws(LabFailure) -> InstantInterval {
        if isPaused { try requireRunning(service, host) }
        let place = host.place(of: service.name)
        let low = RunInstant.now
        try place.setFrozen(isPaused)
        try await place.waitUntilFrozen(isPaused)
        return InstantInterval(low: low, high: .now)
    }

    private func requireRunning(
        _ service: LabService, _ host: LabHostState
    ) throws(LabFailure) {
        guard try host.place(of: service.name).isPopulated() else {
            throw LabFailure(
                kind: .failed, message: "service \(service.name) does not run on host \(host.name)")
        }
    }
}
