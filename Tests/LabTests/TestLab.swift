import DrillCore
import Glibc
import Testing

/// A lab that a test builds, and the check that nothing of it is left.
final class TestLab {
    let run: RunID
    let logs: String
    let supervisor: Supervisor
    private var traces = MachineTraces()

    static let addresses: [HostName: String] = [
        "a": "10.77.0.11", "b": "10.77.0.12", "client": "10.77.0.100",
    ]

    /// Not built yet.
    init(_ name: String) throws {
        run = RunID("test-\(name)-\(getpid())")
        logs = "/tmp/firedrill-\(run).logs"
        mkdir(logs, 0o755)
        supervisor = try Supervisor()
    }

    static func with(_ name: String, _ body: (TestLab) throws -> Void) throws {
        let lab = try TestLab(name)
        try lab.build()
        lab.remember()
        // The switch, and five of each host.
        #expect(lab.traces.namespaces.count == 16)
        do {
            try body(lab)
        } catch {
            lab.supervisor.closeInput()
            _ = lab.supervisor.waitForEnd()
            throw error
        }
        lab.remember()
        let left = try lab.supervisor.ask(.teardown).detail["left_behind"]
        #expect(left == "")
        #expect(lab.supervisor.waitForEnd() == 0)
        try lab.expectNothingLeft()
    }

    var spec: LabSpec {
        LabSpec(
            run: run, logs: logs,
            networks: [Network(name: "main", subnet: "10.77.0.0/24", vips: ["10.77.0.10"])],
            hosts: Self.addresses.sorted { $0.key < $1.key }.map { name, address in
                LabHost(
                    name: name,
                    ports: [LabPort(network: "main", address: address, prefixLength: 24)],
                    isClient: name == "client")
            }, lease: .seconds(300))
    }

    @discardableResult
    func build() throws -> LabReply { try supervisor.ask(.build(spec)) }

    /// A process whose parent the supervisor is, or was.
    var watchdog: pid_t {
        get throws {
            let wanted = ["firedrill-agent", "watchdog", run.rawValue]
            let pid = Programs.names(in: "/proc").compactMap { pid_t($0) }.first { pid in
                let text = (try? Programs.text("/proc/\(pid)/cmdline")) ?? ""
                return text.split(separator: "\0").map(String.init) == wanted
            }
            return try #require(pid, "there is no watchdog")
        }
    }

    func address(_ host: HostName) -> String { Self.addresses[host] ?? "" }

    /// Writes down what the lab has on the machine now: all of it must be gone in the end.
    func remember() { traces.collect(run: run, supervisor: supervisor.process) }

    func expectNothingLeft(_ location: SourceLocation = #_sourceLocation) throws {
        let left = try traces.remains(of: run)
        #expect(left == [], sourceLocation: location)
        _ = try Programs.run(["/bin/rm", "-rf", logs])
    }

    /// A service of ours without dependencies: answers each connection with one line.
    func serve(port: Int = 80) throws -> ServiceInstance {
        ServiceInstance(
            directory: "/run/firedrill/web", files: ["hello.txt": "hello\n"],
            run: [try Programs.agent, "probe", "serve", "\(port)"], ready: .tcp(port: port))
    }

    func startServing(_ host: HostName) throws {
        let instance = try serve()
        try supervisor.ask(.start(host, "web", instance))
        try supervisor.ask(.awaitReady(host, "web", .tcp(port: 80), timeout: .seconds(5)))
    }

    func log(_ host: HostName, _ service: ServiceName) throws -> String {
        try Programs.text("\(logs)/\(host).\(service).log")
    }
}
