import DrillCore
import DrillScenario
import Testing

/// Every mistake once: the exact texts are in `Golden/diagnostics.txt`.
@Suite struct DiagnosticTests {
    struct Case {
        var name: String
        var files: Files
        var set: [String: String] = [:]
    }

    private static func scenario(_ name: String, _ old: String, _ new: String) -> Case {
        Case(name: name, files: Files(scenario: Files.scenario.with(old, new)))
    }

    private static func system(_ name: String, _ old: String, _ new: String) -> Case {
        Case(name: name, files: Files(system: Files.system.with(old, new)))
    }

    /// The scenario with another timeline (and without what refers to the old one).
    private static func timeline(_ name: String, _ steps: String, system: String = Files.system)
        -> Case
    {
        let parts = Files.scenario.split(separator: "timeline:\n")
        let head = String(parts[0])
        return Case(
            name: name, files: Files(scenario: head + "timeline:\n" + steps + "\n", system: system))
    }

    private static func expect(_ name: String, _ line: String, system: String = Files.system)
        -> Case
    {
        Case(
            name: name,
            files: Files(
                scenario: Files.scenario.with("  rto.kill: \"max <= 5s\"", "  \(line)"),
                system: system))
    }

    private static let noRoles = Files.system
        .with("roles:\n  among: [a, b]\n  primary: {holds: \"{{vip}}\"}\n", "")
        .with("host: primary, signal", "host: a, signal")

    static let words: [Case] = [
        scenario("an unknown key with a near word", "observe: 30s", "obsreve: 30s"),
        scenario("an unknown key with none", "observe: 30s", "zzz: 30s"),
        scenario("an unknown key in a workload", "rate: 500/s", "rate: 500/s, retrys: 3"),
        scenario("a missing key", "name: node-kill\n", ""),
        scenario("a scenario that is a list", Files.scenario, "- a\n- b\n"),
        scenario("an empty file", Files.scenario, ""),
        scenario("a system file in place of a scenario", Files.scenario, Files.system),
        scenario("a wrong version", "firedrill/v1", "firedrill/v2"),
        scenario("an unknown fault", "node.kill", "node.kil"),
        scenario("an unknown client", "client: http", "client: htp"),
        scenario("an unknown host", "host: primary", "host: primry"),
        scenario("an unknown lane", "[fresh, kept]", "[fresh, keep]"),
        scenario("an unknown arrival", "rate: 500/s", "rate: 500/s, arrival: poison"),
        scenario("an undeclared variable", "{{vip}}", "{{vpi}}"),
        Case(name: "an undeclared variable in --set", files: Files(), set: ["advrt": "1s"]),
        system("an undeclared host in a service", "vrrp: {hosts: [a, b]", "vrrp: {hosts: [a, c]"),
        system("an undeclared service in after", "after: [web]", "after: [wbe]"),
        system("a role without what defines it", "primary: {holds: \"{{vip}}\"}", "handover: 20ms"),
        system("a reserved variable", "vars: {advert: 1s}", "vars: {advert: 1s, host: x}"),
        system("an unknown formula", "formula: vrrp", "formula: vrpp"),
        system("a formula's variable that a host lacks", "priority: priority", "priority: prio"),
        system("a formula without an answer", "vars: {priority: 100}", "vars: {priority: 300}"),
    ]

    static let values: [Case] = [
        scenario("a duration without a unit", "observe: 30s", "observe: 30"),
        scenario("a rate without a unit", "rate: 500/s", "rate: 500"),
        scenario("a share without a unit", "min >= 40%", "min >= 0.4"),
        scenario("a steady state without a unit", ">= 99.9%", ">= 99.9"),
        scenario("a time-out without a unit", "timeout: 250ms", "timeout: 250"),
        scenario("an abort without a unit", "< 1% for 20s", "< 1 for 20s"),
        scenario("a list where a text belongs", "observe: 30s", "observe: [30s]"),
        scenario("a mapping where a list belongs", "lanes: [fresh, kept]", "lanes: {fresh: 1}"),
        scenario("nothing where a text belongs", "observe: 30s", "observe:"),
        scenario("a truth value of YAML 1.1", "at: 3s", "at: 3s\n    measure: yes"),
        scenario("trials that are no number", "trials: 5", "trials: five"),
        scenario("a URL with a name in it", "http://{{vip}}/", "http://web.example/"),
        scenario("a URL of nobody", "http://{{vip}}/", "http://10.77.0.77/"),
        system("a command that is a text", "run: [vrrp]", "run: vrrp -c {{dir}}/x"),
        system(
            "an address outside its subnet", "a: {address: 10.77.0.11", "a: {address: 10.78.0.11"),
        system("a vip outside its subnet", "vips: [10.77.0.10]", "vips: [10.76.0.10]"),
        system("an address twice", "b: {address: 10.77.0.12", "b: {address: 10.77.0.11"),
        system(
            "a host with the vip's address", "b: {address: 10.77.0.12", "b: {address: 10.77.0.10"),
        system("no address at all", "b: {address: 10.77.0.12", "b: {address: ten"),
        system("a subnet with bits beyond its prefix", "10.77.0.0/24", "10.77.0.1/24"),
        system("a missing template", "templates/web.conf", "templates/wbe.conf"),
        system(
            "services that wait for each other", "web: {hosts: [a, b]",
            "web: {after: [vrrp], hosts: [a, b]"),
        system("a primary that holds no vip", "\"{{vip}}\"}", "10.77.0.9}"),
    ]

