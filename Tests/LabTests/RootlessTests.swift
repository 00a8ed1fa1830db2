import DrillCore
import FoundationEssentials
import Glibc
import Testing

/// The programs and a system where a user without privileges can read them, and a folder that is his.
private struct OrdinaryPlace {
    static let user = 65534
    let folder: String
    var run: String { folder + "/home/run" }

    init() throws {
        folder = "/var/tmp/drill-test-\(UInt64.random(in: 0..<UInt64.max))"
        let programs = try ["firedrill", "firedrill-agent", "firedrill-load"].map {
            String(try Programs.agent.dropLast("firedrill-agent".count)) + $0
        }
        for arguments in [
            ["/bin/mkdir", "-p", folder + "/home"], ["/bin/cp"] + programs + [folder],
            ["/bin/cp", "-r", Programs.root + "/scenarios/keepalived-nginx", folder + "/system"],
            ["/bin/chmod", "-R", "a+rX", folder],
            ["/bin/chown", "\(Self.user):\(Self.user)", folder + "/home"],
        ] { try #require(try Programs.run(arguments).status == 0, "\(arguments)") }
    }

    func remove() { _ = try? Programs.run(["/bin/rm", "-rf", folder]) }

    /// As that user, with nothing of root's.
    func firedrill(
        _ arguments: [String], before: String = "", within limit: Duration
    ) throws -> (output: String, status: Int32) {
        let words =
            [
                "setpriv", "--reuid", "\(Self.user)", "--regid", "\(Self.user)", "--clear-groups",
                "--no-new-privs", folder + "/firedrill",
            ] + arguments
        return try Programs.run(
            [
                "/usr/bin/unshare", "--mount", "/bin/sh", "-c",
                "cd \(folder)/home && \(before) exec \(words.joined(separator: " "))",
            ], withErrors: true, within: limit)
    }

    func scenario(_ step: String) throws -> String {
        let text = """
            apiVersion: firedrill/v1
            kind: Scenario
            name: ordinary
            system: \(folder)/system/system.yaml
            workloads:
              web: {client: http, url: "http://{{vip}}/", rate: 200/s, timeout: 250ms}
            steady_state: {success_rate: ">= 99%", for: 1s}
            timeline:
              - {id: it, at: 0s, \(step)}
            expect:
              success_rate.overall: "min >= 1%"
            """
        let path = folder + "/scenario.yaml"
        try Data(text.utf8).write(to: URL(filePath: path))
        chmod(path, 0o644)
        return path
    }

    /// What a run of his has left: processes and folders.
    func remains(of run: String) -> [String] {
        var left = ["/tmp/firedrill-\(Self.user)", "/run/user/\(Self.user)/firedrill"].flatMap {
            folder in
            Programs.names(in: folder).filter { $0.contains(run) }.map { "\(folder)/\($0)" }
        }
        for pid in Programs.names(in: "/proc").compactMap({ pid_t($0) }) {
            let environment = (try? Programs.text("/proc/\(pid)/environ")) ?? ""
            if environment.contains("FIREDRILL_RUN=\(run)") { left.append("process \(pid)") }
        }
        return left
    }

    static var hasNetem: Bool {
        let doctor = try? Programs.run([try Programs.agent, "doctor"])
        return doctor?.output.contains("ok       netem") ?? false
    }
}

@Suite(.serialized) struct RootlessTests {
    /// nginx writes over its environment: a place that was known by that would lose it.
    @Test(
        .timeLimit(.minutes(6)),
        arguments: [
            "fault: node.kill, host: primary, for: 2s",
            "fault: node.pause, host: primary, for: 2s",
            "fault: process.pause, host: primary, service: nginx, for: 2s",
            "fault: process.kill, host: primary, service: nginx, for: 2s",
        ])
    func `an ordinary user's drill takes effect, is healed and leaves nothing`(step: String) throws
    {
        let place = try OrdinaryPlace()
        defer { place.remove() }
        let path = try place.scenario(step)
        var ended = (output: "", status: Int32(2))
        // Where the machine is too busy to measure on, once more.
        for _ in 0..<3 where ended.status == 2 {
            _ = try Programs.run(["/bin/rm", "-rf", place.run])
            ended = try place.firedrill(
                ["run", path, "--set", "advert=100ms", "--out", place.run], within: .seconds(100))
        }
        for limit in ["no cgroup v2 is delegated", "no real-time priority"] {
            #expect(ended.output.contains(limit), "\(ended.output)")
        }
        // A host that wakes up believes for a moment that it is primary still: that is the system's harm, and found.
        let isHarmful = step.contains("node.pause")
        try #require(
            ended.status == 0 || ended.status == 1 && isHarmful,
            "exit \(ended.status)\n\(ended.output)")
        let report = try JSONLine.decode(
            RunReport.self, from: try Programs.text(place.run + "/report.json"))
        let found = try #require(report.trials.last?.steps.first)
        #expect(report.verdict == .pass || isHarmful && ended.output.contains("SPLIT BRAIN"))
        #expect(found.heal == .restored)
        #expect(found.proof?.proven != false, "\(String(describing: found.proof))")
        #expect((found.rto.value ?? 0) > 0, "\(found.rto)")
        #expect(report.heal.leftBehind == [])
        usleep(200_000)
        #expect(place.remains(of: report.run.id) == [])
    }

    @Test(.timeLimit(.minutes(2)))
    func `what a link's fault lacks is said with its remedy before anything starts`() throws {
        let place = try OrdinaryPlace()
        defer { place.remove() }
        let path = try place.scenario("fault: link.delay, link: \"a<->b\", delay: 20ms, for: 2s")
        let ended = try place.firedrill(
            ["run", path, "--out", place.run],
            // In a mount namespace of this command: a device that only root may open.
            before: """
                touch ../tun && chmod 0600 ../tun && mount --bind ../tun /dev/net/tun &&
                """, within: .seconds(100))
        guard !OrdinaryPlace.hasNetem else {
            // netem needs no device: nothing is lacking.
            #expect([0, 1, 2].contains(ended.status), "\(ended.output)")
            return
        }
        #expect(ended.status == 4, "\(ended.output)")
        #expect(ended.output.contains("step it (link.delay): "), "\(ended.output)")
        #expect(ended.output.contains("chmod 0666 /dev/net/tun"), "\(ended.output)")
        #expect(!ended.output.contains("starting nginx"))
    }
}
