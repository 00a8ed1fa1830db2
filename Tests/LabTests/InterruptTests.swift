import DrillCore
import Glibc
import Testing

private let scenario = """
    apiVersion: firedrill/v1
    kind: Scenario
    name: interrupted
    system: \(Programs.root)/scenarios/keepalived-nginx/system.yaml
    workloads:
      web: {client: http, url: "http://{{vip}}/", rate: 200/s, timeout: 250ms}
    timeline:
      - {id: kill, at: 1s, jitter: 1s, fault: node.kill, host: primary, for: 4s}
    """

struct Interruption: CustomTestStringConvertible, Sendable {
    var phase: String
    var signal: Int32
    var status: Int32
    var testDescription: String { "signal \(signal) when \(phase)" }

    static let all = [
        "building", "starting keepalived", "steady state", "observing", "steady state again",
    ]
    .flatMap { phase in
        [(SIGINT, Int32(130)), (SIGTERM, 143), (SIGKILL, 128 + SIGKILL)].map {
            Interruption(phase: phase, signal: $0.0, status: $0.1)
        }
    }
}

@Suite(.serialized) struct InterruptTests {
    @Test(.timeLimit(.minutes(2)))
    func `a lab that is kept outlives its run, takes a shell, and is healed`() throws {
        let drill = try Drill(scenario, ["--set", "advert=100ms", "--keep-lab"])
        #expect(drill.reaches("observing", within: .seconds(40)), "\(drill.progress)")
        let run = try drill.run
        var traces = MachineTraces()
        traces.collect(run: run, supervisor: try #require(drill.supervisor))
        // Inconclusive where the machine lets nothing be said: the lab is kept all the same.
        let status = drill.status(within: .seconds(40))
        #expect(status == 0 || status == 2, "\(drill.progress)")
        let firedrill = try Programs.firedrill
        let inside = try Programs.run([
            firedrill, "shell", "b", "--run", run.rawValue, "--", "/bin/sh", "-c",
            "hostname; exit 9",
        ])
        #expect(inside.output == "b\n")
        #expect(inside.status == 9)
        let systems = Programs.root + "/scenarios"
        let others = try Programs.run([firedrill, "heal", "\(systems)/twin/system.yaml"])
        #expect(others.output == "" && others.status == 0)
        let healed = try Programs.run([
            firedrill, "heal", "\(systems)/keepalived-nginx/system.yaml",
        ])
        #expect(healed.output == "run \(run): kept lab ended\n")
        #expect(try traces.remains(of: run) == [])
    }

    /// What ends by another's hand is neither the system's failure nor a pass, and the controller cleans up after it.
    @Test(.timeLimit(.minutes(2)), arguments: ["lab", "host-init b", "firedrill-load"])
    func `nothing is left after the death of one of our own programs`(victim: String) throws {
        let drill = try Drill(scenario, ["--set", "advert=100ms"])
        #expect(drill.reaches("observing", within: .seconds(40)), "\(drill.progress)")
        let run = try drill.run
        let supervisor = try #require(drill.supervisor)
        var traces = MachineTraces()
        traces.collect(run: run, supervisor: supervisor)
        let pid = try #require(
            traces.processes.first { pid in
                let words = ((try? Programs.text("/proc/\(pid)/cmdline")) ?? "")
                    .split(separator: "\0").joined(separator: " ")
                return words.hasSuffix("firedrill-agent \(victim)")
                    || words.hasPrefix("firedrill-agent \(victim) ") || words == victim
            })
        kill(pid, SIGKILL)
        let report = try drill.report(within: .seconds(40), expecting: 4)
        #expect(report.verdict == .inconclusive)
        #expect(report.heal.leftBehind == [])
        #expect(try traces.remains(of: run) == [])
    }

    @Test(.timeLimit(.minutes(2)), arguments: Interruption.all)
    func `nothing is left after a signal in any phase`(interruption: Interruption) throws {
        let drill = try Drill(scenario, ["--set", "advert=100ms"])
        #expect(drill.reaches(interruption.phase, within: .seconds(40)), "\(drill.progress)")
        let run = try drill.run
        var traces = MachineTraces()
        if let supervisor = drill.supervisor { traces.collect(run: run, supervisor: supervisor) }
        drill.signal(interruption.signal)
        #expect(drill.status(within: .seconds(25)) == interruption.status)
        let left = try traces.remains(of: run)
        #expect(left == [])
    }
}
