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
