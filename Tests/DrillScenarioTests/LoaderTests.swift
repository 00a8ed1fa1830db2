import DrillCore
import DrillScenario
import Testing

@Suite struct LoaderTests {
    @Test func `a whole scenario is read as it is written`() throws {
        let cells = try Files().load().get()
        try #require(cells.count == 1)
        let scenario = cells[0].scenario
        #expect(scenario.name == "node-kill")
        #expect(scenario.trials == 5)
        #expect(scenario.workloads.count == 1)
        let web = scenario.workloads[0]
        #expect(web.parameters == ["url": "http://10.77.0.10/", "close": "rst"])
        #expect(web.rate == 500)
        #expect(web.lanes == [.fresh, .kept])
        #expect(web.timeout == .milliseconds(250))
        #expect(web.connections == 138)
        #expect(scenario.steadyState.successRate == 0.999)
        #expect(scenario.timeline.map(\.id) == ["kill", "back"])
        #expect(scenario.timeline[0].jitter == .seconds(1))
        #expect(scenario.timeline[1].jitter == .zero)
        #expect(
            scenario.timeline[0].end
                == .event(
                    EventReference(step: "kill", event: .stable), plus: .seconds(5),
                    atMost: .seconds(60)))
        #expect(scenario.timeline[1].end == .none)
        #expect(
            scenario.expectations.map(\.metric) == [
                "rto", "success_rate.during_fault", "split_brain",
            ])
        #expect(scenario.expectations[0].condition == .threshold(.max, .lessOrEqual, 5000))
        #expect(scenario.expectations[0].step == "kill")
        #expect(scenario.expectations[1].condition == .threshold(.min, .greaterOrEqual, 0.4))
        #expect(scenario.expectations[2].implied)
        #expect(cells[0].capabilities.isEmpty)
        #expect(cells[0].warnings.isEmpty)
    }

    @Test func `what only a plan refuses is read all the same when the run is over`() throws {
        let files = Files(scenario: Files.scenario.replacing("max <= 5s", with: "max <= 5ms"))
        func load(_ isPlanned: Bool) -> Result<[ScenarioCell], DiagnosticList> {
            ScenarioLoader.load(
                path: "s.yaml", options: .init(isPlanned: isPlanned), readFile: files.read)
        }
        #expect(throws: DiagnosticList.self) { try load(true).get() }
        #expect(try load(false).get().count == 1)
    }

    @Test func `a system's templates, commands and prediction are those of each host`() throws {
        let system = try Files().load().get()[0].system
        let web = try #require(system.service("web"))
        #expect(web.instances["a"]?.files == ["web.conf": "listen 10.77.0.11;\n"])
        #expect(web.instances["b"]?.run == ["web", "/run/firedrill/web/web.conf"])
        #expect(system.services.map(\.name) == ["web", "vrrp"])
        #expect(system.roles?.primary == .holds(address: "10.77.0.10"))
        #expect(system.host("b")?.vars["priority"] == "100")
        #expect(system.host("b")?.vars["peer.address"] == "10.77.0.11")
        #expect(system.limits.timer == .seconds(1))
    }

    @Test func `RFC 5798 gives 2609.4 to 3609.4 ms for advert 1 s and priority 100`() throws {
        let prediction = try #require(try Files().load().get()[0].system.prediction)
        let range = try #require(prediction.rtoBySurvivor["b"])
        #expect(abs(range.lowerBound - 2609.375) < 1e-9)
        #expect(abs(range.upperBound - 3609.375) < 1e-9)
        #expect(prediction.source == "RFC 5798")
    }

    @Test(
        arguments: [
            ("formula: twin, heartbeat: 10ms, detect: 35ms", 25, 60),
            ("formula: etcd, heartbeat: 100ms, election: 1s", 900, 2200),
            ("formula: sentinel, down_after: 1s", 1000, 5000),
            ("formula: sentinel, down_after: 300ms", 300, 3600),
            (
                "formula: pg_auto_failover, unhealthy_after: 1500ms, health_period: 500ms, health_timeout: 500ms, health_retry_delay: 200ms, demote_timeout: 3s, retries: retries",
                3700, 7200
            ),
            // pg_auto_failover's own timers.
            (
                "formula: pg_auto_failover, unhealthy_after: 20s, health_period: 5s, health_timeout: 5s, health_retry_delay: 2s, demote_timeout: 30s, retries: own_retries",
                49_000, 56_500
            ),
            ("formula: patroni, ttl: 30s, loop_wait: 10s, election: 1s", 20_000, 45_000),
            (
                "formula: vrrp_promotion, advert: 1s, priority: survivors, promotion: 2s",
                2250, 5250
            ),
        ] as [(String, Double, Double)])
    func `a formula gives the range that its timers add up to`(
        text: String, low: Double, high: Double
    ) throws {
        let system = Files.system.with(
            "formula: vrrp, advert: \"{{advert}}\", priority: priority", text
        ).with(
            "vars: {advert: 1s}",
            "vars: {advert: 1s, retries: 1, own_retries: 2, survivors: 192}")
        let prediction = try #require(
            try Files(system: system).load().get()[0].system.prediction)
        let range = try #require(prediction.rtoBySurvivor["b"])
        #expect(range.lowerBound == low)
        #expect(range.upperBound == high)
    }

    @Test func `a variable is that of the system, the scenario, the matrix, then --set`() throws {
        func timer(_ scenario: String, _ set: [String: String] = [:]) throws -> [String] {
            try Files(scenario: scenario).load(set: set).get().map {
                $0.system.limits.timer.spelled
            }
        }
        let vars = Files.scenario + "vars: {advert: 200ms}\n"
        let matrix = vars + "matrix: {advert: [300ms, 400ms]}\n"
        #expect(try timer(Files.scenario) == ["1s"])
        #expect(try timer(vars) == ["200ms"])
        #expect(try timer(matrix) == ["300ms", "400ms"])
        #expect(try timer(matrix, ["advert": "500ms"]) == ["500ms"])
    }

    @Test func `a matrix is a cross product in a stable order`() throws {
        let scenario = Files.scenario + "matrix: {advert: [1s, 2s], load: [x, y]}\n"
        let cells = try Files(scenario: scenario).load().get()
        #expect(
            cells.map(\.scenario.cell) == [
                ["advert": "1s", "load": "x"], ["advert": "1s", "load": "y"],
                ["advert": "2s", "load": "x"], ["advert": "2s", "load": "y"],
            ])
    }

    @Test func `a resolved cell reads back as the same values without templates or variables`()
        throws
    {
        let system = Files.system.with(
            "{hosts: [a, b], after: [web]",
            "{env: {P: \"{{peer.address}} {{a.priority}} {{advert.seconds}} {{{{x\"}, hosts: [a, b], after: [web]"
        )
        let scenario = Files.scenario + "vars: {advert: 200ms}\nmatrix: {advert: [300ms, 400ms]}\n"
        let template = "a: {{address}}\n\n  b \"{{advert.seconds}}\" {{{{ }}\n"
        let files = Files(scenario: scenario, system: system, ["templates/web.conf": template])
        for cell in try files.load(set: [:], trials: 7).get() {
            var run = Files(scenario: cell.scenarioYAML, system: cell.systemYAML)
            run.contents["templates/web.conf"] = nil
            let again = try #require(try run.load().get().first)
            #expect(again.scenario == cell.scenario)
            #expect(again.system == cell.system)
            #expect(again.scenarioYAML == cell.scenarioYAML)
            #expect(again.systemYAML == cell.systemYAML)
            #expect(cell.scenario.trials == 7)
        }
    }

    @Test func `secrets reach the services and never the resolved files`() throws {
        let system = Files.system.with(
            "{hosts: [a, b], after: [web]",
            "{env: {PW: \"x{{env.DB_PASSWORD}}\"}, hosts: [a, b], after: [web]")
        var files = Files(system: system, ["templates/web.conf": "password {{env.DB_PASSWORD}}\n"])
        files.environment = ["DB_PASSWORD": "hunter2"]
        let cell = try files.load().get()[0]
        #expect(cell.system.service("vrrp")?.instances["a"]?.environment == ["PW": "xhunter2"])
        #expect(
            cell.system.service("web")?.instances["a"]?.files["web.conf"] == "password hunter2\n")
        #expect(!cell.systemYAML.contains("hunter2"))
        #expect(cell.systemYAML.contains("x***"))
        #expect(cell.systemYAML.contains("password ***"))
        #expect(cell.secrets == ["hunter2"])

        files.contents["s.yaml"] = Array(
            Files.scenario.with("observe: 30s", "observe: \"{{env.DB_PASSWORD}}\"").utf8)
        #expect(files.complaints().contains("'observe' must be a duration, not '***'"))
    }

    @Test func `a run with a secret in its workload can be read again`() throws {
        var files = Files(
            scenario: Files.scenario.with("\"http://{{vip}}/\"", "\"{{env.TARGET}}\""))
        files.environment = ["TARGET": "http://10.77.0.10/"]
        let cell = try files.load().get()[0]
        #expect(cell.masked("GET http://10.77.0.10/ failed") == "GET *** failed")
        let again = ScenarioLoader.load(
            path: "s.yaml", system: "system.yaml",
            options: .init(templatesRequired: false, isPlanned: false),
            readFile: Files(scenario: cell.scenarioYAML, system: cell.systemYAML).read)
        #expect(try again.get()[0].scenario.workloads[0].parameters["url"] == "***")
    }

    @Test func `a program that is missing is this machine's lack, not the file's`() throws {
        var files = Files()
        files.programs = []
        #expect(
            try files.load().get()[0].capabilities == [
                "program 'web' is not installed; on Debian: apt-get install web-light"
            ])
    }

    @Test func `variables of variables of variables cost little`() {
        let many = String(repeating: "{{h}}", count: 800)
        let system = Files.system.with(
            "vars: {advert: 1s}",
            "vars: {advert: 1s, h: \"\", g: \"\(many)\", f: \"\(many.replacing("h", with: "g"))\", e: \"\(many.replacing("h", with: "f"))\"}"
        )
        let files = Files(system: system, ["templates/web.conf": "{{e}}"])
        #expect(files.complaints().contains("uses variables of variables too deeply"))
    }

    @Test func `a file with thousands of mistakes tells the first of them`() {
        let keys = (0..<20_000).map { "k\($0): 1" }.joined(separator: ", ")
        guard case .failure(let list) = Files(scenario: "{\(keys)}").load() else {
            Issue.record("nothing is wrong")
            return
        }
        #expect(list.diagnostics.count == 200)
    }

    @Test func `on, yes and 1:30 stay texts`() throws {
        let system = Files.system.with(
            "vars: {advert: 1s}", "vars: {advert: 1s, x: on, y: yes, z: 1:30, n: ~, h: 0x10}")
        let files = Files(system: system, ["templates/web.conf": "{{x}} {{y}} {{z}} {{n}} {{h}}"])
        let text = try files.load().get()[0].system.service("web")?.instances["a"]?.files[
            "web.conf"]
        #expect(text == "on yes 1:30 ~ 0x10")
    }

    @Test func `parts that come later are valid and named`() throws {
        let system = Files.system.with("name: pair", "name: pair\nlab: ssh")
            .with("a: {address", "a: {ssh: root@h, power: {sysrq: true}, address")
            .with("run: [vrrp]}", "unit: vrrp.service}")
            .with(
                "{holds: \"{{vip}}\"}",
                "{query: {client: postgres, sql: select 1, equals: t}, every: 50ms}")
        let cell = try Files(system: system).load().get()[0]
        #expect(
            cell.capabilities == [
                "hosts.a.ssh: ssh hosts come later",
                "hosts.a.power is for ssh hosts, which come later",
                "lab: ssh comes later; this version runs namespaces",
                "service 'vrrp': 'unit' comes later; this version starts services by 'run'",
            ])
    }

    static let registers: [(workload: String, expect: String, complaint: String)] = [
        (
            "http, url: \"http://{{vip}}/\", operation: register", "linearizable: always",
            "error: client http has no operation register"
        ),
        (
            "http, url: \"http://{{vip}}/\"", "linearizable: always",
            "error: 'linearizable' needs a workload with operation: register"
        ),
        (
            "redis, address: \"{{vip}}:6379\", operation: register", "linearizable: never",
            "error: 'linearizable' cannot be 'never'"
        ),
        (
            "redis, address: \"{{vip}}:6379\", operation: register", "stale_reads: never",
            "error: 'never' is no threshold of 'stale_reads'"
        ),
    ]

    @Test(arguments: registers)
    func `registers need a client that has them, and words of their own`(
        workload: String, expect: String, complaint: String
    ) {
        let scenario = Files.scenario.with("http, url: \"http://{{vip}}/\"", workload)
            .with("  success_rate.during_fault: \"min >= 40%\"", "  \(expect)")
        let said = Files(scenario: scenario).complaints()
        #expect(said.contains(complaint), "\(said)")
    }

    @Test func `whoever uses registers expects that they behave as one`() throws {
        func conditions(_ line: String) throws -> [DrillCore.Expectation] {
            let scenario = Files.scenario.with(
                "http, url: \"http://{{vip}}/\"",
                "redis, address: \"{{vip}}:6379\", operation: register"
            ).with("  success_rate.during_fault: \"min >= 40%\"", line)
            let cell = try Files(scenario: scenario).load().get()[0]
            return cell.scenario.expectations.filter { $0.metric == "linearizable" }
        }
        let implied = try conditions("")
        #expect(implied.map(\.condition) == [.never])
        #expect(implied.map(\.implied) == [true])
        #expect(try conditions("  linearizable: violated").map(\.condition) == [.seen])
        #expect(try conditions("  stale_reads: \"max <= 3\"") == [])
    }

    @Test func `a starter is valid for its system`() throws {
        let system = try ScenarioLoader.loadSystem(
            path: "system.yaml", options: .init(), readFile: Files().read
        ).get()
        let text = Starter.scenario(name: "mine", system: system, systemPath: "system.yaml")
        let files = Files(scenario: text)
        #expect(files.complaints() == "")
        #expect(try files.load().get().count == 1)
    }

    static let durations: [(String, Duration?)] = [
        ("250ms", .milliseconds(250)), ("1.5s", .milliseconds(1500)), ("2m", .seconds(120)),
        ("1h", .seconds(3600)), ("7us", .microseconds(7)), ("9ns", .nanoseconds(9)),
        ("0.1s", .milliseconds(100)),
        ("", nil), ("5", nil), ("5 s", nil), ("-5s", nil), (".5s", nil), ("5.s", nil),
        ("1e3s", nil), ("5S", nil),
        ("1:30", nil), ("99999999999999999h", nil),
    ]

    @Test(arguments: durations)
    func `a duration has a number and a unit`(text: String, expected: Duration?) {
        let scenario = Files.scenario.with("observe: 30s", "observe: \"\(text)\"")
            .with("abort: [\"success_rate < 1% for 20s\"]", "abort: []")
        let observe = try? Files(scenario: scenario).load().get()[0].scenario.observe
        #expect(observe == expected)
    }
}
