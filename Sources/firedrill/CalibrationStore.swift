import DrillCore
import DrillReport
import FoundationEssentials
import Glibc

/// Drills a store that was told to lose exactly so many acknowledged writes, and takes the count from the report.
struct CalibrationStore {
    private let folder: String

    init(folder: String) { self.folder = folder }

    func lose(_ told: Int, seed: UInt64) throws -> CalibrationReport.LostWrites {
        let place = "\(folder)/lose-\(told)"
        try FileManager.default.createDirectory(
            atPath: place, withIntermediateDirectories: false)
        try Files.write(Array(system(told).utf8), to: place + "/system.yaml")
        try Files.write(Array(Self.scenario.utf8), to: place + "/lose.yaml")
        let status = try Subprogram.run(
            [
                Files.beside("firedrill"), "run", place + "/lose.yaml", "--out", place + "/run",
                "--seed", String(seed), "--quiet", "--yes",
            ], output: place + "/output")
        guard FileManager.default.fileExists(atPath: place + "/run/report.json") else {
            let said = String(decoding: try Files.read(place + "/output"), as: UTF8.self)
            throw Failure(
                code: .capability,
                message: "the store could not be drilled (exit \(status)): \(said)")
        }
        let report = try JSONReport.decode(try Files.read(place + "/run/report.json"))
        if report.exitCode == DrillCore.ExitCode.restoreFailed.rawValue {
            throw Failure(
                code: .restoreFailed,
                message: "left behind: \(report.heal.leftBehind.joined(separator: ", "))")
        }
        let trial = report.trials.last
        return CalibrationReport.LostWrites(
            told: told,
            measured: trial?.rpoWrites.status == .measured ? trial?.writes?.lost : nil)
    }

    private func system(_ told: Int) -> String {
        let peers = "10.79.0.11,10.79.0.12,10.79.0.13"
        let node = { (name: String) in
            // Patient: it is to lose its writes when it is killed, and not when a busy machine lets it wait for 35 ms.
            "run: [\(Files.beside("twin")), node, \(name), --address, \"{{address}}\", --peers, \"\(peers)\", --detect, 500ms, --data, \"{{dir}}/data\""
        }
        return """
            apiVersion: firedrill/v1
            kind: System
            name: calibration
            lab: namespaces
            networks:
              main: {subnet: 10.79.0.0/24, vips: [10.79.0.10]}
            hosts:
              a: {address: 10.79.0.11}
              b: {address: 10.79.0.12}
              witness: {address: 10.79.0.13}
              client: {address: 10.79.0.100}
            services:
              twin:
                hosts: [a, b]
                \(node("\"{{host}}\"")), --vip, "{{vip}}", --bad, lose=\(told)]
                ready: {tcp: 6379}
              vote:
                hosts: [witness]
                \(node("witness"))]
                ready: {tcp: 6379}
            roles: {among: [a, b], primary: {holds: "{{vip}}"}}
            redundancy: {host: standby, run: [\(Files.beside("twin")), status, --get, in_sync], equals: "1", every: 200ms}
            """ + "\n"
    }

    private static let scenario = """
        apiVersion: firedrill/v1
        kind: Scenario
        name: lose
        known_unsafe: the store was told to lose writes
        system: system.yaml
        retries: 2
        workloads:
          kv: {client: redis, address: "{{vip}}:6379", operation: ledger, rate: 200/s, timeout: 250ms}
        steady_state: {success_rate: ">= 99.9%", for: 2s}
        timeline:
          - {id: kill, at: 1s, fault: node.kill, host: primary, until: {event: stable, plus: 500ms, at_most: 20s}}
        observe: 15s
        expect:
          rpo_writes: "min >= 1"
        """ + "\n"
}

/// A program that runs to its end with its output in a file.
enum Subprogram {
    static func run(_ argv: [String], output: String) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var arguments: [UnsafeMutablePointer<CChar>?] = argv.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let failure = posix_spawn(&process, argv[0], &actions, nil, &arguments, environ)
        guard failure == 0 else {
            throw Failure(
                code: .capability, message: "\(argv[0]): \(String(cString: strerror(failure)))")
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { break }
        }
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }
}
