import DrillCore
import DrillFaults
import Testing

private let topology = Topology(
    hosts: ["a", "b", "client"], networks: ["main", "heartbeat"],
    addresses: [
        "a": ["main": "10.77.0.11", "heartbeat": "10.78.0.11"],
        "b": ["main": "10.77.0.12", "heartbeat": "10.78.0.12"],
        "client": ["main": "10.77.0.100"],
    ], services: ["a": ["web"], "b": ["web"]], among: ["a", "b"])

private let aToB = LinkDirection(network: "main", from: "a", to: "b")

private func plan(
    _ fault: String, _ parameters: [String: String] = [:],
    links: [(from: HostName, to: HostName)] = [("a", "b")], network: NetworkName? = nil,
    traffic: String? = nil
) throws -> FaultPlan {
    let use = FaultUse(
        fault: fault,
        target: .link(LinkSelector(from: .host("a"), to: .host("b"), bothWays: false)),
        network: network, traffic: traffic, parameters: parameters)
    return try #require(FaultCatalog.named(fault)).plan(
        use, targets: .links(links), topology: topology)
}

struct Written: CustomTestStringConvertible {
    var fault: String
    var parameters: [String: String]
    var impairment: Impairment
    var testDescription: String { "\(fault) \(parameters)" }

    init(_ fault: String, _ parameters: [String: String], _ impairment: Impairment) {
        self.fault = fault
        self.parameters = parameters
        self.impairment = impairment
    }
}

@Test(arguments: [
    Written("link.delay", ["delay": "25ms"], Impairment(delay: .milliseconds(25))),
    Written(
        "link.delay",
        ["delay": "25ms", "jitter": "5ms", "correlation": "25%", "distribution": "normal"],
        Impairment(
            delay: .milliseconds(25), jitter: .milliseconds(5), jitterCorrelation: 0.25,
            distribution: .normal)),
    Written("link.loss", ["ratio": "0.1%"], Impairment(loss: .random(CorrelatedRatio(0.001)))),
    Written(
        "link.loss", ["ratio": "10%", "correlation": "25%"],
        Impairment(loss: .random(CorrelatedRatio(0.1, correlation: 0.25)))),
    Written(
        "link.loss", ["model": "gilbert-elliott", "p": "1%", "r": "20%"],
        Impairment(loss: .gilbertElliott(p: 0.01, r: 0.2, h: 0, k: 1))),
    Written(
        "link.loss",
        ["model": "gilbert-elliott", "p": "1%", "r": "20%", "h": "30%", "k": "99.9%"],
        Impairment(loss: .gilbertElliott(p: 0.01, r: 0.2, h: 0.3, k: 0.999))),
    Written("link.duplicate", ["ratio": "5%"], Impairment(duplicate: CorrelatedRatio(0.05))),
    Written(
        "link.corrupt", ["ratio": "5%", "correlation": "10%"],
        Impairment(corrupt: CorrelatedRatio(0.05, correlation: 0.1))),
    Written(
        "link.reorder", ["ratio": "25%"],
        Impairment(delay: .milliseconds(10), reorder: Reordering(CorrelatedRatio(0.25)))),
    Written(
        "link.reorder", ["ratio": "100%", "gap": "5", "delay": "20ms"],
        Impairment(delay: .milliseconds(20), reorder: Reordering(CorrelatedRatio(1), gap: 5))),
    Written(
        "link.rate", ["rate": "8Mbit/s"], Impairment(rate: RateLimit(bitsPerSecond: 8_000_000))),
    Written(
        "link.rate", ["rate": "1.5Gbit/s", "burst": "64kB"],
        Impairment(rate: RateLimit(bitsPerSecond: 1_500_000_000, burst: 64_000))),
])
func `what is written becomes netem's terms`(_ written: Written) throws {
    let plan = try plan(written.fault, written.parameters)
    let treatment = LinkTreatment(.impair(written.impairment))
    #expect(plan.inject == [.lab(.attach(aToB, treatment))])
    #expect(plan.heal == [.lab(.detach(aToB, treatment))])
    #expect(plan.proof.links == [.init(link: aToB, treatment: treatment)])
}

@Test func `every direction is proven, and t0 ends with the last one`() throws {
    let plan = try plan("link.loss", ["ratio": "10%"], links: [("a", "b"), ("b", "a")])
    #expect(plan.inject.count == 2)
    #expect(plan.effective == 2)
    #expect(plan.proof.links.map(\.link.description) == ["a->b on main", "b->a on main"])
    #expect(plan.heal == plan.inject.reversed().compactMap(\.inverse))
}

@Test func `what a fault must leave alone is watched as well`() throws {
    func controls(
        _ links: [(from: HostName, to: HostName)], traffic: String? = nil,
        network: NetworkName? = nil
    ) throws -> [String] {
        try plan("link.partition", links: links, network: network, traffic: traffic)
            .proof.controls.map { "\($0.link.from)->\($0.link.to) \($0.traffic)" }
    }
    #expect(
        try controls([("a", "b")]) == ["b->a all", "client->a all", "client->b all"],
        "one way is one way")
    #expect(try controls([("a", "b"), ("b", "a")]) == ["client->a all", "client->b all"])
    #expect(
        try controls([("client", "a"), ("client", "b")]) == [
            "a->client all", "b->client all", "a->b all", "b->a all",
        ])
    #expect(
        try controls([("a", "b"), ("b", "a")], traffic: "tcp/5432") == [
            "client->a all", "client->b all", "a->b all", "b->a all",
        ], "the rest of the same link flows")
    #expect(
        try controls([("a", "b")], network: "heartbeat") == ["b->a all"],
        "the client is not on that network")
}