    static let yaml: [Case] = [
        scenario("duplicate keys", "observe: 30s", "observe: 30s\ntrials: 6\nname: other"),
        scenario("a duplicate key in a flow mapping", "rate: 500/s", "rate: 500/s, rate: 600/s"),
        scenario("an unquoted variable", "\"http://{{vip}}/\"", "http://{{vip}}/"),
        system(
            "an unquoted variable that begins a value", "timer: \"{{advert}}\"", "timer: {{advert}}"
        ),
        timeline("an unquoted star", "  - {fault: link.partition, link: *->a, for: 8s}"),
        scenario("an anchor and an alias", "observe: 30s", "title: &x hello\nobserve: *x"),
        scenario("a tag", "observe: 30s", "observe: !!str 30s"),
        scenario("a tab", "    at: 3s", "\tat: 3s"),
        scenario("a control character", "observe: 30s", "observe: 3\u{7}0s"),
        scenario("a bracket that never closes", "[fresh, kept]", "[fresh, kept"),
        scenario("a wrong indentation", "trials: 5", "  trials: 5"),
        scenario("a second document", "observe: 30s", "observe: 30s\n---\na: b"),
        scenario("deep nesting", "observe: 30s", "observe: " + String(repeating: "[", count: 5000)),
        scenario(
            "deep nesting by dashes", "observe: 30s",
            "observe:\n" + String(repeating: "- ", count: 5000) + "x"),
    ]

