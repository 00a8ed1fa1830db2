import DrillCore
import DrillScenario
import Testing

@Suite struct TemplateTests {
    static let texts: [(String, String)] = [
        ("x", "x"), ("{{address}}", "10.77.0.11"), ("{{ address }}!", "10.77.0.11!"),
        ("{{host}} {{dir}} {{vip}} {{interface}}", "a /run/firedrill/web 10.77.0.10 eth0"),
        ("{{peer.address}} {{peer.priority}} {{b.address}}", "10.77.0.12 100 10.77.0.12"),
        ("{{priority}}", "150"), ("{{advert}} {{advert.seconds}}", "1s 1"),
        ("{{{{address}}", "{{address}}"), ("{ {x} }} }", "{ {x} }} }"),
        ("log '{\"a\": 1}'", "log '{\"a\": 1}'"),
    ]

    @Test(arguments: texts) func `names are replaced, and nothing else`(
        text: String, expected: String
    ) throws {
        let cell = try Files(["templates/web.conf": text]).load().get()[0]
        #expect(cell.system.service("web")?.instances["a"]?.files["web.conf"] == expected)
    }

    static let seconds = [
        ("1s", "1"), ("300ms", "0.3"), ("100ms", "0.1"), ("1m", "60"), ("1.25s", "1.25"),
        ("10us", "0.00001"),
        ("0s", "0"), ("10ms", "0.01"),
    ]

    @Test(arguments: seconds) func `seconds of a duration are decimal, without trailing zeros`(
        advert: String, expected: String
    ) throws {
        let system = Files.system.with("limits: {timer: \"{{advert}}\"}", "").with("predict:", "#")
        let files = Files(system: system, ["templates/web.conf": "{{advert.seconds}}"])
        let cell = try files.load(set: ["advert": advert]).get()[0]
        #expect(cell.system.service("web")?.instances["a"]?.files["web.conf"] == expected)
    }

    static let problems: [(String, String)] = [
        (
            "ok\n  x {{adress}}",
            """
            templates/web.conf:2:5: error: unknown variable 'adress'
              x {{adress}}
                ^
            did you mean 'address'?
            """
        ),
        (
            "{{never",
            """
            templates/web.conf:1:1: error: '{{' is never closed
            {{never
            ^
            write {{name}}, or '{{{{' for two braces as they are
            """
        ),
        (
            "{{host.seconds}}",
            """
            templates/web.conf:1:1: error: 'host' is "a", which is no duration: .seconds needs one such as 100ms
            {{host.seconds}}
            ^
            templates/web.conf:1:1: error: 'host' is "b", which is no duration: .seconds needs one such as 100ms
            {{host.seconds}}
            ^
            """
        ),
        (
            "{{env.PW}}",
            """
            templates/web.conf:1:1: error: the environment has no 'PW'
            {{env.PW}}
            ^
            it is a secret: export PW=… before the command
            """
        ),
    ]

    @Test(arguments: problems) func `what is wrong in a template has the template's place`(
        text: String, expected: String
    ) {
        #expect(Files(["templates/web.conf": text]).complaints() == expected)
    }

    @Test func `a variable may use others, but not itself`() throws {
        let good = Files.system.with(
            "vars: {advert: 1s}",
            "vars: {advert: 1s, x: \"<{{y}}>\", y: \"{{advert}}{{priority}}\"}")
        let cell = try Files(system: good, ["templates/web.conf": "{{x}}"]).load().get()[0]
        #expect(cell.system.service("web")?.instances["b"]?.files["web.conf"] == "<1s100>")
        let bad = Files.system.with(
            "vars: {advert: 1s}", "vars: {advert: 1s, x: \"{{y}}\", y: \"{{x}}\"}")
        #expect(
            Files(system: bad, ["templates/web.conf": "{{x}}"]).complaints() == """
                templates/web.conf:1:1: error: variable 'x' is made of itself: x -> y -> x (in the value of 'y') (in the value of 'x')
                {{x}}
                ^
                """)
    }
}
