import DrillCore
import FoundationEssentials
import Testing

private func scenario(_ timeline: String, trials: Int = 1) -> String {
    """
    apiVersion: firedrill/v1
    kind: Scenario
    name: faults
    system: \(Programs.root)/scenarios/keepalived-nginx/system.yaml
    trials: \(trials)
    retries: 2
    workloads:
      web: {client: http, url: "http://{{vip}}/", rate: 200/s, timeout: 250ms}
    steady_state: {success_rate: ">= 99%", for: 1s}
    timeline:
    \(timeline)
    expect:
      success_rate.overall: "min >= 1%"
    """
}

struct FaultCase: CustomTestStringConvertible, Sendable {
    var step: String
    var heal: HealVerdict?
    /// Whether clients lose the service for a while.
    var outage: Bool
    var testDescription: String { step }

    /// Every fault of the catalog, as a user writes it.
    static let all = [
        FaultCase(step: "fault: node.kill, host: primary, for: 3s", heal: .restored, outage: true),
        FaultCase(step: "fault: node.pause, host: primary, for: 3s", heal: .restored, outage: true),
        FaultCase(step: "fault: node.reboot, host: primary, off: 1s", heal: nil, outage: true),
        FaultCase(
            step: "fault: process.kill, host: standby, service: nginx, for: 2s", heal: .restored,
            outage: false),
        FaultCase(
            step: "fault: process.pause, host: primary, service: nginx, for: 3s", heal: .restored,
            outage: true),
        FaultCase(
            step: "fault: process.restart, host: primary, service: keepalived", heal: nil,
            outage: true),
        FaultCase(
            step: "fault: process.signal, host: primary, service: nginx, signal: HUP", heal: nil,
            outage: false),
        FaultCase(step: "fault: link.down, host: primary, for: 3s", heal: .restored, outage: true),
        FaultCase(
            step: "fault: link.partition, link: \"a->b\", for: 3s", heal: .restored, outage: false),
    ]
}

@Suite(.serialized) struct FaultDrillTests {
    @Test(.timeLimit(.minutes(6)), arguments: FaultCase.all)
    func `every fault takes effect, is healed and leaves nothing`(fault: FaultCase) throws {
        let drill = try Drill(
            scenario("  - {id: it, at: 0s, jitter: 200ms, \(fault.step)}"),
            ["--set", "advert=100ms"])
        let status = drill.status(within: .seconds(120))
        let report = try drill.written()
        let run = try drill.run
        #expect([0, 1].contains(status), "\(drill.progress)")
        let step = try #require(report.trials.last?.steps.first)
        #expect(step.heal == fault.heal)
        #expect(step.proof?.proven != false, "\(String(describing: step.proof))")
        #expect(step.instants.t0Low != nil)
        if fault.step.contains("partition") {
            let witnesses = step.proof?.witnesses ?? []
            #expect(
                witnesses.contains { $0.contains("all traffic on a->b") && $0.contains(" cut") })
        }
        #expect((step.rto.value ?? 0 > 0) == fault.outage, "\(step.rto)")
        #expect(report.heal.leftBehind == [])
        #expect(try MachineTraces().remains(of: run) == [])
    }

    @Test(.timeLimit(.minutes(3)))
    func `a secret is in nothing that a run writes or says`() throws {
        let command = "run: [/bin/sh, -c, \"echo no {{env.TEST_PW}}; exit 1\"], undo: [/bin/true]"
        let drill = try Drill(
            scenario("  - {id: it, at: 0s, fault: command, host: standby, \(command), for: 1s}"),
            ["--set", "advert=100ms"], prefix: ["/usr/bin/env", "TEST_PW=hunter2hunter2"])
        #expect(drill.status(within: .seconds(100)) == 4, "\(drill.progress)")
        #expect(drill.progress.contains("ended with 1: no ***"))
        #expect(!drill.progress.contains("hunter2"))
        let found = try Programs.run(["/bin/grep", "-rl", "hunter2", drill.folder + "/run"])
        #expect(found.output == "")
        #expect(found.status == 1)
    }

    @Test(.timeLimit(.minutes(3)))
    func `a report can be made again from the exported CSV alone`() throws {
        let drill = try Drill(
            scenario("  - {id: it, at: 0s, fault: node.kill, host: primary, for: 2s}"),
            ["--set", "advert=100ms"])
        _ = drill.status(within: .seconds(100))
        let first = try drill.written()
        let folder = drill.folder + "/run"
        let exported = try Programs.run([try Programs.firedrill, "export", folder, "--csv"])
        #expect(exported.status == 0)
        for name in Programs.names(in: folder) where name.hasSuffix(".ops") {
            try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        let again = try Programs.run([try Programs.firedrill, "report", folder, "--json"])
        var second = try JSONLine.decode(RunReport.self, from: again.output)
        #expect(again.status == first.exitCode)
        // The evidence names other files; the findings are the same to the last digit.
        second.evidence = first.evidence
        #expect(second == first)
    }

    @Test(.timeLimit(.minutes(3)))
    func `a browser opens the report of a real run without a complaint`() throws {
        let drill = try Drill(
            scenario("  - {id: it, at: 0s, fault: node.kill, host: primary, for: 2s}"),
            ["--set", "advert=100ms"])
        _ = drill.status(within: .seconds(100))
        let page = drill.folder + "/run/report.html"
        // Chromium tells of console messages on standard error, which joins standard output here.
        let shown = try Programs.run(
            [
                "/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu",
                "--enable-logging=stderr", "--user-data-dir=\(drill.folder)/chromium",
                "--dump-dom", "file://\(page)",
            ], withErrors: true, within: .seconds(60))
        #expect(shown.output.contains("</html>"))
        #expect(!shown.output.contains("CONSOLE"), "\(shown.output.suffix(2000))")
    }
}