    static let steps: [Case] = [
        timeline(
            "steps without ids",
            "  - {fault: node.kill, host: a, for: 8s}\n  - {fault: node.kill, host: b, at: 9s, for: 8s}"
        ),
        timeline("neither for nor until", "  - {fault: node.kill, host: a}"),
        timeline("both for and until", "  - {fault: node.kill, host: a, for: 8s, until: end}"),
        timeline(
            "until for what heals nothing",
            "  - {fault: process.signal, host: a, service: web, signal: HUP, until: end}"),
        timeline("for with a switchover", "  - {do: switchover, for: 8s}"),
        timeline("both fault and do", "  - {do: switchover, fault: node.kill, host: a, for: 8s}"),
        timeline("a link for link.down", "  - {fault: link.down, link: \"a->b\", for: 8s}"),
        timeline("a host for a link fault", "  - {fault: link.partition, host: a, for: 8s}"),
        timeline("a link without an arrow", "  - {fault: link.partition, link: a-b, for: 8s}"),
        timeline("an arrow the wrong way", "  - {fault: link.partition, link: \"a<-b\", for: 8s}"),
        timeline("a link to itself", "  - {fault: link.partition, link: \"a<->a\", for: 8s}"),
        timeline(
            "an unknown signal", "  - {fault: process.signal, host: a, service: web, signal: TREM}"),
        timeline("an unknown service", "  - {fault: process.kill, host: a, service: wbe, for: 8s}"),
        timeline(
            "a service that is not on the host",
            "  - {fault: process.kill, host: client, service: web, for: 8s}"),
        timeline("a fault without its service", "  - {fault: process.kill, host: a, for: 8s}"),
        timeline(
            "a network for a fault without one",
            "  - {fault: node.kill, host: a, network: main, for: 8s}"),
        timeline(
            "steps that wait for each other",
            "  - {id: x, fault: node.kill, host: a, after: {event: y.stable}, for: 8s}\n  - {id: y, fault: node.kill, host: b, after: {event: x.stable}, for: 8s}"
        ),
        timeline(
            "an unknown step",
            "  - {id: x, fault: node.kill, host: a, for: 8s}\n  - {id: y, fault: node.kill, host: b, after: {event: z.stable}, for: 8s}"
        ),
        timeline(
            "an event without its step",
            "  - {id: x, fault: node.kill, host: a, for: 8s}\n  - {id: y, fault: node.kill, host: b, after: {event: stable}, for: 8s}"
        ),
        timeline("an unknown event", "  - {fault: node.kill, host: a, until: {event: stabel}}"),
        timeline(
            "redundant without a probe",
            "  - {fault: node.kill, host: a, until: {event: redundant}}"),
        timeline(
            "a step that waits for its own heal",
            "  - {fault: node.kill, host: a, until: {event: healed}}"),
        timeline(
            "healed of what heals nothing",
            "  - {id: x, do: switchover}\n  - {id: y, do: switchover, after: {event: x.healed}}"),
        timeline("an id with a dot", "  - {id: a.b, fault: node.kill, host: a, for: 8s}"),
        timeline("an id that is a metric", "  - {id: rto, fault: node.kill, host: a, for: 8s}"),
        timeline(
            "an id twice",
            "  - {id: x, fault: node.kill, host: a, for: 8s}\n  - {id: x, fault: node.kill, host: b, for: 8s}"
        ),
        timeline(
            "a role without roles", "  - {fault: node.kill, host: primary, for: 8s}",
            system: noRoles),
        timeline(
            "a jitter below the system's timer",
            "  - {fault: node.kill, host: a, jitter: 100ms, for: 8s}"),
        timeline(
            "traffic of a host fault", "  - {fault: node.kill, host: a, traffic: vrrp, for: 8s}"),
        timeline(
            "traffic that is none",
            "  - {fault: link.partition, link: \"a->b\", traffic: tcp/99999, for: 8s}"),
        scenario(
            "a for that hides the slowest allowed RTO",
            "until: {event: stable, plus: 5s, at_most: 60s}", "for: 2s"),
    ]

    /// The scenario with an environment and a timeline.
    private static func environment(_ name: String, _ entry: String, _ steps: String = "") -> Case {
        let scenario = Files.scenario.with(
            "workloads:", "environment:\n  - {\(entry)}\nworkloads:")
        let parts = scenario.split(separator: "timeline:\n")
        return Case(
            name: name,
            files: Files(
                scenario: steps.isEmpty
                    ? scenario : String(parts[0]) + "timeline:\n" + steps + "\n"))
    }

