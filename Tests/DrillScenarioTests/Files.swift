import DrillCore
import DrillScenario
import Glibc

/// A folder that exists only here.
struct Files {
    var contents: [String: [UInt8]]
    var programs: Set<String> = ["web"]
    var environment: [String: String] = [:]

    init(
        scenario: String = Files.scenario, system: String = Files.system,
        _ more: [String: String] = [:]
    ) {
        contents = ["s.yaml": Array(scenario.utf8), "system.yaml": Array(system.utf8)]
        contents["templates/web.conf"] = Array("listen {{address}};\n".utf8)
        for (path, text) in more { contents[path] = Array(text.utf8) }
    }

    struct Missing: Error, CustomStringConvertible { var description: String { "no such file" } }

    func read(_ path: String) throws -> [UInt8] {
        guard let bytes = contents[path] else { throw Missing() }
        return bytes
    }

    func load(
        set: [String: String] = [:], trials: Int? = nil
    ) -> Result<[ScenarioCell], DiagnosticList> {
        ScenarioLoader.load(
            path: "s.yaml", set: set, trials: trials, readFile: read,
            programExists: programs.contains, environment: environment)
    }

    /// Everything that is wrong, as a person reads it.
    func complaints(set: [String: String] = [:]) -> String {
        switch load(set: set) {
        case .success(let cells): cells.flatMap(\.warnings).map(\.rendered).joined(separator: "\n")
        case .failure(let list): list.rendered
        }
    }

    static let system = """
        apiVersion: firedrill/v1
        kind: System
        name: pair
        vars: {advert: 1s}
        requires: [{program: web, package: web-light}]
        networks:
          main: {subnet: 10.77.0.0/24, vips: [10.77.0.10]}
        hosts:
          a: {address: 10.77.0.11, vars: {priority: 150}}
          b: {address: 10.77.0.12, vars: {priority: 100}}
          client: {address: 10.77.0.100}
        services:
          web: {hosts: [a, b], files: {web.conf: templates/web.conf}, run: [web, "{{dir}}/web.conf"], ready: {tcp: 80}}
          vrrp: {hosts: [a, b], after: [web], run: [vrrp]}
        roles:
          among: [a, b]
          primary: {holds: "{{vip}}"}
        switchover: {host: primary, signal: {service: vrrp, name: TERM}}
        predict: {rto: {formula: vrrp, advert: "{{advert}}", priority: priority}}
        limits: {timer: "{{advert}}"}

        """

    static let scenario = """
        apiVersion: firedrill/v1
        kind: Scenario
        name: node-kill
        system: system.yaml
        trials: 5
        workloads:
          web: {client: http, url: "http://{{vip}}/", rate: 500/s, lanes: [fresh, kept], timeout: 250ms}
        steady_state: {success_rate: ">= 99.9%", for: 2s}
        stable: {for: 1s}
        timeline:
          - id: kill
            at: 3s
            fault: node.kill
            host: primary
            until: {event: stable, plus: 5s, at_most: 60s}
          - {id: back, after: {event: kill.healed, at_most: 120s}, do: switchover}
        observe: 30s
        expect:
          rto.kill: "max <= 5s"
          success_rate.during_fault: "min >= 40%"
        abort: ["success_rate < 1% for 20s"]

        """
}

extension String {
    /// With the only occurrence of a text replaced by another.
    func with(_ old: String, _ new: String) -> String {
        let parts = split(separator: old, omittingEmptySubsequences: false)
        precondition(parts.count >= 2, "'\(old)' is not in the text")
        return parts[0] + new + parts.dropFirst().joined(separator: old)
    }
}