@Test func `traffic and network narrow a fault`() throws {
    let plan = try plan(
        "link.delay", ["delay": "25ms"], links: [("a", "b"), ("a", "client")],
        network: "heartbeat", traffic: "vrrp")
    #expect(
        plan.inject == [
            .lab(
                .attach(
                    LinkDirection(network: "heartbeat", from: "a", to: "b"),
                    LinkTreatment(
                        .impair(Impairment(delay: .milliseconds(25))), traffic: .vrrp)))
        ], "the client is not on that network")
}

@Test func `a flapping carrier is looked at, and ends up`() throws {
    let use = FaultUse(
        fault: "link.flap", target: .host(.host("a")), parameters: ["duty": "25%"])
    let plan = try LinkFlap.plan(use, targets: .host("a"), topology: topology)
    let flap = FaultOperation.lab(.flap("a", "main", period: .seconds(2), duty: 0.25))
    #expect(plan.inject == [flap])
    #expect(plan.heal == [.lab(.unflap("a", "main"))])
    #expect(plan.proof.inspections == [flap])
}

struct Refused: CustomTestStringConvertible {
    var fault: String
    var parameters: [String: String]
    var key: String
    var message: String
    var testDescription: String { "\(fault) \(parameters)" }

    init(_ fault: String, _ parameters: [String: String], _ key: String, _ message: String) {
        self.fault = fault
        self.parameters = parameters
        self.key = key
        self.message = message
    }
}

@Test(arguments: [
    Refused("link.delay", [:], "delay", "link.delay needs 'delay'"),
    Refused("link.delay", ["delay": "0s"], "delay", "'delay' 0 does nothing"),
    Refused(
        "link.delay", ["delay": "1ms", "jitter": "2ms"], "jitter",
        "'jitter' is more than 'delay': no packet can arrive before it was sent"),
    Refused(
        "link.delay", ["delay": "5s", "jitter": "3s"], "jitter", "'jitter' can be 2s at most"),
    Refused(
        "link.delay", ["delay": "1ms", "correlation": "20%"], "correlation",
        "'correlation' is one of the jitter, and there is no 'jitter'"),
    Refused(
        "link.delay", ["delay": "1ms", "distribution": "normal"], "distribution",
        "'distribution' is one of the jitter, and there is no 'jitter'"),
    Refused("link.loss", [:], "ratio", "link.loss needs 'ratio' or 'model'"),
    Refused("link.loss", ["ratio": "0%"], "ratio", "'ratio' 0 % does nothing"),
    Refused(
        "link.loss", ["ratio": "5%", "correlation": "100%"], "correlation",
        "'correlation' must be less than 100 %: nothing would ever change"),
    Refused(
        "link.loss", ["ratio": "5%", "p": "1%"], "p",
        "'p' belongs to a model, and there is no 'model'"),
    Refused(
        "link.loss", ["model": "gilbert-elliott", "ratio": "5%"], "ratio",
        "'ratio' is one of random loss: the model has p, r, h and k"),
    Refused("link.loss", ["model": "gilbert-elliott", "p": "5%"], "r", "link.loss needs 'r'"),
    Refused(
        "link.loss", ["model": "gilbert-elliott", "p": "5%", "r": "0%"], "r",
        "'r' 0 % never leaves the bad state"),
    Refused(
        "link.loss",
        ["model": "gilbert-elliott", "p": "5%", "r": "5%", "h": "50%", "k": "40%"], "h",
        "the bad state must lose more than the good one: 'h' below 'k'"),
    Refused("link.duplicate", ["ratio": "0%"], "ratio", "'ratio' 0 % does nothing"),
    Refused("link.corrupt", [:], "ratio", "link.corrupt needs 'ratio'"),
    Refused(
        "link.reorder", ["ratio": "100%"], "ratio",
        "'ratio' 100 % of all packets reorders nothing: none is left to be overtaken"),
    Refused(
        "link.reorder", ["ratio": "10%", "delay": "0s"], "delay",
        "'delay' 0 reorders nothing: a packet overtakes those that are delayed"),
    Refused(
        "link.reorder", ["ratio": "10%", "gap": "0"], "gap", "'gap' must be from 1 to 1000000"),
    Refused("link.rate", ["rate": "0bit/s"], "rate", "'rate' 0 is a partition"),
    Refused(
        "link.rate", ["rate": "20"], "rate", "'rate' must be a rate, such as 20Mbit/s, not '20'"),
])
func `what contradicts itself is refused at its key`(_ refused: Refused) throws {
    let error = #expect(throws: FaultError.self) {
        _ = try plan(refused.fault, refused.parameters)
    }
    #expect(error?.description == refused.message)
    #expect(error?.parameter == refused.key)
}

@Test(arguments: [
    ("20Mbit/s", 20_000_000), ("8kbit/s", 8_000), ("1.5Gbit/s", 1_500_000_000), ("9bit/s", 9),
])
func `a rate is in bits a second`(text: String, value: UInt64) throws {
    #expect(try Quantity.rate(text).get() == value)
}

@Test(arguments: [
    ("64kB", 64_000), ("64KiB", 65_536), ("1.5MB", 1_500_000), ("2GiB", 2_147_483_648), ("7B", 7),
])
func `a size is in bytes`(text: String, value: Int64) throws {
    #expect(try Quantity.size(text).get() == value)
}

@Test(arguments: [("-90s", -90), ("+1h", 3600), ("2m", 120)])
func `an offset has a sign`(text: String, seconds: Int) throws {
    #expect(try Quantity.offset(text).get() == .seconds(seconds))
    #expect(Quantity.offset("--5s") == .failure(.malformed))
}
