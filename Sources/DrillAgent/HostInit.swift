import CLinux
import DrillCore
import Glibc

/// The first process of a lab host: single-threaded; makes the host's mounts, starts programs on command, reaps.
///
/// It ends when the supervisor's end of its socket closes, and the kernel then ends all of the host.
struct HostInit {
    static let socket: Int32 = 3

    private var programs: [pid_t: Int] = [:]

    /// `host-init NAME STATE [--client]`; never returns before the supervisor is gone.
    static func main(_ arguments: [String]) -> Int32 {
        guard arguments.count >= 2 else { return 64 }
        var this = HostInit()
        do {
            try this.prepare(
                name: arguments[0], state: arguments[1], isClient: arguments.contains("--client"))
            let children = try Descriptor(
                result: [SIGCHLD].withUnsafeBufferPointer {
                    clinux_signal_descriptor($0.baseAddress, $0.count)
                }, "make a signal descriptor")
            try this.send(.ready)
            try this.serve(children)
            return 0
        } catch {
            // Where even this fails, the supervisor sees the end of the socket.
            do { try this.send(.broken(error)) } catch { return 70 }
            return 1
        }
    }

    private func prepare(name: String, state: String, isClient: Bool) throws(LabFailure) {
        var step: UnsafePointer<CChar>?
        let result = clinux_host_mounts(state, &step)
        if result < 0 {
            throw systemFailure(
                "host \(name): " + (step.map { String(cString: $0) } ?? ""), -result)
        }
        try checked(clinux_set_host_name(name), "set the host name \(name)")
        // Executed through a magic link, it would be called `exe` in every listing.
        try Files.set("/proc/self/comm", to: "host-init")
        if isClient {
            // A range of 28,232 ports and TIME_WAIT would look like an outage at high rates.
            try Files.set("/proc/sys/net/ipv4/ip_local_port_range", to: "1024 65535")
            try Files.set("/proc/sys/net/ipv4/tcp_tw_reuse", to: "1")
        }
    }

    private mutating func serve(_ children: Descriptor) throws(LabFailure) {
        while true {
            var entries = [
                clinux_poll(descriptor: Self.socket, asked: Int16(POLLIN), seen: 0),
                clinux_poll(descriptor: children.number, asked: Int16(POLLIN), seen: 0),
            ]
            let ready = clinux_ppoll(&entries, entries.count, -1)
            if ready == -EINTR { continue }
            try checked(ready, "poll")
            if entries[1].seen != 0 {
                while clinux_next_signal(children.number) != 0 {}
                try reap()
            }
            if entries[0].seen != 0, try receive() == false { return }
        }
    }

    private mutating func reap() throws(LabFailure) {
        while true {
            var status: Int32 = 0
            let pid = waitpid(-1, &status, WNOHANG)
            if pid <= 0 { return }
            if let id = programs.removeValue(forKey: pid) {
                try send(.exited(id, status: exitCode(ofWaitStatus: status)))
            }
        }
    }

    /// False at the supervisor's end.
    private mutating func receive() throws(LabFailure) -> Bool {
        guard let message = try HostSocket.receive(HostCommand.self, from: Self.socket) else {
            return true
        }
        guard let command = message.value else { return false }
        switch command {
        case .start(let id, let spec):
            do {
                let child = try start(spec, message.descriptors)
                programs[child.pid] = id
                try send(.started(id), [child.pidfd.number])
            } catch {
                try send(.notStarted(id, error))
            }
        }
        return true
    }

    private func start(
        _ spec: ProgramSpec, _ descriptors: [Descriptor]
    ) throws(LabFailure) -> Child {
        guard descriptors.count == 2, !spec.arguments.isEmpty else {
            throw LabFailure(kind: .failed, message: "a start without its descriptors or arguments")
        }
        let nothing = try Descriptor.open("/dev/null", O_RDONLY)
        let output = descriptors[1].number
        // Numbers alone would not keep the files open until the child has them.
        defer { withExtendedLifetime((nothing, descriptors)) {} }
        return try Child.start(
            ChildSpec(
                executable: spec.isAgent ? "/proc/self/exe" : nil,
                arguments: spec.isAgent ? ["firedrill-agent"] + spec.arguments : spec.arguments,
                environment: spec.environment, directory: spec.directory,
                descriptors: [nothing.number, output, output], cgroup: descriptors[0].number,
                user: spec.user))
    }

    private func send(_ event: HostEvent, _ descriptors: [Int32] = []) throws(LabFailure) {
        try HostSocket.send(event, to: Self.socket, descriptors)
    }
}
