import DrillCore
import DrillScenario
import Glibc
import Testing

/// The files that come with the project, and those that the format's description shows.
@Suite struct ShippedFilesTests {
    static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    static func entries(_ folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    static let scenarios: [String] = entries("\(root)/scenarios").flatMap { system in
        entries("\(root)/scenarios/\(system)")
            .filter { $0.hasSuffix(".yaml") && $0 != "system.yaml" }
            .map { "scenarios/\(system)/\($0)" }
    }

    struct Unreadable: Error {}

    static func read(_ path: String) throws -> [UInt8] {
        guard let text = Golden.read("\(root)/\(path)") else { throw Unreadable() }
        return Array(text.utf8)
    }

    @Test func `there are scenarios`() {
        #expect(Self.scenarios.count >= 10)
    }

    @Test(arguments: scenarios)
    func `every scenario of the project is valid, and this version runs it`(
        path: String
    ) throws {
        let result = ScenarioLoader.load(
            path: path, readFile: Self.read, programExists: { _ in true })
        switch result {
        case .failure(let list): Issue.record("\(list.rendered)")
        case .success(let cells):
            for cell in cells {
                #expect(cell.capabilities == [])
                #expect(cell.warnings.map(\.rendered) == [])
                var run = Files(scenario: cell.scenarioYAML, system: cell.systemYAML)
                run.programs = Set(cell.system.requires.map(\.program))
                let again = try #require(try run.load().get().first)
                #expect(again.scenario == cell.scenario)
                #expect(again.system == cell.system)
                #expect(RunPlan(cell).steps.compactMap(\.problem) == [])
            }
        }
    }

    @Test func `the format's own examples are valid`() throws {
        let system = """
            apiVersion: firedrill/v1
            kind: System
            name: keepalived-nginx
            title: Two nginx hosts behind one virtual address (VRRP)
            lab: namespaces                          # namespaces | ssh | vm
            vars: {advert: 1s}                       # {{env.NAME}} is a secret
            requires: [{program: keepalived, package: keepalived}, {program: nginx, package: nginx-light}]
            networks:
              main: {subnet: 10.77.0.0/24, vips: [10.77.0.10]}      # first vip is {{vip}}
            hosts:
              a: {address: 10.77.0.11, vars: {priority: 150}}       # `addresses: {heartbeat: …}`
              b: {address: 10.77.0.12, vars: {priority: 100}}
              client: {address: 10.77.0.100}
            services:
              nginx:      {hosts: [a, b], files: {nginx.conf: templates/nginx.conf}, run: [nginx, -c, "{{dir}}/nginx.conf"], ready: {tcp: 80}}
              keepalived: {hosts: [a, b], after: [nginx], files: {keepalived.conf: templates/keepalived.conf}, run: [keepalived, -n, -l, -f, "{{dir}}/keepalived.conf"]}
            roles:
              among: [a, b]
              handover: 20ms
              primary: {holds: "{{vip}}"}
            redundancy: {host: standby, run: [pgrep, -c, keepalived], equals: "1", every: 200ms}
            switchover: {host: primary, run: [pkill, keepalived]}
            noticed: {service: keepalived, log: "Entering MASTER STATE"}
            promises: {lost_writes: some}
            predict: {rto: {formula: vrrp, advert: "{{advert}}", priority: priority}}
            limits: {ready: 30s, boot: 10s, steady: 60s, verify: 30s, timer: "{{advert}}"}

            """
        let scenario = """
            apiVersion: firedrill/v1
            kind: Scenario
            name: node-kill
            title: The active web host loses power
            system: system.yaml
            vars: {advert: 100ms}
            matrix: {advert: [1s, 300ms, 100ms]}
            trials: 5
            retries: 1
            environment:
              - {fault: link.delay, link: client<->*, delay: 25ms}     # each way
            workloads:
              web: {client: http, url: "http://{{vip}}/", rate: 500/s, arrival: constant, lanes: [fresh, kept], timeout: 250ms}
            steady_state: {success_rate: ">= 99.9%", for: 2s}
            stable: {for: 1s}
            timeline:
              - id: kill
                at: 3s
                jitter: 1s
                fault: node.kill
                host: primary
                until: {event: stable, plus: 5s, at_most: 60s}
              - {id: back, after: {event: kill.redundant, at_most: 120s}, do: switchover}
            observe: 30s
            expect:
              rto.kill: "max <= 5s"
              success_rate.during_fault: "min >= 40%"
              split_brain: never
            abort: ["success_rate < 1% for 20s"]

            """
        var files = Files(
            scenario: scenario, system: system,
            [
                "templates/nginx.conf": "x",
                "templates/keepalived.conf": "advert_int {{advert.seconds}}",
            ])
        files.programs = ["nginx", "keepalived"]
        #expect(files.complaints() == "")
        let cells = try files.load().get()
        #expect(
            cells.map { $0.system.limits.timer } == [
                .seconds(1), .milliseconds(300), .milliseconds(100),
            ])
        #expect(cells[0].capabilities == [])
        #expect(cells[0].scenario.environment.map(\.fault) == ["link.delay"])
    }
}