    static let links: [Case] = [
        timeline(
            "a delay without a unit", "  - {fault: link.delay, link: \"a->b\", delay: 25, for: 8s}"),
        timeline("a delay without its delay", "  - {fault: link.delay, link: \"a->b\", for: 8s}"),
        timeline(
            "a jitter above its delay",
            "  - {fault: link.delay, link: \"a->b\", delay: 5ms, jitter: 9ms, for: 8s}"),
        timeline(
            "a correlation of nothing",
            "  - {fault: link.delay, link: \"a->b\", delay: 5ms, correlation: 20%, for: 8s}"),
        timeline(
            "a distribution that is none",
            "  - {fault: link.delay, link: \"a->b\", delay: 5ms, jitter: 1ms, distribution: normall, for: 8s}"
        ),
        timeline("a loss of nothing", "  - {fault: link.loss, link: \"a->b\", for: 8s}"),
        timeline("a loss of 0 %", "  - {fault: link.loss, link: \"a->b\", ratio: 0%, for: 8s}"),
        timeline(
            "a loss above 100 %", "  - {fault: link.loss, link: \"a->b\", ratio: 120%, for: 8s}"),
        timeline(
            "a model's key without the model",
            "  - {fault: link.loss, link: \"a->b\", ratio: 5%, p: 1%, for: 8s}"),
        timeline(
            "a ratio beside the model",
            "  - {fault: link.loss, link: \"a->b\", model: gilbert-elliott, p: 1%, r: 20%, ratio: 5%, for: 8s}"
        ),
        timeline(
            "a model without its way back",
            "  - {fault: link.loss, link: \"a->b\", model: gilbert-elliott, p: 1%, for: 8s}"),
        timeline(
            "a reordering of all",
            "  - {fault: link.reorder, link: \"a->b\", ratio: 100%, for: 8s}"),
        timeline(
            "a rate without a unit",
            "  - {fault: link.rate, link: \"a->b\", rate: 20, for: 8s}"),
        timeline(
            "a rate of nothing", "  - {fault: link.rate, link: \"a->b\", rate: 0bit/s, for: 8s}"),
        timeline("a link for a flap", "  - {fault: link.flap, link: \"a->b\", for: 8s}"),
        timeline("a flap that is a cut", "  - {fault: link.flap, host: a, duty: 100%, for: 8s}"),
        timeline(
            "two jitters at once",
            "  - {id: x, fault: link.delay, link: \"a->b\", delay: 9ms, jitter: 2ms, for: 8s}\n  - {id: y, at: 5s, fault: link.delay, link: \"client<->*\", delay: 9ms, jitter: 2ms, for: 8s}\n  - {id: z, at: 7s, fault: link.delay, link: \"*->b\", delay: 9ms, jitter: 2ms, for: 8s}"
        ),
        timeline(
            "two jitters on links of roles",
            "  - {id: x, fault: link.delay, link: \"primary->standby\", delay: 9ms, jitter: 2ms, until: end}\n  - {id: y, at: 5s, fault: link.delay, link: \"b->a\", delay: 9ms, jitter: 2ms, for: 8s}"
        ),
        timeline(
            "burst loss on part of a link and loss on all of it",
            "  - {id: x, fault: link.loss, link: \"a->b\", traffic: vrrp, model: gilbert-elliott, p: 5%, r: 20%, for: 20s}\n  - {id: y, at: 20s, fault: link.loss, link: \"a->b\", ratio: 10%, for: 8s}"
        ),
        timeline(
            "a loss that is too rare for its step",
            "  - {fault: link.loss, link: \"a->b\", ratio: 0.1%, for: 5s}"),
        timeline(
            "a loss that is too rare for its longest wait",
            "  - {fault: link.loss, link: \"a->b\", ratio: 0.01%, until: {event: stable, at_most: 20s}}"
        ),
        timeline(
            "a delay that nobody sees",
            "  - {fault: link.delay, link: \"a->b\", delay: 10us, for: 5s}"),
        environment(
            "a loss that the environment's hides", "fault: link.loss, link: a->b, ratio: 50%",
            "  - {fault: link.loss, link: a->b, ratio: 1%, for: 5s}"),
        environment("an environment that kills", "fault: node.kill, host: a"),
        environment(
            "an environment that is over at once",
            "fault: process.signal, host: a, service: web, signal: HUP"),
        environment("an environment of a role", "fault: link.loss, link: primary->b, ratio: 5%"),
        environment("an environment with a typing mistake", "fault: link.delai, link: a->b"),
        environment(
            "a jitter in the environment and one in a step",
            "fault: link.delay, link: client<->*, delay: 25ms, jitter: 5ms",
            "  - {fault: link.delay, link: client->a, delay: 9ms, jitter: 2ms, for: 8s}"),
    ]

    static let expectations: [Case] = [
        expect("an unknown metric", "rtoo: \"max <= 5s\""),
        expect("an unknown step", "rto.kil: \"max <= 5s\""),
        expect("success_rate without a window", "success_rate: \"min >= 40%\""),
        expect("a window that is none", "success_rate.before: \"min >= 40%\""),
        expect("an unknown aggregate", "rto.kill: \"avg <= 5s\""),
        expect("an unknown comparison", "rto.kill: \"max =< 5s\""),
        expect("a threshold that is none", "rto.kill: 5s"),
        expect("p(95) from 5 trials", "rto.kill: \"p(95) <= 5s\""),
        expect("an RTO below what can be seen", "rto.kill: \"max <= 250ms\""),
        expect("a word for split_brain", "split_brain: always"),
        expect("detect without a pattern", "detect: \"max <= 1s\""),
        expect("a workload before what is one number", "web.role_changes: \"max == 1\""),
        scenario(
            "a harm that nothing shows", "name: node-kill",
            "name: node-kill\nknown_unsafe: it loses writes"),
        expect("split_brain without roles", "split_brain: never", system: noRoles),
        scenario("too few connections", "timeout: 250ms", "timeout: 250ms, connections: 8"),
        scenario("a rate with fewer than 20 operations in a stretch", "rate: 500/s", "rate: 15/s"),
        scenario("an abort longer than the run", "for 20s\"", "for 20m\""),
        scenario(
            "polite closes at a high rate", "rate: 500/s, lanes: [fresh, kept]",
            "close: fin, rate: 1500/s, lanes: [fresh, kept]"),
        scenario(
            "more than the ports at a high rate",
            "rate: 500/s, lanes: [fresh, kept], timeout: 250ms", "rate: 100000/s, timeout: 1s"),
        scenario(
            "tcp connects at a high rate",
            "client: http, url: \"http://{{vip}}/\", rate: 500/s, lanes: [fresh, kept]",
            "client: tcp, address: \"{{vip}}:80\", rate: 2000/s"),
        scenario(
            "a kept lane without an exchange", "client: http, url: \"http://{{vip}}/\"",
            "client: tcp, address: \"{{vip}}:80\""),
    ]

    static var all: [Case] { words + values + yaml + steps + links + expectations }

    @Test func `each mistake says what is wrong, where, and what is right`() {
        var text = ""
        for one in Self.all {
            let complaints = one.files.complaints(set: one.set)
            #expect(!complaints.isEmpty, "nothing is said about \(one.name)")
            text += "## \(one.name)\n\(complaints)\n\n"
        }
        Golden.check(text, "diagnostics.txt")
    }

    @Test func `bytes that are no text, and too many of them, are told`() {
        var files = Files()
        files.contents["s.yaml"] = Array("name: ok\nx: \"a".utf8) + [0xff, 0x22, 0x0a]
        #expect(
            files.complaints() == """
                s.yaml:2:6: error: byte 0xFF is not UTF-8
                x: "a
                     ^
                save the file as UTF-8
                """)
        files.contents["s.yaml"] = [UInt8](repeating: 0x20, count: 10 << 20)
        #expect(
            files.complaints() == """
                s.yaml: error: the file has 10485760 bytes; at most 1048576 are read
                is this the right file?
                """)
        files.contents["s.yaml"] = nil
        #expect(files.complaints() == "s.yaml: error: cannot be read: no such file")
    }

    @Test func `all mistakes of both files are told at once, in order`() {
        let scenario = Files.scenario.with("observe: 30s", "obsreve: 30s").with(
            "rate: 500/s", "rate: 500"
        )
        .with("host: primary", "host: primry").with("max <= 5s", "max <= 5")
        let system = Files.system.with("10.77.0.12", "10.78.0.12").with("[web]", "[wbe]")
        let places = Files(scenario: scenario, system: system).complaints().split(separator: "\n")
            .filter { $0.contains("error:") }.map { $0.prefix { $0 != " " } }
        #expect(
            places == [
                "s.yaml:7:53:", "s.yaml:14:11:", "s.yaml:17:1:", "s.yaml:19:13:",
                "system.yaml:10:16:", "system.yaml:14:33:",
            ])
    }

    @Test func `an alias bomb costs nothing`() {
        var text = "a: &a [x]\n"
        for index in 1...60 {
            text += "k\(index): &k\(index) [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
        }
        let clock = ContinuousClock()
        let took = clock.measure {
            #expect(Files(scenario: text).complaints().contains("aliases are not read: '*a'"))
        }
        #expect(took < .seconds(60))
    }

    @Test func `two thousand damaged files crash nothing`() {
        var random = Scrambler(seed: 20_261_122)
        let pieces = [
            "{{", "}}", "{", "}", "[", "]", ":", "- ", "*", "&x ", "\"", "'", "|\n", "\t", "\n",
            "#", "!t ", "é", "%", "->", "..", "0", "", ": ", ", ", "? ", "---\n", "\u{0}", "\u{85}",
            "\r\n",
        ]
        var refused = 0
        for _ in 0..<2000 {
            let isScenario = random.next() % 2 == 0
            var text = Array((isScenario ? Files.scenario : Files.system).unicodeScalars)
            for _ in 0...(random.next() % 3) {
                let at = Int(random.next() % UInt64(text.count))
                let end = min(text.count, at + Int(random.next() % 6))
                let piece = pieces[Int(random.next() % UInt64(pieces.count))]
                text.replaceSubrange(at..<end, with: Array(piece.unicodeScalars))
            }
            var view = String.UnicodeScalarView()
            view.append(contentsOf: text)
            let files = isScenario ? Files(scenario: String(view)) : Files(system: String(view))
            switch files.load() {
            case .success: break
            case .failure(let list):
                refused += 1
                #expect(!list.diagnostics.isEmpty)
            }
        }
        #expect(refused > 1000)
    }
}

/// Seeded, so that a failure can be repeated.
struct Scrambler {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
